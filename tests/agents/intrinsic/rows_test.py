"""Which rows of a sample are steps, influence others, and teach the model."""

import functools

import dm_env
import hypothesis
import jax
import numpy as np
import pytest
import reverb
from acme import specs, types
from acme.adders import reverb as reverb_adders
from hypothesis import strategies
from oracles import sample_oracle

from influence_acme.agents import intrinsic
from influence_acme.agents.intrinsic import rows

CONFIG = intrinsic.MOAConfig(
  own_index=0, num_agents=3, num_actions=3, view_shape=(5, 5, 3)
)


def _read(data, **settings):
  config = intrinsic.MOAConfig(**{**vars(CONFIG), **settings})
  return rows.read(data, config, 'actions', 'visible')


def _batch(*sequences):
  return sample_oracle.stack(sequences)


def _episodes(seed, *lengths, ends=True, own_index=0):
  random = np.random.default_rng(seed)
  return [
    sample_oracle.random_episode(random, n, ends, own_index=own_index)
    for n in lengths
  ]


def _column(mask):
  return np.asarray(mask)[:, 0].astype(int).tolist()


@pytest.mark.parametrize('ends', [False, True])
def test_the_table_where_the_next_episode_follows(ends):
  _, data = sample_oracle.sequence(_episodes(0, 3, 2, ends=ends), 0, 0, 6)
  found = _read(_batch(data))
  assert _column(found.is_step) == [1, 1, 1, 0, 1, 0]
  assert _column(found.predicts) == [1, 1, 0, 0, 0, 0]
  assert _column(found.influences) == [1, 1, 0, 0, 1, 0]


@pytest.mark.parametrize('ends', [False, True])
def test_the_table_where_zeros_pad(ends):
  kinds, data = sample_oracle.sequence(_episodes(0, 3, ends=ends), 0, 0, 5)
  assert kinds == ['step'] * 3 + ['last', 'padding']
  found = _read(_batch(data))
  assert _column(found.is_step) == [1, 1, 1, 0, 0]
  assert _column(found.predicts) == [1, 1, 0, 0, 0]
  assert _column(found.influences) == [1, 1, 0, 0, 0]


def test_a_sequence_that_ends_with_the_last_observation():
  """The last step has no successor, though no flag and no padding says so."""
  _, data = sample_oracle.sequence(_episodes(0, 3, ends=False), 0, 0, 4)
  found = _read(_batch(data))
  assert _column(found.is_step) == [1, 1, 1, 0]
  assert _column(found.influences) == [1, 1, 0, 0]
  assert _column(found.predicts) == [1, 1, 0, 0]


def test_burn_in_rows_are_good_for_nothing():
  _, data = sample_oracle.sequence(_episodes(0, 9), 0, 0, 6)
  found = _read(_batch(data), burn_in_length=2)
  assert _column(found.is_step) == [0, 0, 1, 1, 1, 0]
  assert _column(found.influences) == [0, 0, 1, 1, 1, 0]
  assert _column(found.predicts) == [0, 0, 1, 1, 0, 0]


def test_everyones_actions_are_those_of_the_next_row():
  (episode,) = _episodes(1, 3, own_index=2)
  _, data = sample_oracle.sequence([episode], 2, 0, 4)
  found = _read(_batch(data, data), own_index=2)
  assert found.actions.shape == (4, 2, 3)
  np.testing.assert_array_equal(found.actions[:3, 1], episode.actions)
  np.testing.assert_array_equal(found.actions[3], -1)
  np.testing.assert_array_equal(found.own_actions[:3, 1], episode.actions[:, 2])
  np.testing.assert_array_equal(found.resets[:, 0], [1, 0, 0, 0])


@functools.lru_cache
def _compiled(burn_in_length):
  return jax.jit(functools.partial(_read, burn_in_length=burn_in_length))


@hypothesis.settings(max_examples=60, deadline=None)
@hypothesis.given(
  seed=strategies.integers(0, 1000),
  lengths=strategies.lists(strategies.integers(1, 6), min_size=2, max_size=5),
  first=strategies.integers(0, 6),
  pads=strategies.booleans(),
  ends=strategies.booleans(),
  burn_in_length=strategies.integers(0, 4),
)
def test_masks_are_those_of_the_oracle(
  seed, lengths, first, pads, ends, burn_in_length
):
  lengths = lengths[:1] if pads else [*lengths, 20]
  first = min(first, lengths[0] - 1)
  episodes = _episodes(seed, *lengths, ends=ends)
  kinds, data = sample_oracle.sequence(episodes, 0, first, 8)
  found = _compiled(burn_in_length)(_batch(data))
  expected = sample_oracle.masks(kinds, burn_in_length)
  for name, mask in expected._asdict().items():
    np.testing.assert_array_equal(getattr(found, name)[:, 0], mask, name)


def _written(end_behavior, lengths, ends, period=5, length=6):
  """Returns the sequences that Acme writes of episodes, [B, T, ...]."""
  episodes = _episodes(3, *lengths, ends=ends)
  observations = {
    'world': specs.Array((5, 5, 3), np.uint8),
    'actions': specs.Array((3,), np.int32),
    'visible': specs.Array((3,), bool),
  }
  scalar = specs.Array((), np.float32)
  action = specs.DiscreteArray(3, np.int32)
  signature = reverb_adders.SequenceAdder.signature(
    specs.EnvironmentSpec(observations, action, scalar, scalar),
    {'logits': specs.Array((3,), np.float32)},
    length,
  )
  name = reverb_adders.DEFAULT_PRIORITY_TABLE
  server = reverb.Server([reverb.Table.queue(name, 100, signature=signature)])
  client = reverb.Client(f'localhost:{server.port}')
  adder = reverb_adders.SequenceAdder(
    client, length, period, end_of_episode_behavior=end_behavior
  )
  for episode in episodes:
    written = [step for _, step in sample_oracle.rows_of(episode, 0)]
    adder.add_first(dm_env.restart(written[0].observation))
    for now, then in zip(written, written[1:], strict=False):
      timestep = dm_env.transition(now.reward, then.observation, now.discount)
      if then is written[-1]:
        timestep = timestep._replace(step_type=dm_env.StepType.LAST)
      adder.add(now.action, timestep, now.extras)
  adder._writer.flush()  # Items are on their way.
  num_items = client.server_info()[name].current_size
  dataset = reverb.TrajectoryDataset.from_table_signature(
    client.server_address, name, max_in_flight_samples_per_worker=1
  )
  iterator = dataset.as_numpy_iterator()
  items = [next(iterator).data for _ in range(num_items)]
  del adder, iterator
  server.stop()
  return episodes, [_as_step(item) for item in items]


def _as_step(data):
  return sample_oracle.Step(**data._asdict())


@pytest.mark.parametrize('ends', [False, True])
@pytest.mark.parametrize('end_behavior', ['CONTINUE', 'ZERO_PAD'])
def test_acme_writes_what_the_oracle_says(end_behavior, ends):
  behavior = reverb_adders.EndBehavior[end_behavior]
  episodes, items = _written(behavior, (8, 3, 13, 4), ends)
  if end_behavior == 'CONTINUE':
    expected = [
      sample_oracle.sequence(episodes, 0, first, 6)
      for first in range(0, 5 * len(items), 5)
    ]
  else:
    expected = [
      sample_oracle.sequence([episode], 0, first, 6)
      for episode in episodes
      for first in range(0, len(episode.actions), 5)
    ]
  assert len(items) == len(expected) >= 5
  for item, (kinds, step) in zip(items, expected, strict=True):
    leaves, layout = jax.tree_util.tree_flatten(step)
    found, same_layout = jax.tree_util.tree_flatten(item)
    assert layout == same_layout
    jax.tree_util.tree_map(np.testing.assert_array_equal, found, leaves)
    masks = _read(_batch(item))
    np.testing.assert_array_equal(
      masks.influences[:, 0], sample_oracle.masks(kinds, 0).influences
    )


def _transitions(goes_on):
  (episode,) = _episodes(5, 4, own_index=1)
  steps = [step for _, step in sample_oracle.rows_of(episode, 1)]
  data = [
    types.Transition(
      now.observation, now.action, now.reward, d, then.observation
    )
    for now, then, d in zip(
      steps[:-1], steps[1:], np.asarray(goes_on, np.float32), strict=True
    )
  ]
  return episode, sample_oracle.stack(data)


def test_a_transition_is_two_rows():
  episode, data = _transitions([1, 1, 0.5, 0])
  found = _read(data, own_index=1)
  np.testing.assert_array_equal(found.actions[0], episode.actions)
  np.testing.assert_array_equal(found.last_actions[1], episode.actions)
  np.testing.assert_array_equal(found.last_actions[0, 1:], episode.actions[:-1])
  np.testing.assert_array_equal(found.last_actions[0, 0], -1)
  np.testing.assert_array_equal(found.world[0], episode.world[:-1])
  np.testing.assert_array_equal(found.world[1], episode.world[1:])
  np.testing.assert_array_equal(found.own_actions[0], episode.actions[:, 1])
  assert found.is_step.tolist() == [[True] * 4, [False] * 4]
  for mask in (found.influences, found.predicts):
    assert mask.tolist() == [[True, True, True, False], [False] * 4]
  assert found.resets.all()


def test_what_does_not_fit_is_named():
  _, data = sample_oracle.sequence(_episodes(0, 9), 0, 0, 6)
  batch = _batch(data)
  with pytest.raises(ValueError, match="'world' .* must be \\(1, 6, 7, 7, 3"):
    _read(batch, view_shape=(7, 7, 3))
  with pytest.raises(ValueError, match="'actions' .* must be \\(1, 6, 4\\)"):
    _read(batch, num_agents=4)
  with pytest.raises(ValueError, match='burn_in_length is 5.* of the 6 rows'):
    _read(batch, burn_in_length=5)
  with pytest.raises(ValueError, match="lack 'others'"):
    rows.read(batch, CONFIG, 'others', 'visible')
  with pytest.raises(ValueError, match='rewards are of shape'):
    _read(batch._replace(reward=np.zeros((1, 6, 2), np.float32)))
  with pytest.raises(ValueError, match='sequences.*or transitions.*not dict'):
    _read({'observation': batch.observation})
