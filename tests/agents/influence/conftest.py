"""Rows of the paper's agent with a model of others, by two measures."""

import functools
from unittest import mock

import harness
import pytest

from influence_acme.system import map_agents


@pytest.fixture(scope='module', autouse=True)
def compiled_updates():
  """Lets a module's learners of one configuration share a compiled update."""
  kept = functools.lru_cache(maxsize=8)(map_agents.over_threads)
  with mock.patch.object(map_agents, 'over_threads', kept):
    yield


@pytest.fixture(scope='session')
def run():
  """Rows with influence by KL."""
  return harness.recorded(variant='moa', **harness.OPTIONS['moa'])


@pytest.fixture(scope='session')
def pmi_run():
  """Rows with influence by PMI."""
  return harness.recorded(variant='moa', influence_measure='pmi')
