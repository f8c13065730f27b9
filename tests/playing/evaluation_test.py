"""Tests of evaluations: returns, influence and films."""

import dataclasses
import functools

import broken_vectors
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import saved_runs

from influence_acme import environments, ops, playing, types
from influence_acme import networks as networks_lib
from influence_acme.environments import matrix
from influence_acme.playing import evaluation as evaluation_lib
from influence_acme.runs import episode_record
from influence_acme.system import types as system_types
from influence_acme.testing import fakes


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cut(matrix.MatrixGame):
  """Pays 1 in each step; ends where agent 0 plays 1, or at the time limit."""

  payoff: tuple = ((0.5, 0.5), (0.5, 0.5))

  def step(self, state, actions):
    was_last = self._is_cut(state)
    state, step = super().step(
      state._replace(time=jnp.where(was_last, self.episode_length, state.time)),
      actions,
    )
    return state, step._replace(
      step_type=jnp.where(self._is_cut(state), 2, step.step_type)
    )

  def _is_cut(self, state):
    return (state.time > 0) & (state.actions[0] == 1)


def test_returns_are_those_of_the_game(save_run):
  # Agents 0 and 2 cooperate, agent 1 defects: C against C pays 3, C against D
  # 0, D against C 5. Six steps, against both others.
  policy = playing.load(
    save_run(
      saved_runs.make_config('baseline'),
      environments.functional(
        'matrix',
        num_agents=3,
        episode_length=6,
        payoff=((3, 0), (5, 1)),
      ),
      saved_runs.always(0, 1, 0),
    )
  )
  evaluation = playing.evaluate(policy, num_episodes=2)
  assert evaluation.agent_ids == ('agent_0', 'agent_1', 'agent_2')
  np.testing.assert_array_equal(evaluation.returns, [[18, 60, 18]] * 2)
  np.testing.assert_array_equal(evaluation.lengths, [6, 6])
  assert evaluation.influence is None


def test_episodes_of_any_length_count_once(save_run, monkeypatch):
  policy = playing.load(save_run(saved_runs.make_config('baseline')))
  game = Cut(num_agents=3, episode_length=8)
  at_once = playing.evaluate(policy, game, num_episodes=7, seed=3)
  assert 1 <= at_once.lengths.min() < at_once.lengths.max() <= 8
  # Each of two others pays 1/2 a step.
  np.testing.assert_array_equal(
    at_once.returns, np.repeat(at_once.lengths[:, None], 3, axis=1)
  )
  assert len(at_once.film.views) == at_once.lengths[0] + 1
  # However many are played at once, and however long a compiled call is.
  monkeypatch.setattr(evaluation_lib, '_BATCH_SIZE', 2)
  monkeypatch.setattr(evaluation_lib, '_NUM_STEPS', 3)
  by_two = playing.evaluate(policy, game, num_episodes=7, seed=3)
  np.testing.assert_array_equal(by_two.lengths, at_once.lengths)
  np.testing.assert_array_equal(by_two.film.views, at_once.film.views)


def test_another_seed_and_greedy_choices_play_other_episodes(save_run):
  policy = playing.load(save_run(saved_runs.make_config('baseline')))
  evaluate = functools.partial(playing.evaluate, policy, num_episodes=4)
  first, same, other = (evaluate(seed=seed) for seed in (0, 0, 1))
  np.testing.assert_array_equal(first.returns, same.returns)
  assert not np.array_equal(first.returns, other.returns)
  greedy = evaluate(greedy=True)
  assert len({tuple(row) for row in greedy.returns}) == 1


def play_step_by_step(policy, seed):
  """Returns choices [T, N] and influence inputs, [T, N, ...] by experiment."""
  environment = policy.wrap(
    environments.MultiAgentEnvironment(policy.environment)
  )
  key = jax.random.fold_in(jax.random.PRNGKey(seed), 0)
  _, key = jax.random.split(key)
  act, observe = jax.jit(policy.joint.act), jax.jit(policy.joint.observe)
  timestep, t = environment.reset(), 0
  state = policy.joint.initial_state(1)

  def stack(observation):
    return {
      name: np.stack([observation[i][name] for i in policy.agent_ids])[:, None]
      for name in observation['agent_0']
    }

  choices, inputs = [], []
  while not timestep.last():
    keys = system_types.agent_keys(jax.random.fold_in(key, t)[None], 3)
    before = stack(timestep.observation)
    output = act(policy.params, before, state, keys)
    actions, _ = policy.act(
      timestep.observation,
      jax.tree_util.tree_map(lambda x: x[:, 0], state.policy),
      jax.random.fold_in(key, t),
    )
    timestep = environment.step(actions)
    state, found = observe(
      policy.params,
      before,
      state,
      output,
      stack(timestep.observation),
      np.array([timestep.last()]),
    )
    assert isinstance(state, networks_lib.CoreState)
    choices.append(jax.tree_util.tree_map(lambda x: x[:, 0], output.actions))
    inputs.append(jax.tree_util.tree_map(lambda x: x[:, 0], found))
    t += 1
  return (
    jax.tree_util.tree_map(lambda *x: np.stack(x), *choices),
    jax.tree_util.tree_map(lambda *x: np.stack(x), *inputs),
  )


def influence_by_step(choices, inputs):
  """Returns float [T, N, N], nats, from what a whole episode gives."""
  num_steps = len(jax.tree_util.tree_leaves(choices)[0])
  total = np.full((num_steps, 3, 3), np.nan)
  for i in range(3):
    total[:, i, types.others(i, 3)] = 0
  for name, found in inputs.items():
    logits, mask, made = found['conditional_logits'], found['mask'], choices
    if isinstance(choices, dict):
      made = choices['message' if name == 'communication' else 'action']
    if name == 'communication':  # Replies come a step later, or never.
      logits = np.concatenate([logits[1:], logits[:1]])
      mask = np.concatenate([mask[1:], np.zeros_like(mask[:1])])
    per_agent = ops.influence_reward(
      logits, found['policy_logits'], made, mask=mask
    ).per_agent
    for i in range(3):
      total[:, i, types.others(i, 3)] += per_agent[:, i]
  return total


@pytest.mark.parametrize(
  'variant',
  [
    'moa',
    'basic_influence',
    ('communication', 'communication', 'baseline'),
    ('moa', 'moa', 'communication'),
  ],
  ids=str,
)
def test_influence_is_the_mean_over_steps(save_run, variant):
  policy = playing.load(save_run(saved_runs.make_config(variant)))
  evaluation = playing.evaluate(policy, num_episodes=1, seed=5)
  choices, inputs = play_step_by_step(policy, seed=5)
  by_step = influence_by_step(choices, inputs)
  expected = by_step.mean(axis=0)
  assert np.nanmax(expected) > 1e-4
  assert evaluation.influence is not None
  np.testing.assert_allclose(
    evaluation.influence, expected, rtol=1e-3, atol=1e-7
  )
  # The record has it step by step; of the last two maybe in one.
  record = evaluation.records[0]
  assert record.influence is not None
  np.testing.assert_allclose(
    record.influence[:-2], by_step[:-2], rtol=1e-3, atol=1e-6
  )
  np.testing.assert_allclose(
    record.influence[-2:].sum(axis=0),
    by_step[-2:].sum(axis=0),
    rtol=1e-3,
    atol=1e-6,
  )
  np.testing.assert_array_equal(
    record.actions, system_types.actions_of(choices)
  )
  np.testing.assert_allclose(record.rewards.sum(axis=0), evaluation.returns[0])
  assert policy.environment is not None
  last = jax.tree_util.tree_map(lambda x: x[-1], evaluation.film.states)
  expected_measures = episode_record.measure(
    record.rewards,
    choices,
    record.influence,
    agent_ids=record.agent_ids,
    num_choices=(policy.environment.num_actions, policy.networks.num_symbols),
    events=jax.device_get(policy.environment.events(last)),
  )
  np.testing.assert_equal(dict(record.measures), expected_measures)


def test_influence_of_the_last_step_counts_if_nobody_has_to_reply(save_run):
  # Known at once, beside agents whose influence is known a step late.
  policy = playing.load(
    save_run(
      saved_runs.make_config(
        ('basic_influence', 'basic_influence', 'communication')
      )
    )
  )
  evaluation = playing.evaluate(policy, num_episodes=1, seed=5)
  by_step = influence_by_step(*play_step_by_step(policy, seed=5))
  expected = by_step.mean(axis=0)
  assert expected[0, 1] > 1e-4 and expected[1, 0] == 0
  assert evaluation.influence is not None
  np.testing.assert_allclose(
    evaluation.influence, expected, rtol=1e-3, atol=1e-7
  )


def test_films_show_states_views_and_messages(save_run):
  policy = playing.load(
    save_run(saved_runs.make_config('communication'), saved_runs.GAME)
  )
  film = playing.evaluate(policy, num_episodes=1).film
  frames = list(film.frames())
  assert len(frames) == 7 and frames[0].dtype == np.uint8
  # The game's picture is the first agent's view, enlarged.
  assert film.views.shape == (7, 3, 5, 5, 3)
  for frame, views in zip(frames, film.views, strict=True):
    scale = len(frame) // 5
    np.testing.assert_array_equal(frame[::scale, ::scale], views[0])
  assert film.messages is not None
  assert film.messages.shape == (6, 3) and film.messages.max() < 4


def test_an_environment_must_be_known_and_fit(save_run):
  policy = playing.load(save_run(saved_runs.make_config('moa')))
  two = environments.functional('matrix', num_agents=2)
  with pytest.raises(ValueError, match='agent_ids of the environment is'):
    playing.evaluate(policy, two)
  with pytest.raises(ValueError, match='num_episodes is 0'):
    playing.evaluate(policy, num_episodes=0)
  policy.environment = None
  with pytest.raises(ValueError, match='environment is None: it must be given'):
    playing.evaluate(policy)


def test_what_is_not_finite_names_agent_and_step(save_run):
  config = saved_runs.make_config('baseline')
  policy = playing.load(save_run(config, fakes.FakeVectorEnvironment()))
  for name, time, said in broken_vectors.CASES[1:3]:
    environment = broken_vectors.BrokenVectors(name=name, time=time)
    with pytest.raises(FloatingPointError, match=said):
      playing.evaluate(policy, environment, num_episodes=2)
