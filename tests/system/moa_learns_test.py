"""The MOA learns a scripted population, and then influence is what it must be.

Agent 0 plays at random, agent 1 copies it one step late, agent 2 cycles, and
agent 3 plays at random. What agent 0's MOA should know is known: the copier and
the cycler for certain, of agent 3 nothing; and what agent 0's influence is,
follows in closed form.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracles import populations

from influence_acme import environments, networks, ops
from influence_acme.system import config as config_lib
from influence_acme.system import map_agents, update
from influence_acme.system import sequences as sequences_lib

A, T, B = 4, 16, 32
POPULATION = (
  populations.Uniform(A),
  populations.Copier(0),
  populations.Cycler(A),
  populations.Uniform(A),
)
N = len(POPULATION)
GAME = environments.functional(
  'matrix',
  num_agents=N,
  num_actions=A,
  payoff=((0.0,) * A,) * A,
  episode_length=T + 1,
)


def _episode(key):
  """Plays T + 1 steps: views [T + 1, N, ...], last and current actions."""
  state, step = GAME.reset(key)

  def play(carry, time):
    state, view, last_actions = carry
    actions = populations.joint_actions(
      POPULATION, jax.random.fold_in(key, time), time, last_actions
    )
    state, step = GAME.step(state, actions)
    return (state, step.observation, actions), (view, last_actions, actions)

  nobody_acted = jnp.full(N, -1, jnp.int32)
  _, rows = jax.lax.scan(
    play, (state, step.observation, nobody_acted), jnp.arange(T + 1)
  )
  return rows


@jax.jit
def _sequences(key):
  views, last_actions, actions = jax.vmap(_episode, out_axes=1)(
    jax.random.split(key, B)
  )  # [T + 1, B, ...]
  agent = networks.make_agent_networks(N, A)
  start = jnp.zeros((T + 1, B), bool).at[0].set(True)

  def for_all(x):
    return jnp.broadcast_to(x, (N, *x.shape))

  return sequences_lib.Sequences(
    observation={
      'world': jnp.moveaxis(views, 2, 0),
      'actions': for_all(last_actions),
      'visible': for_all(jnp.ones((T + 1, B, N), bool)),
    },
    own_actions=jnp.moveaxis(actions, 2, 0),
    actions=for_all(actions),
    reward=jnp.zeros((N, T + 1, B)),
    extrinsic=jnp.zeros((N, T + 1, B)),
    influence=jnp.zeros((N, T + 1, B)),
    discount=jnp.ones((N, T + 1, B)),
    start_of_episode=for_all(start),
    behaviour_logits=jnp.zeros((N, T + 1, B, A)),
    core_state=jax.tree_util.tree_map(for_all, agent.initial_state(B)),
  )


@functools.lru_cache(maxsize=1)
def _trained():
  config = config_lib.InfluenceConfig(moa_loss_weight=1.0)
  agent = networks.make_agent_networks(N, A)
  step = map_agents.over_threads(update.make_update(agent, config))
  keys = jax.random.split(jax.random.PRNGKey(0), N)
  row = {
    'world': jnp.zeros((1, *GAME.observation_shape), jnp.uint8),
    'actions': jnp.full((1, N), -1, jnp.int32),
  }
  params = jax.vmap(agent.init, in_axes=(0, None))(keys, row)
  state = update.init(params, config)
  for i in range(250):
    key = jax.random.PRNGKey(i)
    state, _ = step(state, _sequences(key), update.Rates(3e-3, 0.1), key)
  mine = jax.tree_util.tree_map(lambda x: x[0], state.params)
  held_out = jax.tree_util.tree_map(
    lambda x: x[0], _sequences(jax.random.PRNGKey(10**6))
  )
  return agent, mine, held_out


@pytest.mark.slow
def test_the_moa_knows_the_copier_and_the_cycler_and_not_the_random_agent():
  agent, params, sequences = _trained()
  output = agent.unroll(
    params,
    sequences.observation,
    sequences.actions,
    sequences.start_of_episode,
    sequences.core_state,
  )
  hits = (
    np.argmax(output.moa_logits[:-1], axis=-1) == sequences.actions[1:, :, 1:]
  )
  copier, cycler, random = hits.reshape(-1, 3).mean(axis=0)
  assert copier >= 0.95
  assert cycler >= 0.95
  standard_error = np.sqrt((1 / A) * (1 - 1 / A) / (T * B))
  assert abs(random - 1 / A) <= 3 * standard_error


@pytest.mark.slow
def test_measured_influence_is_the_theorys():
  agent, params, sequences = _trained()
  state = agent.initial_state(B)
  policy_logits = jnp.zeros((B, A))  # Agent 0 plays at random.
  theory = populations.closed_form_influence(POPULATION, 0, np.full(A, 1 / A))
  ask = jax.jit(agent.counterfactuals)
  step = jax.jit(agent.step)
  moa_state, policy_state, measured, expected = state.moa, state.policy, [], []
  for t in range(T):
    observation = {
      k: v[t] for k, v in sequences.observation.items() if k != 'visible'
    }
    output, policy_state = step(params, observation, policy_state)
    actions = sequences.actions[t]
    logits, moa_state = ask(params, output.moa_features, actions, moa_state, 0)
    measured.append(
      ops.influence_reward(logits, policy_logits, actions[:, 0]).per_agent
    )
    expected.append(theory[np.asarray(actions[:, 0])])
  # On the copier -log(1/4) = 1.386, on those who heed nobody 0.
  np.testing.assert_allclose(
    np.mean(measured, axis=(0, 1)), np.mean(expected, axis=(0, 1)), atol=0.05
  )
