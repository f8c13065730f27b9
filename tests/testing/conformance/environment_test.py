import dm_env
import numpy as np
import pytest
from dm_env import specs

from influence_acme import environments, wrappers
from influence_acme.testing import conformance, fakes


class _Fake(fakes.FakeMultiAgentEnvironment):
  """Eleven agents, so that the sorted names are in another order."""

  def __init__(self, **kwargs):
    super().__init__(num_agents=11, **kwargs)


class _Changed(wrappers.base.EnvironmentWrapper):
  """Changes what a good environment shows."""

  def __init__(self):
    super().__init__(
      wrappers.OthersActionsWrapper(environments.make('matrix', num_agents=11))
    )

  def reset(self):
    return self.changed(super().reset())

  def step(self, action):
    return self.changed(super().step(action))

  def changed(self, timestep):
    return timestep

  def each(self, timestep, fn):
    """Changes every agent's observation by a function of (index, own)."""
    return timestep._replace(
      observation={
        agent_id: {**own, **fn(i, own)}
        for i, (agent_id, own) in enumerate(timestep.observation.items())
      }
    )


class ListOfIds(_Fake):
  def __init__(self):
    super().__init__()
    self.agent_ids = list(self.agent_ids)  # type: ignore[assignment]


class SortedSpec(_Fake):
  def reward_spec(self):
    return dict(sorted(super().reward_spec().items()))


class ContinuousActions(_Fake):
  def action_spec(self):
    return dict.fromkeys(self.agent_ids, specs.BoundedArray((), float, 0, 1))


class NoWorld(_Fake):
  def observation_spec(self):
    return {
      k: {'sky': v['world']} for k, v in super().observation_spec().items()
    }


class FloatWorld(_Fake):
  def observation_spec(self):
    spec = specs.Array((5, 5, 3), np.float32)
    return {agent_id: {'world': spec} for agent_id in self.agent_ids}


class ByteVector(_Fake):
  def observation_spec(self):
    spec = specs.Array((5,), np.uint8)
    return {agent_id: {'world': spec} for agent_id in self.agent_ids}


class NaNInAVector(_Changed):
  def observation_spec(self):
    spec = specs.BoundedArray((2,), np.float32, -1, 1)
    return {
      agent_id: {**own, 'world': spec}
      for agent_id, own in super().observation_spec().items()
    }

  def changed(self, timestep):
    vector = np.array([0.5, np.nan], np.float32)
    return self.each(timestep, lambda i, own: {'world': vector})


class NaNReward(_Changed):
  def changed(self, timestep):
    if timestep.reward:
      timestep.reward['agent_3'] = np.float32(np.nan)
    return timestep


class DiscountPerAgent(_Fake):
  def discount_spec(self):
    return dict.fromkeys(self.agent_ids, super().discount_spec())


class RewardOnFirst(_Changed):
  def changed(self, timestep):
    zeros = dict.fromkeys(self.agent_ids, np.float32(0))
    return timestep._replace(reward=timestep.reward or zeros)


class DiscountOnFirst(_Changed):
  def changed(self, timestep):
    return timestep._replace(discount=np.float32(1))


class MissingReward(_Changed):
  def changed(self, timestep):
    if timestep.reward:
      del timestep.reward['agent_3']
    return timestep


class IntegerReward(_Changed):
  def changed(self, timestep):
    if timestep.reward:
      timestep.reward['agent_3'] = 1
    return timestep


class DiscountOutOfRange(_Changed):
  def changed(self, timestep):
    later = not timestep.first()
    return timestep._replace(discount=np.float32(1.5) if later else None)


class MissingObservation(_Changed):
  def changed(self, timestep):
    del timestep.observation['agent_3']
    return timestep


class UnknownEntry(_Changed):
  def changed(self, timestep):
    return self.each(timestep, lambda i, own: {'more': 0})


class WrongShape(_Changed):
  def changed(self, timestep):
    return self.each(timestep, lambda i, own: {'world': own['world'][1:]})


class SortedActions(_Changed):
  def changed(self, timestep):
    order = np.argsort(self.agent_ids)
    return self.each(
      timestep, lambda i, own: {'actions': own['actions'][order]}
    )


class LateActions(_Changed):
  late = np.full(11, -1, np.int32)

  def changed(self, timestep):
    shown, self.late = self.late, timestep.observation['agent_0']['actions']
    return self.each(timestep, lambda i, own: {'actions': shown})


class SeesItself(_Changed):
  def changed(self, timestep):
    return self.each(timestep, lambda i, own: {'visible': np.ones(11, bool)})


class SeesOthersThanItSays(_Changed):
  def changed(self, timestep):
    return self.each(timestep, lambda i, own: {'visible': np.zeros(11, bool)})


class DoesNotStartAnew(_Fake):
  def step(self, action):
    if self._time is None:
      raise RuntimeError('Call reset() first.')
    return super().step(action)


class StaysAtLast(_Fake):
  last = False

  def step(self, action):
    timestep = super().step(action)
    if self.last:
      self.reset()
      self.last = False
      return dm_env.transition({}, {}, 1.0)
    self.last = timestep.last()
    return timestep


class ResetsOnlyAtLast(_Fake):
  def reset(self):
    if self._time:
      return self.step(dict.fromkeys(self.agent_ids, 0))
    return super().reset()


class TakesAnything(_Fake):
  def step(self, action):
    return super().step(dict.fromkeys(self.agent_ids, 0))


class Clips(_Fake):
  def step(self, action):
    return super().step({k: np.clip(v, 0, 2) for k, v in action.items()})


class Truncates(_Fake):
  def step(self, action):
    return super().step({k: int(np.nan_to_num(v)) for k, v in action.items()})


class IgnoresStrangers(_Fake):
  def step(self, action):
    return super().step({k: action.get(k) for k in self.agent_ids})


class RaisesKeyError(_Fake):
  def step(self, action):
    return super().step({k: action[k] for k in self.agent_ids})


class NamesNobody(_Fake):
  def step(self, action):
    try:
      return super().step(action)
    except ValueError:
      raise ValueError('Bad action.') from None


class GoesOnWhenItRefuses(_Changed):
  def step(self, action):
    try:
      return super().step(action)
    except ValueError:
      super().step(dict.fromkeys(self.agent_ids, 0))
      raise


class RestoresNothing(_Changed):
  def restore(self, state):
    pass


class RestoresInexactly(_Changed):
  restored = False

  def restore(self, state):
    self.restored = True
    self._environment.restore(state)

  def changed(self, timestep):
    if self.restored and timestep.reward:
      timestep.reward['agent_3'] += 1
    return timestep


BROKEN = {
  ListOfIds: 'agent_ids must be a tuple',
  SortedSpec: r'reward_spec\(\) must be a dict.*in this order',
  ContinuousActions: "Actions of 'agent_0' must be DiscreteArray",
  NoWorld: "dict with 'world'",
  FloatWorld: "'world' of 'agent_0' must be uint8 .*pixels, or float32 .D., ",
  ByteVector: "'world' of 'agent_0' must be uint8 .*pixels, or float32 .D., ",
  NaNInAVector: "'world' of 'agent_0' must be finite",
  NaNReward: "reward of 'agent_3' must be finite",
  DiscountPerAgent: r'discount_spec\(\) must be one scalar',
  RewardOnFirst: 'FIRST, with reward None',
  DiscountOnFirst: 'FIRST, with reward None and discount None',
  MissingReward: 'reward must be a dict',
  IntegerReward: "reward of 'agent_3' breaks its spec",
  DiscountOutOfRange: 'discount breaks its spec',
  MissingObservation: 'observation must be a dict',
  UnknownEntry: "'agent_0' observes .*more",
  WrongShape: "'world' of 'agent_0' breaks its spec",
  SortedActions: "'actions' must be what was played",
  LateActions: "'actions' must be what was played",
  SeesItself: 'own entry',
  SeesOthersThanItSays: "'visible' must be the agent's row",
  StaysAtLast: 'step after LAST must return FIRST',
  ResetsOnlyAtLast: 'reset in mid-episode must return FIRST',
  TakesAnything: 'must raise ValueError',
  Clips: 'must raise ValueError',
  Truncates: 'must raise ValueError',
  IgnoresStrangers: 'must raise ValueError',
  RaisesKeyError: 'must raise ValueError.*KeyError',
  NamesNobody: 'does not name',
  GoesOnWhenItRefuses: 'must raise ValueError|refused actions',
  RestoresNothing: r'save\(\) must return the same state',
  RestoresInexactly: r'After restore\(\), the same actions',
}


def test_a_good_environment_passes():
  conformance.check_environment(_Fake())
  conformance.check_environment(_Changed())


@pytest.mark.parametrize('broken', BROKEN, ids=lambda cls: cls.__name__)
def test_a_broken_environment_is_found(broken):
  with pytest.raises(AssertionError, match=f'(?s){BROKEN[broken]}'):
    conformance.check_environment(broken())


def test_an_environment_that_was_used_is_found():
  environment = _Fake()
  environment.reset()
  with pytest.raises(AssertionError, match='step before reset'):
    conformance.check_environment(environment)


def test_episodes_must_end():
  conformance.check_environment(_Fake(episode_length=50), max_steps=50)
  with pytest.raises(AssertionError, match='within 49 steps'):
    conformance.check_environment(_Fake(episode_length=50), max_steps=49)
