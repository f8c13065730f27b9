"""Tests of the agents' names and order."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from influence_acme import types, wrappers


def test_agent_ids_are_in_numerical_order():
  ids = types.agent_ids(11)
  assert ids[:3] == ('agent_0', 'agent_1', 'agent_2')
  assert ids[10] == 'agent_10'


def test_no_agents_are_refused():
  with pytest.raises(
    ValueError, match='num_agents is 0: it must be an integer'
  ):
    types.agent_ids(0)


@pytest.mark.parametrize('num_agents', (1, 2, 5))
def test_others_leaves_own_index_out(num_agents):
  for own_index in range(num_agents):
    got = types.others(own_index, num_agents)
    expected = [j for j in range(num_agents) if j != own_index]
    assert isinstance(got, np.ndarray)  # Usable as a constant inside jit.
    assert got.dtype == np.int32
    assert got.tolist() == expected


def test_others_of_a_traced_index():
  indices = jax.vmap(lambda i: types.others(i, 4))(jnp.arange(4))
  assert indices.dtype == jnp.int32
  np.testing.assert_array_equal(
    indices, [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]]
  )


@pytest.mark.parametrize('own_index', (-1, 3, np.int32(3)))
def test_own_index_out_of_range_is_refused(own_index):
  with pytest.raises(ValueError, match='own_index is .*integer from 0 to 2'):
    types.others(own_index, 3)


@pytest.mark.parametrize('ok', ['agent_0', '0', 'a b', 'Zoë', 'x.y-z', '<b>'])
def test_a_name_of_printable_characters_is_an_agents(ok):
  types.check_agent_ids((ok, 'other'))


@pytest.mark.parametrize(
  'wrong',
  [0, None, b'a', '', 'a/b', '$a$', 'a\nb', 'a\tb', "a'b", 'a"b', 'a\\b', 'b'],
)
def test_names_that_mean_something_elsewhere_are_refused(wrong):
  with pytest.raises(
    ValueError, match=f'agent_ids has {re.escape(repr(wrong))}'
  ):
    types.check_agent_ids((wrong, 'b'))


class _NamedByNumbers:
  agent_ids = (0, 1)


def test_the_first_border_refuses_them():
  with pytest.raises(ValueError, match='agent_ids has 0: each agent must have'):
    wrappers.OthersActionsWrapper(_NamedByNumbers())
