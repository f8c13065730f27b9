"""The update of all agents: threads or vmap, and what its key decides."""

import functools
from typing import Any

import jax
import numpy as np
import pytest
import tabular

from influence_acme.system import config as config_lib
from influence_acme.system import map_agents, update
from influence_acme.system import networks as networks_lib
from influence_acme.system import sequences as sequences_lib

N, A, B, NUM_ROWS, U = 3, 4, 4, 7, 8
STARTS = tabular.make_starts((2, 9), (9,), (4, 9), (3, 9), num_rows=NUM_ROWS)
RATES = update.Rates(1e-3, 0.01)
METHODS = ('vtrace', 'ppo')


@functools.cache
def _population(method):
  options: dict[str, Any] = {}
  if method == 'ppo':
    options['ppo'] = config_lib.PPOConfig(num_epochs=2, num_minibatches=2)
  config = config_lib.InfluenceConfig(
    hidden_size=U,
    update=method,
    normalise_returns=True,
    normalise_influence=True,
    batch_size=B,
    max_gradient_norm=40.0,
    # Or Adam would make as much of a rounding error as of a gradient.
    adam_epsilon=1e-3,
    **options,
  )
  agent_ids = tuple(f'agent_{i}' for i in range(N))
  world = jax.ShapeDtypeStruct((3, 3, 3), np.uint8)
  networks = networks_lib.make_networks(agent_ids, A, 0, world, config)
  return config, networks


@functools.cache
def _sequences():
  rng = np.random.default_rng(0)
  shape = (NUM_ROWS, B)
  is_step = ~tabular.is_padding(STARTS)

  def of_one(i):
    actions = np.random.default_rng(7).integers(0, A, (*shape, N))
    extrinsic = (rng.normal(size=shape) * is_step).astype(np.float32)
    influence = (rng.uniform(size=shape) * is_step).astype(np.float32)
    state = _population('vtrace')[1].agent.initial_state(B)
    return sequences_lib.Sequences(
      observation={
        'world': rng.integers(0, 255, (*shape, 3, 3, 3)).astype(np.uint8),
        'actions': actions.astype(np.int32),
        'visible': rng.random((*shape, N)) < 0.8,
      },
      own_actions=actions[..., i].astype(np.int32),
      actions=actions.astype(np.int32),
      reward=extrinsic + 0.5 * influence,
      extrinsic=extrinsic,
      influence=influence,
      discount=is_step.astype(np.float32),
      start_of_episode=STARTS,
      behaviour_logits=rng.normal(size=(*shape, A)).astype(np.float32),
      core_state=jax.tree_util.tree_map(np.asarray, state),
    )

  return jax.tree_util.tree_map(lambda *x: np.stack(x), *map(of_one, range(N)))


@functools.cache
def _compiled(method, mapping):
  config, networks = _population(method)
  mapped = mapping(update.make_update(networks.agent, config))
  return mapped if mapping is map_agents.over_threads else jax.jit(mapped)


@functools.cache
def _first_state(method):
  config, networks = _population(method)
  return update.init(jax.jit(networks.init)(jax.random.PRNGKey(0)), config)


def _run(method, mapping, seed=0, num_updates=2):
  state = _first_state(method)
  for i in range(num_updates):
    state, metrics = _compiled(method, mapping)(
      state, _sequences(), RATES, jax.random.PRNGKey(seed + i)
    )
  return state, metrics


at_once = functools.partial(map_agents.in_one_call, at_once=True)
one_by_one = functools.partial(map_agents.in_one_call, at_once=False)


@pytest.mark.parametrize('mapping', [at_once, one_by_one])
@pytest.mark.parametrize('method', METHODS)
def test_threads_and_one_call_update_all_agents_alike(method, mapping):
  by_threads, of_threads = _run(method, map_agents.over_threads)
  in_one_call, of_one_call = _run(method, mapping)
  jax.tree_util.tree_map(
    lambda x, y: np.testing.assert_allclose(x, y, atol=1e-6),
    by_threads.params,
    in_one_call.params,
  )
  jax.tree_util.tree_map(
    lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-5),
    (by_threads, dict(of_threads)),
    (in_one_call, dict(of_one_call)),
  )
  moved = jax.tree_util.tree_map(
    lambda x, y: not np.array_equal(x, y),
    in_one_call.params,
    _first_state(method).params,
  )
  assert np.mean(jax.tree_util.tree_leaves(moved)) > 0.9


def _equal(left, right):
  return all(
    jax.tree_util.tree_leaves(
      jax.tree_util.tree_map(np.array_equal, left.params, right.params)
    )
  )


@pytest.mark.parametrize('method', METHODS)
def test_an_update_depends_on_its_arguments_alone(method):
  first, _ = _run(method, map_agents.over_threads)
  second, _ = _run(method, map_agents.over_threads)
  assert _equal(first, second)


def test_the_key_decides_the_shuffles_of_ppo_and_nothing_of_v_trace():
  for method in METHODS:
    first, _ = _run(method, map_agents.over_threads, seed=0, num_updates=1)
    second, _ = _run(method, map_agents.over_threads, seed=5, num_updates=1)
    assert _equal(first, second) == (method == 'vtrace')


@pytest.mark.parametrize(
  'mapping', [map_agents.over_threads, at_once, one_by_one]
)
def test_each_agent_gets_a_key_of_its_own(mapping):
  def update_one(state, sequences, index, rates, key):
    del sequences, rates
    return state, {'index': index, 'key': key}

  key = jax.random.PRNGKey(3)
  _, found = mapping(update_one)(_first_state('ppo'), _sequences(), RATES, key)
  np.testing.assert_array_equal(found['index'], range(N))
  np.testing.assert_array_equal(
    found['key'], [jax.random.fold_in(key, i) for i in range(N)]
  )
