"""InfluenceAdder against a slow oracle, on random episodes.

The oracle knows whole episodes. It computes every reward by index, in float64,
and gives the finished steps to the plain Acme adder. Both tables must then hold
the same items in the same order.
"""

import dataclasses
from typing import Any

import dm_env
import hypothesis
import numpy as np
import pytest
import reverb
import tree
from acme.adders import reverb as adders
from hypothesis import strategies as st

from influence_acme.adders import InfluenceAdder

GIVEN_UP = None  # Instead of the discount of an episode that did not end.


def make_inner(kind, client, table):
  """Returns a plain Acme adder that writes to a table."""
  name, *sizes = kind
  tables = {'priority_fns': {table: None}}
  if name == 'n-step':
    return adders.NStepTransitionAdder(client, *sizes, 0.9, **tables)
  if name == 'episode':
    return adders.EpisodeAdder(client, 8, **tables)
  return adders.SequenceAdder(
    client, *sizes, end_of_episode_behavior=name, **tables
  )


# The period is at most the length: with TRUNCATE, Acme's adder fails otherwise.
KINDS = st.one_of(
  st.tuples(st.just('n-step'), st.integers(1, 4)),
  st.tuples(st.just('episode')),
  st.tuples(
    st.sampled_from(adders.EndBehavior), st.integers(2, 5), st.integers(1, 5)
  ).filter(lambda kind: kind[2] <= kind[1]),
)


@dataclasses.dataclass
class Episode:
  """Row t is the episode's step t; observations have one row more."""

  observations: np.ndarray
  actions: np.ndarray
  rewards: list[Any]
  inputs: np.ndarray
  extras: list[Any]
  last_discount: float | None

  def timestep(self, t, reward):
    """Returns what follows step t."""
    observation = self.observations[t + 1]
    if t == len(self.actions) - 1 and self.last_discount is not GIVEN_UP:
      return dm_env.truncation(reward, observation, self.last_discount)
    return dm_env.transition(reward, observation, 0.5)


def make_episode(rng, length, last_discount, reward, extras):
  def one_reward():
    return tree.map_structure(
      lambda x: rng.normal(size=np.shape(x)).astype(np.asarray(x).dtype), reward
    )

  return Episode(
    observations=rng.normal(size=(length + 1, 2)),
    actions=rng.integers(9, size=length),
    rewards=[one_reward() for _ in range(length)],
    inputs=rng.normal(size=length).astype(np.float32),
    extras=[
      {'x': rng.normal()} if extras == 'x' else extras for _ in range(length)
    ],
    last_discount=last_discount,
  )


EPISODES = st.lists(
  st.tuples(st.integers(1, 7), st.sampled_from([0.0, 1.0, GIVEN_UP])),
  min_size=1,
  max_size=5,
)
REWARDS = st.sampled_from([
  np.float32(0),
  0.0,
  np.zeros(3, np.float32),
  {'act': np.zeros((), np.float32), 'speak': np.zeros(2)},
])  # fmt: skip


def schedule(steps):
  return 0.1 * steps - 0.5


def play(client, table, kind, delay, keep_parts, episodes):
  """Plays the episodes through an InfluenceAdder."""
  steps = 0

  def influence_fn(step, following):
    value = step.extras['influence_inputs'] * step.action
    value += step.observation[0] - 2 * step.next_observation[1]
    if delay:
      value += 3 * following.action + following.observation[1]
      value += following.extras['influence_inputs'] * following.discount
    else:
      assert following is None
    return tree.map_structure(
      lambda e: np.asarray(value * (1 + np.asarray(e)), np.float32), step.reward
    )

  adder = InfluenceAdder(
    make_inner(kind, client, table),
    influence_fn,
    schedule,
    delay=delay,
    keep_parts=keep_parts,
    steps_fn=lambda: steps,
  )
  for episode in episodes:
    adder.add_first(dm_env.restart(episode.observations[0]))
    for t, action in enumerate(episode.actions):
      extras = dict(episode.extras[t] or {}, influence_inputs=episode.inputs[t])
      adder.add(action, episode.timestep(t, episode.rewards[t]), extras)
      steps += 1
    if episode.last_discount is GIVEN_UP:
      adder.reset()
  adder._writer.flush()


def oracle_influence(episode, t, delay):
  """Returns c_t as a factor of 1 + e_t, in float64."""
  last = len(episode.actions) - 1
  value = float(episode.inputs[t]) * episode.actions[t]
  value += episode.observations[t][0] - 2 * episode.observations[t + 1][1]
  if delay:
    if t == last:
      return 0.0
    ends = t + 1 == last and episode.last_discount is not GIVEN_UP
    discount = episode.last_discount if ends else 0.5
    value += 3 * episode.actions[t + 1] + episode.observations[t + 1][1]
    value += float(episode.inputs[t + 1]) * discount
  return value


def oracle_reward(extrinsic, factor, weight):
  """Returns the row's reward, extrinsic part and influence part."""
  leaves = [np.asarray(e) for e in tree.flatten(extrinsic)]
  influence = [factor * (1.0 + e) for e in leaves]
  rewards = [
    np.asarray(e + weight * c, e.dtype)
    for e, c in zip(leaves, influence, strict=True)
  ]
  return (
    tree.unflatten_as(extrinsic, rewards),
    tree.unflatten_as(extrinsic, [np.float32(e) for e in leaves]),
    tree.unflatten_as(extrinsic, [np.float32(c) for c in influence]),
  )


def play_oracle(client, table, kind, delay, keep_parts, episodes):
  """Gives the plain adder what the InfluenceAdder should give it."""
  inner = make_inner(kind, client, table)
  steps = 0
  for episode in episodes:
    inner.add_first(dm_env.restart(episode.observations[0]))
    for t, action in enumerate(episode.actions):
      factor = oracle_influence(episode, t, delay)
      weight = schedule(steps)
      steps += 1
      if episode.last_discount is GIVEN_UP and t + delay == len(
        episode.actions
      ):
        break  # It waited for a step that did not come.
      reward, extrinsic, influence = oracle_reward(
        episode.rewards[t], factor, weight
      )
      extras = dict(episode.extras[t] or {})
      if keep_parts:
        extras.update(extrinsic=extrinsic, influence=influence)
      inner.add(action, episode.timestep(t, reward), extras)
    if episode.last_discount is GIVEN_UP:
      # Acme's own reset fails in mid-episode; a new adder begins afresh.
      inner = make_inner(kind, client, table)
  inner._writer.flush()


def take_items(client, table):
  size = client.server_info(1)[table].current_size
  return [
    sample.data
    for sample in client.sample(table, size, emit_timesteps=False)
  ] if size else []  # fmt: skip


@pytest.fixture(scope='module')
def client():
  names = ('ours', 'oracle')
  server = reverb.Server([reverb.Table.queue(name, 1000) for name in names])
  yield reverb.Client(f'localhost:{server.port}')
  server.stop()


@hypothesis.settings(
  max_examples=150,
  deadline=None,
  suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)
@hypothesis.given(
  seed=st.integers(0, 2**32 - 1),
  kind=KINDS,
  delay=st.integers(0, 1),
  keep_parts=st.booleans(),
  shapes=EPISODES,
  reward=REWARDS,
  extras=st.sampled_from([None, (), 'x']),
)
def test_every_item_is_the_oracles(
  client, seed, kind, delay, keep_parts, shapes, reward, extras
):
  rng = np.random.default_rng(seed)
  episodes = [
    make_episode(rng, length, last_discount, reward, extras)
    for length, last_discount in shapes
  ]
  play(client, 'ours', kind, delay, keep_parts, episodes)
  play_oracle(client, 'oracle', kind, delay, keep_parts, episodes)
  actual = take_items(client, 'ours')
  expected = take_items(client, 'oracle')
  assert len(actual) == len(expected)
  for ours, oracles in zip(actual, expected, strict=True):
    assert [x.dtype for x in ours] == [x.dtype for x in oracles]
    for x, y in zip(ours, oracles, strict=True):
      np.testing.assert_allclose(x, y, rtol=1e-5, atol=1e-5)
