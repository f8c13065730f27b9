"""Each step is compared with the specs; errors name agent and step."""

import time
from typing import Any

import dm_env
import jax.numpy as jnp
import numpy as np
import pytest
from dm_env import specs

from influence_acme import wrappers
from influence_acme.testing import fakes
from influence_acme.wrappers import timesteps

WORLD = np.zeros((5, 5, 3), np.uint8)


class Flawed(fakes.FakeMultiAgentEnvironment):
  """Returns a changed time step after the second action of an episode."""

  def __init__(self, change):
    super().__init__(num_agents=3)
    self._change = change

  def observation_spec(self):
    own = {
      'world': specs.BoundedArray((5, 5, 3), np.uint8, 0, 255, name='world'),
      'food': specs.BoundedArray((2,), np.float32, 0, 1, name='food'),
    }
    return dict.fromkeys(self.agent_ids, own)

  def _observation(self, time):
    return {
      agent_id: {**own, 'food': np.ones(2, np.float32)}
      for agent_id, own in super()._observation(time).items()
    }

  def step(self, action):
    timestep = super().step(action)
    return self._change(timestep) if self._time == 2 else timestep


def observe(**entries):
  """Changes entries of agent_1's observation."""

  def change(timestep):
    observation = dict(timestep.observation)
    observation['agent_1'] = {**observation['agent_1'], **entries}
    return timestep._replace(observation=observation)

  return change


def pay(reward):
  return lambda t: t._replace(reward={**t.reward, 'agent_1': reward})


def of_agents(name, ids):
  return lambda t: t._replace(
    **{name: {a: getattr(t, name)['agent_0'] for a in ids}}
  )


AGENT = "^Agent 'agent_1' at step 2 of the episode: "
CASES = [
  (observe(world=WORLD.astype(np.float32)), AGENT + "'world' is of float32"),
  (observe(world=WORLD.astype(np.int64)), AGENT + "'world' is of int64"),
  (observe(world=WORLD.tolist()), AGENT + "'world' is of int64"),
  (observe(world=None), AGENT + "'world' is of object"),
  (observe(world=WORLD[:4]), AGENT + r"'world' is of shape \(4, 5, 3\)"),
  (
    observe(food=np.array([0.5, np.nan], np.float32)),
    AGENT + "'food' holds nan",
  ),
  (
    observe(food=np.array([np.inf, 0.5], np.float32)),
    AGENT + "'food' holds inf",
  ),
  (
    observe(food=np.array([0.5, 1.5], np.float32)),
    AGENT + "'food' holds 1.5.*0.0 to 1",
  ),
  (
    observe(food=np.array([-1, 0.5], np.float32)),
    AGENT + "'food' holds -1.0.*0.0 to 1",
  ),
  (observe(extra=WORLD), AGENT + 'observation is .*extra.* a dict of'),
  (pay(None), AGENT + 'reward is None'),
  (pay(np.nan), AGENT + 'reward holds nan'),
  (pay(1e39), AGENT + 'reward holds 1e.39'),
  (pay('1'), AGENT + "reward is '1'"),
  (pay(np.zeros((), [('x', 'f4')])), AGENT + 'reward is .*real numbers'),
  (pay(1j), AGENT + 'reward is 1j'),
  (pay(np.ones(1)), AGENT + r'reward is of shape \(1,\)'),
  (
    of_agents('reward', ('agent_0', 'agent_2')),
    r"^reward at step 2 of the episode is .*missing are \['agent_1'\]",
  ),
  (
    of_agents('observation', ('agent_0', 'agent_2')),
    r"^observation at step 2 .*missing are \['agent_1'\]",
  ),
  (
    of_agents('observation', [f'agent_{i}' for i in range(4)]),
    r"^observation at step 2 .*not among them \['agent_3'\]",
  ),
  (lambda t: t._replace(reward=None), '^reward at step 2 .* is None'),
  (
    lambda t: t._replace(discount=None),
    "'all agents' at step 2.*discount is N",
  ),
  (
    lambda t: t._replace(discount=2.0),
    "'all agents' at step 2.*discount holds",
  ),
  (
    lambda t: t._replace(discount=dict.fromkeys(t.reward, 1.0)),
    "'all agents' at step 2.*discount is {",
  ),
]


@pytest.mark.parametrize(('change', 'message'), CASES)
@pytest.mark.parametrize('view', ['others', 'message', 'single'])
def test_a_wrong_step_is_named(change, message, view):
  environment: Any = Flawed(change)
  action: Any
  if view == 'single':
    bots = dict.fromkeys(('agent_1', 'agent_2'), lambda _: 0)
    environment = wrappers.SingleAgentView(environment, 'agent_0', bots)
    action = 0
  else:
    environment = wrappers.OthersActionsWrapper(environment)
    action = dict.fromkeys(environment.agent_ids, 0)
  if view == 'message':
    environment = wrappers.MessageChannelWrapper(environment, 2)
    action = {k: {'action': 0, 'message': 1} for k in environment.agent_ids}
  environment.reset()
  environment.step(action)
  with pytest.raises(ValueError, match=message):
    environment.step(action)


@pytest.mark.parametrize(
  'reward',
  [2, 2.0, np.int64(2), np.float64(2), True, jnp.bfloat16(2)],
)
def test_rewards_may_be_of_any_real_dtype(reward):
  environment = wrappers.OthersActionsWrapper(Flawed(pay(reward)))
  environment.reset()
  for _ in range(2):
    timestep = environment.step(dict.fromkeys(environment.agent_ids, 0))
  assert timestep.reward['agent_1'] == reward


def test_a_reward_of_bfloat16_must_be_finite():
  environment = wrappers.OthersActionsWrapper(Flawed(pay(jnp.bfloat16(np.inf))))
  environment.reset()
  environment.step(dict.fromkeys(environment.agent_ids, 0))
  with pytest.raises(ValueError, match=AGENT + 'reward holds inf'):
    environment.step(dict.fromkeys(environment.agent_ids, 0))


def test_the_first_step_is_checked_too():
  class Blank(fakes.FakeMultiAgentEnvironment):
    def reset(self):
      return dm_env.restart({'agent_0': {'world': WORLD}})

  environment = wrappers.OthersActionsWrapper(Blank())
  with pytest.raises(ValueError, match=r"step 0 .*missing are \['agent_1'\]"):
    environment.reset()


def seconds(check, timestep):
  """Returns how long 100 checks take at best."""
  found = []
  for _ in range(7):
    start = time.perf_counter()
    for _ in range(100):
      check(timestep)
    found.append(time.perf_counter() - start)
  return min(found)


def test_a_step_costs_little():
  # Rewards that are integers take the closer look: about six times as long.
  environment = Flawed(lambda t: t)
  environment.reset()
  usual = environment.step(dict.fromkeys(environment.agent_ids, 0))
  unusual = usual._replace(reward=dict.fromkeys(environment.agent_ids, 1))
  check = timesteps.TimestepCheck(environment)
  assert seconds(check, usual) < seconds(check, unusual) / 2
  assert seconds(check, usual) / 100 < 1 / 2_000


def test_steps_come_in_the_agents_order():
  environment = Flawed(lambda t: t)
  environment.reset()
  timestep = environment.step(dict.fromkeys(environment.agent_ids, 0))
  check = timesteps.TimestepCheck(environment)
  assert check(timestep) is timestep
  for name in 'observation', 'reward':
    turned = dict(reversed(getattr(timestep, name).items()))
    checked = check(timestep._replace(**{name: turned}))
    assert tuple(getattr(checked, name)) == environment.agent_ids


FLOATS = specs.Array((2,), np.float32)
HALVES = specs.Array((2,), np.float16)
DOUBLES = specs.BoundedArray((2,), np.float64, -1e300, 1e300)
SHARES = specs.BoundedArray((2,), np.float32, 0.1, [0.5, np.inf])
COUNTS = specs.BoundedArray((2,), np.int8, -3, 5)


class Seeing(fakes.FakeMultiAgentEnvironment):
  """Has agents that observe something of a spec."""

  def __init__(self, spec):
    super().__init__()
    self._spec = spec

  def observation_spec(self):
    return dict.fromkeys(self.agent_ids, self._spec)

  def seen(self, value):
    of_all = dict.fromkeys(self.agent_ids, value)
    return dm_env.transition(dict.fromkeys(self.agent_ids, 1.0), of_all, 1.0)


@pytest.mark.parametrize(
  ('spec', 'values', 'is_valid'),
  [
    (FLOATS, [-3.402e38, 3.402e38], True),
    (FLOATS, [0, np.inf], False),
    (FLOATS, [np.nan, 0], False),
    (HALVES, [-65504, 65504], True),
    (HALVES, [0, -np.inf], False),
    (DOUBLES, [-1, 1e38], True),
    (DOUBLES, [-1, 1e39], False),  # Not finite as float32.
    (SHARES, [0.5, 7], True),
    (SHARES, [0.75, 7], False),
    (COUNTS, [-3, 5], True),
    (COUNTS, [-4, 5], False),
    (specs.BoundedArray((2,), np.int64, 0, 2**53), [0, 2**53], True),
    (specs.BoundedArray((2,), np.int64, 0, 2**53), [0, 2**53 + 1], False),
    (specs.Array((2,), np.int64), [-(2**63), 2**63 - 1], True),
    (specs.Array((0,), np.float32), [], True),
    (specs.BoundedArray((2,), bool, False, True), [True, False], True),
  ],
)
def test_values_at_the_bounds(spec, values, is_valid):
  environment = Seeing({'seen': spec})
  timestep = environment.seen({'seen': np.array(values, spec.dtype)})
  check = timesteps.TimestepCheck(environment)
  if is_valid:
    assert check(timestep).observation == timestep.observation
  else:
    with pytest.raises(ValueError, match=r"^Agent 'agent_0' at step 1.*'seen'"):
      check(timestep)


TEXT = specs.StringArray((2,))


@pytest.mark.parametrize(
  ('spec', 'value'),
  [
    ((FLOATS, FLOATS), (np.zeros(2), 'anything')),
    ({'own': (FLOATS,)}, {'own': (np.zeros(2),)}),
    ({'own': None}, {'own': object()}),
    ({'said': TEXT}, {'said': np.array(['a', 'b'], object)}),
    ({'said': TEXT}, {'said': ['a', 'b']}),
  ],
)
def test_what_has_no_numbers_is_not_compared(spec, value):
  environment = Seeing(spec)
  timesteps.TimestepCheck(environment)(environment.seen(value))


def test_text_has_a_shape():
  environment = Seeing({'said': TEXT})
  check = timesteps.TimestepCheck(environment)
  with pytest.raises(ValueError, match=r"'said' is of shape \(3,\), .*\(2,\)"):
    check(environment.seen({'said': ['a', 'b', 'c']}))


def test_a_reward_s_spec_may_be_no_array():
  class Paying(Seeing):
    def reward_spec(self):
      return dict.fromkeys(self.agent_ids, None)

  environment = Paying({'seen': FLOATS})
  timestep = environment.seen({'seen': np.zeros(2, np.float32)})
  check = timesteps.TimestepCheck(environment)
  assert check(timestep).reward == timestep.reward
  paid = timestep._replace(reward={**timestep.reward, 'agent_1': np.nan})
  with pytest.raises(ValueError, match="'agent_1' at step 2.*reward holds nan"):
    check(paid)
