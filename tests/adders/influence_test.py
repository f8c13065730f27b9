"""InfluenceAdder on a real Reverb server, against rows known by hand.

The script: observations 10, 11, 12, 13; actions 1, 2, 3; extrinsic rewards
1, 2, 4; then death (discount 0) or a time limit (1).

  delay 0: influence .5, .25, .125 from the actor's inputs, weight 2:
           rewards 1 + 1, 2 + .5, 4 + .25
  delay 1: influence a_t * a_{t+1} = 2, 6 and none for the last, weight .5:
           rewards 1 + 1, 2 + 3, 4
"""

from typing import NamedTuple

import dm_env
import numpy as np
import pytest
from acme import specs
from acme.adders import reverb as adders
from acme.adders import wrappers

from influence_acme.adders import InfluenceAdder
from influence_acme.multiagent import observers

EndBehavior = adders.EndBehavior
EXTRINSIC = [1.0, 2.0, 4.0]
INPUTS = [0.5, 0.25, 0.125]
SCALAR = specs.Array((), np.float32)


def from_inputs(step, following):
  assert following is None
  return step.extras['influence_inputs']


def product_of_actions(step, following):
  return np.float32(step.action * following.action)


class Known(NamedTuple):
  """How a delay is used, and what the rows of the script then hold."""

  delay: int
  weight: float
  influence: list
  reward: list

  def influence_fn(self, step, following):
    fn = product_of_actions if self.delay else from_inputs
    return fn(step, following)

  def wrap(self, adder):
    return InfluenceAdder(
      adder, self.influence_fn, self.weight, delay=self.delay
    )


NOW = Known(0, 2.0, [0.5, 0.25, 0.125], [2.0, 2.5, 4.25])
LATE = Known(1, 0.5, [2.0, 6.0, 0.0], [2.0, 5.0, 4.0])
both_delays = pytest.mark.parametrize('known', [NOW, LATE], ids=['now', 'late'])


def play(
  adder, *, start=10, stop=3, discount=0.0, rewards=EXTRINSIC, extras=None
):
  """Plays the script, or its first `stop` steps."""
  one = np.float32(1)
  adder.add_first(dm_env.restart(np.float32(start)))
  for t in range(stop):
    observation = np.float32(start + t + 1)
    after = dm_env.transition(rewards[t], observation, one)
    if t == 2:
      after = dm_env.truncation(rewards[t], observation, np.float32(discount))
    if isinstance(after.reward, float):
      after = after._replace(reward=np.float32(after.reward))
    inputs = {'influence_inputs': np.float32(INPUTS[t])}
    adder.add(np.int32(t + 1), after, {**(extras or {}), **inputs})


def environment_spec(reward):
  return specs.EnvironmentSpec(
    observations=SCALAR,
    actions=specs.Array((), np.int32),
    rewards=reward,
    discounts=SCALAR,
  )


@pytest.fixture
def make_sequences(make_replay):
  """Returns a function that starts a server for sequences of 3 rows."""

  def make(extras=(), reward=SCALAR):
    extras_spec = InfluenceAdder.extras_spec(extras, reward)
    return make_replay(
      adders.SequenceAdder.signature(environment_spec(reward), extras_spec)
    )

  return make


@pytest.fixture
def transitions(make_replay):
  """A server for transitions."""
  return make_replay(
    adders.NStepTransitionAdder.signature(
      environment_spec(SCALAR), InfluenceAdder.extras_spec(())
    )
  )


def sequence_adder(client, end_behavior=EndBehavior.ZERO_PAD, period=2):
  return adders.SequenceAdder(
    client, 3, period, end_of_episode_behavior=end_behavior
  )


def check_rows(items, known, expected, discount=0.0):
  """Compares items with rows: 0 to 2 are steps, 3 is the LAST observation.

  Args:
    items: from the server.
    known: what rows 0 to 2 hold.
    expected: a list of rows for each item; None is padding, and 4 to 7 are the
      rows of a second episode, whose observations begin at 20.
    discount: after the last step.
  """
  columns = {
    'action': [1, 2, 3, 0],
    'reward': [*known.reward, 0],
    'discount': [1, 1, discount, 0],
    'start_of_episode': [True, False, False, False],
    'extrinsic': [*EXTRINSIC, 0],
    'influence': [*known.influence, 0],
  }
  columns = {name: [*column, *column] for name, column in columns.items()}
  columns['observation'] = [10, 11, 12, 13, 20, 21, 22, 23]
  assert len(items) == len(expected)
  for item, rows in zip(items, expected, strict=True):
    actual = dict(item._asdict(), **item.extras)
    for name, column in columns.items():
      np.testing.assert_array_equal(
        actual[name],
        [0 if row is None else column[row] for row in rows],
        err_msg=name,
      )


@both_delays
@pytest.mark.parametrize(
  'end_behavior, expected',
  [
    (EndBehavior.WRITE, [[0, 1, 2], [1, 2, 3], [4, 5, 6], [5, 6, 7]]),
    (EndBehavior.ZERO_PAD, [[0, 1, 2], [2, 3, None], [4, 5, 6], [6, 7, None]]),
    (EndBehavior.TRUNCATE, [[0, 1, 2], [2, 3], [4, 5, 6], [6, 7]]),
    (EndBehavior.CONTINUE, [[0, 1, 2], [2, 3, 4], [4, 5, 6]]),
  ],
)
def test_sequences(make_sequences, known, end_behavior, expected):
  replay = make_sequences()
  adder = known.wrap(sequence_adder(replay.client, end_behavior))
  play(adder)
  play(adder, start=20)
  adder._writer.flush()
  check_rows(replay.items(), known, expected)


@both_delays
@pytest.mark.parametrize('discount', [0.0, 1.0], ids=['death', 'time limit'])
def test_overlapping_sequences(make_sequences, known, discount):
  replay = make_sequences()
  adder = known.wrap(sequence_adder(replay.client, period=1))
  play(adder, discount=discount)
  check_rows(replay.items(), known, [[0, 1, 2], [1, 2, 3]], discount)


@both_delays
def test_episodes(make_sequences, known):
  replay = make_sequences()
  inner = adders.EpisodeAdder(replay.client, 5, padding_fn=np.zeros)
  play(known.wrap(inner))
  check_rows(replay.items(), known, [[0, 1, 2, 3, None]])


@pytest.mark.parametrize(
  'known, rewards',
  [
    # r_0; r_0 + .5 r_1; r_1 + .5 r_2; r_2
    (NOW, [2.0, 3.25, 4.625, 4.25]),
    (LATE, [2.0, 4.5, 7.0, 4.0]),
  ],
)
def test_n_step_transitions(transitions, known, rewards):
  inner = adders.NStepTransitionAdder(transitions.client, 2, 0.5)
  play(known.wrap(inner))
  items = transitions.items()
  assert [item.observation for item in items] == [10, 10, 11, 12]
  assert [item.next_observation for item in items] == [11, 12, 13, 13]
  assert [item.reward for item in items] == rewards
  assert [item.discount for item in items] == [1, 0.5, 0, 0]
  for first, item in zip([0, 0, 1, 2], items, strict=True):
    assert item.extras['extrinsic'] == EXTRINSIC[first]
    assert item.extras['influence'] == known.influence[first]


@both_delays
def test_an_episode_of_one_step(make_sequences, known):
  replay = make_sequences()
  adder = known.wrap(sequence_adder(replay.client))
  adder.add_first(dm_env.restart(np.float32(10)))
  after = dm_env.truncation(np.float32(1), np.float32(11), np.float32(0))
  adder.add(np.int32(1), after, {'influence_inputs': np.float32(0.5)})
  (item,) = replay.items()
  reward = 1.0 if known is LATE else 2.0
  np.testing.assert_array_equal(item.reward, [reward, 0, 0])


@pytest.mark.parametrize('delay', [0, 1])
@pytest.mark.parametrize('extras', [None, (), {}], ids=str)
def test_no_extras(make_sequences, delay, extras):
  replay = make_sequences(extras)
  adder = InfluenceAdder(
    sequence_adder(replay.client), lambda *_: np.float32(3), 2.0, delay=delay
  )
  one = np.float32(1)
  adder.add_first(dm_env.restart(np.float32(10)))
  adder.add(np.int32(1), dm_env.transition(one, np.float32(11), one), extras)
  adder.add(np.int32(1), dm_env.truncation(one, np.float32(12), one), extras)
  (item,) = replay.items()
  assert set(item.extras) == {'extrinsic', 'influence'}
  last = 0 if delay else 3
  np.testing.assert_array_equal(item.reward, [7, 1 + 2 * last, 0])
  np.testing.assert_array_equal(item.extras['extrinsic'], [1, 1, 0])
  np.testing.assert_array_equal(item.extras['influence'], [3, last, 0])


@both_delays
def test_nested_extras(make_sequences, known):
  replay = make_sequences({'core': {'hidden': specs.Array((2,), np.float32)}})
  adder = known.wrap(sequence_adder(replay.client))
  play(adder, extras={'core': {'hidden': np.ones(2, np.float32)}})
  items = replay.items()
  check_rows(items, known, [[0, 1, 2], [2, 3, None]])
  np.testing.assert_array_equal(
    items[1].extras['core']['hidden'], [[1, 1], [0, 0], [0, 0]]
  )


@both_delays
@pytest.mark.parametrize('dtype', [np.float32, np.float64])
def test_stacked_agents_do_not_mix(make_sequences, known, dtype):
  replay = make_sequences(reward=specs.Array((3,), dtype))
  sign = np.array([1, -1, 0], np.float32)
  adder = InfluenceAdder(
    sequence_adder(replay.client),
    lambda *steps: known.influence_fn(*steps) * sign,
    known.weight,
    delay=known.delay,
  )
  play(adder, rewards=[np.full(3, e, dtype) for e in EXTRINSIC])
  item = replay.items()[0]
  gain = np.subtract(known.reward, EXTRINSIC)
  rewards = [[e + g, e - g, e] for e, g in zip(EXTRINSIC, gain, strict=True)]
  np.testing.assert_array_equal(item.reward, rewards)
  np.testing.assert_array_equal(
    item.extras['influence'], np.outer(known.influence, sign)
  )


@both_delays
def test_reward_streams_in_a_dict(make_sequences, known):
  replay = make_sequences(reward={'act': SCALAR, 'speak': SCALAR})
  adder = InfluenceAdder(
    sequence_adder(replay.client),
    lambda *steps: {'act': 0.0, 'speak': known.influence_fn(*steps)},
    known.weight,
    delay=known.delay,
  )
  streams = [{'act': -np.float32(e), 'speak': np.float32(e)} for e in EXTRINSIC]
  play(adder, rewards=streams)
  item = replay.items()[0]
  np.testing.assert_array_equal(item.reward['act'], [-1, -2, -4])
  np.testing.assert_array_equal(item.reward['speak'], known.reward)
  np.testing.assert_array_equal(item.extras['extrinsic']['speak'], EXTRINSIC)
  np.testing.assert_array_equal(
    item.extras['influence']['speak'], known.influence
  )


@both_delays
@pytest.mark.parametrize('stop', [0, 1, 2])
@pytest.mark.parametrize(
  'end_behavior, expected',
  [
    (EndBehavior.WRITE, [[0, 1, 2], [1, 2, 3]]),
    (EndBehavior.ZERO_PAD, [[0, 1, 2], [2, 3, None]]),
    (EndBehavior.TRUNCATE, [[0, 1, 2], [2, 3]]),
    (EndBehavior.CONTINUE, [[0, 1, 2]]),
  ],
)
def test_reset_in_mid_episode(
  make_sequences, known, stop, end_behavior, expected
):
  replay = make_sequences()
  adder = known.wrap(sequence_adder(replay.client, end_behavior))
  for _ in range(2):
    play(adder, start=30, stop=stop)
    adder.reset()
    replay.items()  # Those that were full before the reset.
    play(adder)
    adder._writer.flush()
    check_rows(replay.items(), known, expected)


@both_delays
@pytest.mark.parametrize('stop', [0, 1, 2])
def test_reset_reaches_a_table_behind_an_observer(make_sequences, known, stop):
  replay = make_sequences()
  table = sequence_adder(replay.client, EndBehavior.TRUNCATE)
  adder = known.wrap(observers.InfluenceObserver().watch(table))
  play(adder, start=30, stop=stop)
  adder.reset()
  replay.items()
  play(adder)
  adder._writer.flush()
  check_rows(replay.items(), known, [[0, 1, 2], [2, 3]])


@both_delays
def test_reset_between_episodes_lets_sequences_continue(make_sequences, known):
  replay = make_sequences()
  adder = known.wrap(sequence_adder(replay.client, EndBehavior.CONTINUE))
  for start in (10, 20):
    adder.reset()
    play(adder, start=start)
  adder._writer.flush()
  check_rows(replay.items(), known, [[0, 1, 2], [2, 3, 4], [4, 5, 6]])


@pytest.mark.parametrize(
  'known, kept',
  [(NOW, [2.0, 3.25]), (LATE, [2.0])],  # The second step was held back.
)
def test_reset_keeps_what_was_written(transitions, known, kept):
  adder = known.wrap(adders.NStepTransitionAdder(transitions.client, 2, 0.5))
  play(adder, stop=2)
  adder.reset()
  assert [item.reward for item in transitions.items()] == kept
  play(adder)
  assert len(transitions.items()) == 4


def test_reset_passes_a_timeout_on(make_replay):
  client = make_replay().client
  adder = NOW.wrap(adders.EpisodeAdder(client, 4))
  play(adder, stop=1)
  adder.reset(timeout_ms=1000)
  play(adder)
  adder = NOW.wrap(sequence_adder(client))
  with pytest.raises(TypeError, match='timeout_ms'):
    adder.reset(timeout_ms=1000)


@pytest.mark.parametrize('delay', [0, 1])
def test_calls_in_the_wrong_order(make_replay, delay):
  replay = make_replay()
  inner = adders.NStepTransitionAdder(replay.client, 1, 1.0)
  adder = InfluenceAdder(inner, lambda *_: 1.0, delay=delay)
  with pytest.raises(ValueError, match=r'call add_first\(\)'):
    adder.add(0, dm_env.transition(1.0, 1))
  adder.add_first(dm_env.restart(0))
  with pytest.raises(ValueError, match=r'call reset\(\)'):
    adder.add_first(dm_env.restart(0))
  adder.add(0, dm_env.transition(1.0, 1))
  with pytest.raises(ValueError, match=r'call reset\(\)'):
    adder.add_first(dm_env.restart(0))
  adder.add(0, dm_env.termination(1.0, 2))
  with pytest.raises(ValueError, match=r'call add_first\(\)'):
    adder.add(0, dm_env.transition(1.0, 1))
  assert len(replay.items()) == 2  # The refused calls left no trace.


def test_a_first_timestep_that_the_inner_adder_refuses(make_replay):
  adder = NOW.wrap(sequence_adder(make_replay().client))
  with pytest.raises(ValueError, match='first'):
    adder.add_first(dm_env.transition(1.0, 1))
  with pytest.raises(ValueError, match=r'call add_first\(\)'):
    adder.add(0, dm_env.transition(1.0, 1))


def test_around_acmes_own_wrappers(transitions, make_sequences):
  sequences = make_sequences()
  inner = [
    adders.NStepTransitionAdder(transitions.client, 1, 1.0),
    sequence_adder(sequences.client),
  ]
  play(LATE.wrap(wrappers.ForkingAdder(inner)))
  assert [item.reward for item in transitions.items()] == LATE.reward
  check_rows(sequences.items(), LATE, [[0, 1, 2], [2, 3, None]])


def test_priorities_see_the_changed_reward(transitions):
  seen = []

  def priority(transition):
    seen.append(float(transition.reward))
    return 1.0

  inner = adders.NStepTransitionAdder(
    transitions.client, 1, 1.0, priority_fns={'priority_table': priority}
  )
  adder = NOW.wrap(inner)
  play(adder)
  assert seen == NOW.reward
  with pytest.raises(ValueError, match='already exists'):
    adder.add_priority_table('priority_table', priority)  # The inner adder's.
