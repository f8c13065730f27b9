"""Rows of the paper's agent with a model of others, by two measures."""

import harness
import pytest


@pytest.fixture(scope='session')
def run():
  """Rows with influence by KL."""
  return harness.recorded(variant='moa', **harness.OPTIONS['moa'])


@pytest.fixture(scope='session')
def pmi_run():
  """Rows with influence by PMI."""
  return harness.recorded(variant='moa', influence_measure='pmi')
