"""The shell of a rollout: episodes, parameters, failures."""

import dataclasses

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import two_ways

from influence_acme.environments import matrix
from influence_acme.rollouts import steps, unroll


@pytest.fixture(scope='module')
def game():
  return two_ways.Game('coordination', num_agents=2, episode_length=4)


@pytest.fixture
def actor(game):
  """A new actor, whose functions are compiled once for all."""
  actor = game.make_actor(game.make_replay()[0])
  actor.update(wait=True)
  return actor


def _play(actor, times):
  played = [actor.play() for _ in range(times)]
  return [sequences for sequences, _, _ in played], played


def test_episodes_and_steps_are_those_of_the_rows(actor):
  sequences, played = _play(actor, times=4)
  # The last row of a sequence is the next one's first.
  extrinsic = np.concatenate(
    [x.extras['extrinsic'][:, :-1] for x in sequences], axis=1
  )
  num_episodes = (extrinsic.shape[1] + 1) // 5  # Four steps and a padding row.
  expected = [
    extrinsic[b, 5 * e : 5 * e + 4].sum(axis=0).tolist()
    for e in range(num_episodes)
    for b in range(two_ways.B)
  ]
  episodes = [episode for _, _, ended in played for episode in ended]
  assert [e.totals.returns.tolist() for e in episodes] == expected
  assert {episode.totals.num_steps for episode in episodes} == {4}
  # 25 rows were begun, one held: every fifth is no step.
  assert sum(num_steps for _, num_steps, _ in played) == 20 * two_ways.B


def test_new_parameters_are_taken_between_unrolls(game, actor, monkeypatch):
  actor.play()
  counts = dict(game.learner.counts, learner_steps=np.int32(4))
  monkeypatch.setattr(game.learner, 'counts', counts)
  actor.update(wait=True)
  sequences, _, _ = actor.play()
  is_padding = np.pad(sequences.start_of_episode[:, 1:], ((0, 0), (0, 1)))
  expected = np.where(is_padding, 0, 4)
  expected[:, 0] = 3  # Held since before.
  np.testing.assert_array_equal(
    sequences.extras['learner_steps'][:, :-1], expected[:, :-1]
  )


def test_it_compiles_once_and_donates_its_state(game, monkeypatch):
  chex.clear_trace_counter()
  traced = chex.assert_max_traces(steps.add_row, n=1)
  monkeypatch.setattr(steps, 'add_row', traced)
  unroll.make_rollout.cache_clear()
  actor = game.make_actor(game.make_replay()[0])
  unroll.make_rollout.cache_clear()  # Nobody else is to be given this one.
  actor.update(wait=True)
  actor.play()
  before = jax.tree_util.tree_leaves(actor._rollout_state)
  _play(actor, times=2)
  assert any(x.is_deleted() for x in before)


def test_rewards_that_are_not_finite_are_refused(actor):
  actor.play()
  state = actor._rollout_state
  shaped = state.overlap.shaped.at[:, 1].set(np.nan)
  actor._rollout_state = state._replace(
    overlap=state.overlap._replace(shaped=shaped)
  )
  with pytest.raises(FloatingPointError, match='reward of agent_1 is not'):
    actor.play()


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Unpaid(matrix.Coordination):
  """Its rewards of the second agent are no numbers."""

  def rewards(self, actions):
    return super().rewards(actions).at[1].set(jnp.nan)


def test_an_environment_that_is_not_finite_names_agent_and_step(
  game, monkeypatch
):
  environment = _Unpaid(num_agents=2, episode_length=4)
  monkeypatch.setattr(game, 'functional', environment)
  actor = game.make_actor(game.make_replay()[0])
  actor.update(wait=True)
  with pytest.raises(FloatingPointError, match='reward of agent_1 .* step 1 '):
    actor.play()


def test_networks_of_another_environment_are_refused(game, monkeypatch):
  other = two_ways.environments.functional('coordination', num_agents=3)
  monkeypatch.setattr(game, 'functional', other)
  with pytest.raises(ValueError, match='agent_ids .*agent_2'):
    game.make_actor(game.make_replay()[0])


@pytest.mark.slow
def test_rows_do_not_depend_on_the_unroll_length():
  streams = []
  for length in (2, 12):
    game = two_ways.Game(
      'coordination',
      'pmi',
      unroll_length=length,
      num_agents=2,
      episode_length=3,
    )
    actor = game.make_actor(game.make_replay()[0])
    sequences, _ = _play(actor, times=12 // length)
    streams.append(
      jax.tree_util.tree_map(
        lambda *xs: np.concatenate([x[:, :-1] for x in xs], axis=1),
        *[
          (x.action, x.reward, x.start_of_episode, x.extras['influence'])
          for x in sequences
        ],
      )
    )
  jax.tree_util.tree_map(
    lambda x, y: np.testing.assert_allclose(x, y, atol=1e-5), *streams
  )
