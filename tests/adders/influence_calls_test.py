"""What InfluenceAdder asks its function, and tells its inner adder, when."""

import copy
import pickle
from typing import Any

import acme
import chex
import dm_env
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from acme import adders, specs
from acme.utils import loggers

from influence_acme.adders import InfluenceAdder, InfluenceStep

REWARDS = [1.0, 2.0, 4.0]
both_delays = pytest.mark.parametrize('delay', [0, 1])


class Recorder(adders.Adder):
  """An inner adder that remembers its calls."""

  def __init__(self):
    self.calls: list[Any] = []
    self.steps: list[Any] = []

  def add_first(self, timestep):
    self.calls.append('first')

  def add(self, action, next_timestep, extras=()):
    self.calls.append(action)
    self.steps.append((action, next_timestep, extras))

  def reset(self):
    self.calls.append('reset')

  @property
  def rewards(self):
    return [next_timestep.reward for _, next_timestep, _ in self.steps]


def timestep(t):
  """What follows step t of an episode of three steps."""
  make = dm_env.termination if t == 2 else dm_env.transition
  return make(REWARDS[t], 11 + t)


def play(adder, stop=3, inputs=(0.5, 0.25, 0.125)):
  """Observations 10 to 13, actions 1 to 3."""
  adder.add_first(dm_env.restart(10))
  for t in range(stop):
    extras = {'logits': -t, 'influence_inputs': inputs[t]}
    adder.add(t + 1, timestep(t), extras)


def from_inputs(step, _):
  return step.extras['influence_inputs']


def product_of_actions(step, following):
  return step.action * following.action


@both_delays
def test_the_function_sees_the_step_and_the_following_one(delay):
  seen = []

  def fn(step, following):
    seen.append((step, following))
    return 0.0

  play(InfluenceAdder(Recorder(), fn, delay=delay))
  steps = [
    InfluenceStep(
      observation=10 + t,
      action=t + 1,
      reward=REWARDS[t],
      discount=0.0 if t == 2 else 1.0,
      next_observation=11 + t,
      extras={'logits': -t, 'influence_inputs': (0.5, 0.25, 0.125)[t]},
    )
    for t in range(3)
  ]
  if delay:
    assert seen == [(steps[0], steps[1]), (steps[1], steps[2])]
  else:
    assert seen == [(step, None) for step in steps]


@both_delays
def test_when_the_inner_adder_gets_a_step(delay):
  inner = Recorder()
  adder = InfluenceAdder(inner, lambda *_: 0.0, delay=delay)
  adder.add_first(dm_env.restart(10))
  counts = [len(inner.steps)]
  for t in range(3):
    adder.add(t + 1, timestep(t))
    counts.append(len(inner.steps))
  assert counts == ([0, 0, 1, 3] if delay else [0, 1, 2, 3])
  assert inner.calls == ['first', 1, 2, 3]


def test_reset_drops_the_step_held_back():
  inner = Recorder()
  adder = InfluenceAdder(inner, product_of_actions, delay=1)
  play(adder, stop=2)
  adder.reset()
  play(adder)
  assert inner.calls == ['first', 1, 'reset', 'first', 1, 2, 3]
  assert inner.rewards == [1 + 2, 1 + 2, 2 + 6, 4]


def test_with_no_delay_the_actor_can_mask_the_last_step():
  def fn(step, _):
    inputs = step.extras['influence_inputs']
    return inputs['influence'] * inputs['mask']

  inner = Recorder()
  inputs = [
    {'influence': 0.5, 'mask': not timestep(t).last()} for t in range(3)
  ]
  play(InfluenceAdder(inner, fn), inputs=inputs)
  assert inner.rewards == [1.5, 2.5, 4]


def test_the_last_step_may_have_influence_though_others_take_one_more():
  # c_2 = 5 at the end, and the products 1 * 2 and 2 * 3 before it.
  asked = []

  def last(step):
    asked.append(step.action)
    return 5.0

  inner = Recorder()
  adder = InfluenceAdder(
    inner, product_of_actions, delay=1, last_influence_fn=last
  )
  play(adder)
  assert inner.rewards == [1 + 2, 2 + 6, 4 + 5] and asked == [3]


def test_with_no_delay_there_is_no_other_function_for_the_last_step():
  with pytest.raises(ValueError, match='last_influence_fn is for a delay of 1'):
    InfluenceAdder(
      Recorder(), product_of_actions, last_influence_fn=lambda step: 0.0
    )


@both_delays
def test_what_the_extras_hold(delay):
  inner = Recorder()
  play(InfluenceAdder(inner, lambda *_: 3.0, 2.0, delay=delay))
  last = 0 if delay else 3
  assert [extras for _, _, extras in inner.steps] == [
    {'logits': -t, 'extrinsic': REWARDS[t], 'influence': (3, 3, last)[t]}
    for t in range(3)
  ]


@pytest.mark.parametrize('extras', [(), {}, [1, 2], {'a': (1,)}, None], ids=str)
def test_without_parts_extras_are_left_alone(extras):
  inner = Recorder()
  adder = InfluenceAdder(inner, lambda *_: 1.0, keep_parts=False)
  adder.add_first(dm_env.restart(0))
  adder.add(1, dm_env.termination(1.0, 1), extras)
  _, after, actual = inner.steps[0]
  assert after.reward == 2
  assert actual == extras


def test_without_parts_the_inputs_are_still_left_out():
  inner = Recorder()
  play(InfluenceAdder(inner, from_inputs, keep_parts=False))
  assert [extras for _, _, extras in inner.steps] == [
    {'logits': 0}, {'logits': -1}, {'logits': -2}
  ]  # fmt: skip
  assert inner.rewards == [1.5, 2.25, 4.125]


@both_delays
def test_the_callers_timestep_is_not_changed(delay):
  inner = Recorder()
  adder = InfluenceAdder(inner, lambda *_: np.array([1, 2]), delay=delay)
  rewards = [np.zeros(2, np.float32), np.zeros(2, np.float32)]
  steps = [dm_env.transition(rewards[0], 1), dm_env.termination(rewards[1], 2)]
  extras = {'influence_inputs': 1}
  adder.add_first(dm_env.restart(0))
  for step, reward in zip(steps, rewards, strict=True):
    adder.add(1, step, extras)
    assert step.reward is reward
  np.testing.assert_array_equal(rewards, np.zeros((2, 2)))
  np.testing.assert_array_equal(inner.rewards[0], [1, 2])
  assert extras == {'influence_inputs': 1}


@both_delays
def test_an_environment_may_reuse_its_arrays(delay):
  inner, seen = Recorder(), []

  def fn(step, _):
    seen.append((step.observation.item(), step.next_observation.item()))
    return np.zeros(())

  adder = InfluenceAdder(inner, fn, delay=delay)
  observation, reward = np.zeros(1), np.zeros(())
  adder.add_first(dm_env.restart(observation))
  for t in range(1, 4):
    observation[...] = t
    reward[...] = 10 * t
    make = dm_env.termination if t == 3 else dm_env.transition
    adder.add(t, make(reward, observation))
  assert seen == [(0, 1), (1, 2), (2, 3)][: 3 - delay]
  for t, (action, after, _) in enumerate(inner.steps, start=1):
    assert (action, after.reward, after.observation) == (t, 10 * t, t)


@both_delays
def test_the_weight_is_that_of_the_steps_own_time(delay):
  inner, steps = Recorder(), [0]
  adder = InfluenceAdder(
    inner,
    lambda *_: 1.0,
    lambda count: 0.25 * count,
    delay=delay,
    steps_fn=lambda: steps[0],
  )
  adder.add_first(dm_env.restart(10))
  for t in range(3):
    steps[0] = t
    adder.add(t + 1, timestep(t))
  assert inner.rewards == [1, 2.25, 4 if delay else 4.5]
  unweighted = [1, 1, 0 if delay else 1]
  assert [extras['influence'] for _, _, extras in inner.steps] == unweighted


def test_weight_zero_is_the_plain_reward():
  inner = Recorder()
  play(InfluenceAdder(inner, from_inputs, 0.0))
  assert inner.rewards == REWARDS


@pytest.mark.parametrize(
  'kwargs, message',
  [
    ({'influence_fn': 1.0}, 'influence_fn is 1.0: it must be a function'),
    ({'delay': 2}, 'delay is 2: .*from 0 to 1, in steps'),
    ({'delay': None}, 'delay is None: .*from 0 to 1, in steps'),
    ({'weight': np.nan}, 'weight must be a finite number.*got nan'),
    ({'weight': lambda steps: 1.0}, 'steps_fn must be given'),
  ],
)
def test_arguments_out_of_range(kwargs, message):
  with pytest.raises(ValueError, match=message):
    InfluenceAdder(Recorder(), **{'influence_fn': from_inputs, **kwargs})


@both_delays
@pytest.mark.parametrize(
  'influence, reward, extras, message',
  [
    (np.nan, 1.0, {}, 'finite'),
    (np.ones(5), 1.0, {}, 'shaped like the reward'),
    (1.0, 1, {}, 'floating-point'),
    (1.0, 1.0, [1], 'keep_parts'),
  ],
)
def test_nothing_is_written_of_a_step_that_does_not_fit(
  delay, influence, reward, extras, message
):
  inner = Recorder()
  adder = InfluenceAdder(inner, lambda *_: influence, delay=delay)
  adder.add_first(dm_env.restart(0))
  with pytest.raises(ValueError, match=message):
    for _ in range(1 + delay):
      adder.add(1, dm_env.transition(reward, 1), extras)
  assert inner.calls == ['first']


def test_two_influences_add_up():
  inner = Recorder()
  late = InfluenceAdder(
    inner, product_of_actions, 0.5, delay=1, keep_parts=False
  )
  play(InfluenceAdder(late, from_inputs, 2.0))
  # e + 2 * (.5, .25, .125) + .5 * (2, 6, 0)
  assert inner.rewards == [3.0, 5.5, 4.25]


def test_attributes_are_those_of_the_inner_adder():
  inner = Recorder()
  adder = InfluenceAdder(inner, from_inputs)
  assert adder.calls is inner.calls
  assert copy.copy(adder).calls is inner.calls
  with pytest.raises(AttributeError, match='no_such_name'):
    _ = adder.no_such_name
  blank = InfluenceAdder.__new__(InfluenceAdder)
  assert vars(pickle.loads(pickle.dumps(blank))) == {}


@both_delays
def test_a_jitted_function_is_compiled_once(delay):
  chex.clear_trace_counter()  # It counts by name, over parameters too.

  @jax.jit
  @chex.assert_max_traces(n=1)
  def fn(step, following):
    action = (following or step).action
    return jnp.float32(action) * step.extras['influence_inputs']

  inner = Recorder()
  adder = InfluenceAdder(inner, fn, delay=delay)
  for _ in range(2):
    play(adder)
  expected = [2.0, 2.75, 4.0] if delay else [1.5, 2.5, 4.375]
  assert inner.rewards == expected * 2


class Environment(dm_env.Environment):
  """Episodes of three steps."""

  def reset(self):
    self._t = -1
    return dm_env.restart(10)

  def step(self, action):
    self._t += 1
    return timestep(self._t)

  def observation_spec(self):
    return specs.Array((), int)

  def action_spec(self):
    return specs.Array((), int)


class Actor(acme.Actor):
  """Acts 0 and hands all to its adder."""

  def __init__(self, adder):
    self._adder = adder

  def select_action(self, observation):
    return 0

  def observe_first(self, timestep):
    self._adder.add_first(timestep)

  def observe(self, action, next_timestep):
    self._adder.add(action, next_timestep)

  def update(self, wait=False):
    pass


def test_acmes_loop_logs_the_extrinsic_return():
  inner = Recorder()
  actor = Actor(InfluenceAdder(inner, lambda *_: 10.0))
  logger = loggers.InMemoryLogger()
  loop = acme.EnvironmentLoop(Environment(), actor, logger=logger)
  loop.run(num_episodes=2)
  assert [data['episode_return'] for data in logger.data] == [7.0, 7.0]
  assert inner.rewards == [11, 12, 14] * 2
