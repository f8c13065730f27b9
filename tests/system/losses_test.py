"""The loss: rows that are no steps, time limits, and agents kept apart."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from influence_acme import networks as networks_lib
from influence_acme.system import config as config_lib
from influence_acme.system import losses, map_agents, normalisation, update
from influence_acme.system import sequences as sequences_lib

N, A, T, U = 2, 4, 8, 8
_EPISODE_ROWS = 6  # 5 steps and a padding row.
KEY = jax.random.PRNGKey(0)


@functools.cache
def _agent_and_params():
  agent = networks_lib.make_agent_networks(N, A, hidden_size=U)
  observation = {
    'world': np.zeros((1, 3, 3, 3), np.uint8),
    'actions': np.full((1, N), -1, np.int32),
  }
  keys = jax.random.split(KEY, N)
  init = jax.jit(jax.vmap(agent.init, in_axes=(0, None)))
  return agent, init(keys, observation)


def _five_step_episodes(first_rows, reward=1.0, last_discount=1.0):
  """Sequences [N, T + 1, B, ...] that begin on given rows of the episodes."""
  position = (np.arange(T + 1)[:, None] + np.asarray(first_rows)) % 6
  batch = position.shape[1]
  is_padding = position == 5
  discount = np.where(position == 4, last_discount, 1.0) * ~is_padding

  def stack(x):
    return np.broadcast_to(x, (N, *np.shape(x)))

  zeros = np.zeros((T + 1, batch), np.float32)
  actions = np.zeros((T + 1, batch, N), np.int32)
  state = networks_lib.make_agent_networks(N, A, U).initial_state(batch)
  return sequences_lib.Sequences(
    observation={
      'world': stack(np.zeros((T + 1, batch, 3, 3, 3), np.uint8)),
      'actions': stack(actions),
      'visible': stack(np.ones((T + 1, batch, N), bool)),
    },
    own_actions=stack(zeros.astype(np.int32)),
    actions=stack(actions),
    reward=stack((reward * ~is_padding).astype(np.float32)),
    extrinsic=stack((reward * ~is_padding).astype(np.float32)),
    influence=stack(zeros),
    discount=stack(discount.astype(np.float32)),
    start_of_episode=stack(position == 0),
    behaviour_logits=stack(np.zeros((T + 1, batch, A), np.float32)),
    core_state=jax.tree_util.tree_map(stack, state),
  )


def _config(**changes):
  config = config_lib.InfluenceConfig(
    discount=0.8,
    reward_scale=1.0,
    vtrace_lambda=1.0,
    entropy_cost=0.0,
    moa_loss_weight=1.0,
    max_gradient_norm=40.0,
  )
  return dataclasses.replace(config, **changes)


@functools.cache
def _compiled(config):
  agent, params = _agent_and_params()
  step = map_agents.over_threads(update.make_update(agent, config))
  return jax.jit(jax.vmap(agent.unroll)), params, step


def _loss_fn(agent, config):
  """Returns the loss where nothing is known of returns yet, compiled."""
  loss_fn = losses.make_loss(agent, config)

  def of_batch(params, own_index, sequences, entropy_cost):
    loss, (metrics, _) = loss_fn(
      params, own_index, sequences, entropy_cost, normalisation.init(1)
    )
    return loss, metrics

  return jax.jit(of_batch)


def _train(sequences, config, num_steps=500):
  unroll, params, step = _compiled(config)
  state = update.init(params, config)
  for i in range(num_steps):
    rates = update.Rates(0.1 * 0.99**i, config.entropy_cost)
    state, _ = step(state, sequences, rates, KEY)
  output = unroll(
    state.params,
    sequences.observation,
    sequences.actions,
    sequences.start_of_episode,
    sequences.core_state,
  )
  return np.asarray(output.value)


@pytest.mark.parametrize(
  'first_rows',
  [list(range(6)), [5] * 6, [3] * 6],
  ids=['contain the padding row', 'begin on it', 'end on it'],
)
def test_a_time_limit_is_no_death(first_rows):
  # Reward 1 for ever: V = 1 / (1 - gamma) = 5, in every row, as the time
  # limit cuts the episode and not the world.
  sequences = _five_step_episodes(first_rows)
  values = _train(sequences, _config())
  np.testing.assert_allclose(values[:, :-1], 5.0, rtol=0.03)


def test_a_death_is_a_death():
  # The last of five steps has discount 0: V = 1 at it, 1 + 0.8 before it, ...
  sequences = _five_step_episodes([0] * 6, last_discount=0.0)
  values = _train(sequences, _config())
  expected = [sum(0.8**i for i in range(n)) for n in (5, 4, 3, 2, 1)]
  np.testing.assert_allclose(values[0, :5, 0], expected, rtol=0.05)


def test_the_dummy_row_has_no_weight():
  # Whatever stands in a padding row or in the last row's action and reward,
  # loss and gradient stay the same.
  agent, params = _agent_and_params()
  own = jax.tree_util.tree_map(lambda x: x[0], params)
  loss_fn = _loss_fn(agent, _config())
  clean = jax.tree_util.tree_map(
    lambda x: x[0], _five_step_episodes(list(range(6)))
  )
  position = (np.arange(T + 1)[:, None] + np.arange(6)) % 6
  no_step = position == 5
  no_step[-1] = True
  dirty = clean._replace(
    own_actions=np.where(no_step, 2, clean.own_actions),
    reward=np.where(no_step, 7.0, clean.reward).astype(np.float32),
    behaviour_logits=clean.behaviour_logits
    + no_step[..., None] * np.arange(A, dtype=np.float32),
  )
  value_and_grad = jax.jit(jax.value_and_grad(loss_fn, has_aux=True))
  (expected, _), expected_grads = value_and_grad(own, 0, clean, 0.1)
  (actual, _), actual_grads = value_and_grad(own, 0, dirty, 0.1)
  np.testing.assert_allclose(actual, expected, rtol=1e-6)
  jax.tree_util.tree_map(
    lambda x, y: np.testing.assert_allclose(x, y, atol=1e-6),
    actual_grads,
    expected_grads,
  )


def test_v_trace_equals_a_hand_derived_case():
  # One agent's view: T = 2 steps of one episode, values all v, on policy,
  # gamma = 0.5, rewards 1 and 3, lambda 1: V-trace targets are
  #   row 1: 3 + 0.5 v2;  row 0: 1 + 0.5 (3 + 0.5 v2).
  # A network whose value head is zero has v = 0, so that targets are 3 and
  # 2.5, and value_loss = mean(0.5 * [2.5^2, 3^2]) = 3.8125.
  agent, params = _agent_and_params()
  own = jax.tree_util.tree_map(lambda x: x[0], params)
  own = dict(own)
  own['policy_value_head/value'] = jax.tree_util.tree_map(
    jnp.zeros_like, own['policy_value_head/value']
  )
  own['policy_value_head/policy'] = jax.tree_util.tree_map(
    jnp.zeros_like, own['policy_value_head/policy']
  )
  sequences = jax.tree_util.tree_map(
    lambda x: x[0, :3, :1] if x.ndim > 3 or x.shape[1] == T + 1 else x[0, :1],
    _five_step_episodes([0] * 6),
  )
  sequences = sequences._replace(
    reward=np.array([[1.0], [3.0], [100.0]], np.float32)
  )
  config = _config(discount=0.5)
  _, metrics = _loss_fn(agent, config)(own, 0, sequences, 0.0)
  np.testing.assert_allclose(metrics['value_loss'], 3.8125, rtol=1e-5)
  np.testing.assert_allclose(metrics['entropy'], np.log(A), rtol=1e-5)
  # The policy is uniform: loss = mean(-log(1/4) * advantage), advantages 2.5
  # and 3.
  np.testing.assert_allclose(
    metrics['policy_loss'], np.log(A) * 2.75, rtol=1e-5
  )


def test_nothing_mixes_between_agents(monkeypatch):
  # Agent 0's loss times 1e6: the others' new parameters are bit-equal.
  agent, params = _agent_and_params()
  config = _config()
  make_loss = losses.make_loss
  sequences = _five_step_episodes(list(range(6)))

  def make_scaled_loss(agent, config):
    loss_fn = make_loss(agent, config)

    def scaled_loss(params, own_index, *args):
      loss, rest = loss_fn(params, own_index, *args)
      return jnp.where(own_index == 0, 1e6, 1.0) * loss, rest

    return scaled_loss

  new_params = []
  for make in (make_loss, make_scaled_loss):
    update.make_update.cache_clear()
    monkeypatch.setattr(losses, 'make_loss', make)
    state = update.init(params, config)
    step = map_agents.over_threads(update.make_update(agent, config))
    for _ in range(3):
      state, _ = step(state, sequences, update.Rates(1e-3, 0.01), KEY)
    new_params.append(state.params)
  update.make_update.cache_clear()

  plain, scaled = new_params
  changed = jax.tree_util.tree_map(
    lambda x, y: not np.array_equal(x[0], y[0]), plain, scaled
  )
  assert any(jax.tree_util.tree_leaves(changed))
  jax.tree_util.tree_map(
    lambda x, y: np.testing.assert_array_equal(x[1:], y[1:]), plain, scaled
  )


def test_gradients_are_clipped_for_each_agent_alone():
  config = _config(max_gradient_norm=0.5)
  optimizer = optax.clip_by_global_norm(config.max_gradient_norm)
  grads = {'w': jnp.array([[30.0, 40.0], [0.3, 0.0]])}
  clipped, _ = jax.vmap(optimizer.update)(
    grads, jax.vmap(optimizer.init)(grads)
  )
  np.testing.assert_allclose(clipped['w'], [[0.3, 0.4], [0.3, 0.0]], rtol=1e-6)


def test_the_moa_learns_about_agents_in_view_alone_if_told_so():
  agent, params = _agent_and_params()
  own = jax.tree_util.tree_map(lambda x: x[0], params)
  sequences = jax.tree_util.tree_map(
    lambda x: x[0], _five_step_episodes(list(range(6)))
  )
  sequences.observation['visible'] = np.zeros((T + 1, 6, N), bool)
  losses_by_option = [
    _loss_fn(agent, _config(moa_only_visible=option))(own, 0, sequences, 0.0)[
      1
    ]['moa_loss']
    for option in (True, False)
  ]
  assert losses_by_option[0] == 0.0
  assert losses_by_option[1] > 1.0
