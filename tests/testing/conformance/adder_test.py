import dm_env
import numpy as np
import pytest

from influence_acme import wrappers
from influence_acme.testing import conformance, fakes


def _environment(**kwargs):
  game = fakes.FakeMultiAgentEnvironment(**kwargs)
  return wrappers.SingleAgentView(game, 'agent_0', {'agent_1': lambda _: 0})


def _extras(random):
  return {'logits': random.normal(size=3).astype(np.float32)}


class _Good:
  """Doubles rewards, and hands every step on at once."""

  def __init__(self, adder):
    self.adder = adder

  def add_first(self, timestep):
    self.adder.add_first(timestep)

  def add(self, action, next_timestep, extras=()):
    reward = np.float32(2) * next_timestep.reward
    self.adder.add(action, next_timestep._replace(reward=reward), extras)

  def reset(self):
    self.adder.reset()


class AddsWithoutFirst(_Good):
  is_open = False

  def add_first(self, timestep):
    self.is_open = True
    self.adder.add_first(timestep)

  def add(self, action, next_timestep, extras=()):
    if self.is_open:
      super().add(action, next_timestep, extras)


class StartsTwice(_Good):
  def add_first(self, timestep):
    self.adder.reset()
    self.adder.add_first(timestep)


class KeepsReset(_Good):
  def reset(self):
    pass


class _Late(_Good):
  """Holds a step back."""

  held = None

  def add(self, action, next_timestep, extras=()):
    if self.held:
      self.adder.add(*self.held)
    elif not self.adder._is_open:
      raise ValueError('Call add_first() first.')
    self.held = (action, next_timestep, extras)
    if next_timestep.last():
      self.adder.add(*self.held)
      self.held = None

  def reset(self):
    self.held = None
    self.adder.reset()


class KeepsWhatItHolds(_Late):
  """Over a reset."""

  def reset(self):
    self.adder.reset()


class LosesTheLast(_Late):
  def add(self, action, next_timestep, extras=()):
    super().add(action, next_timestep, extras)
    if next_timestep.last():
      self.adder.episodes[-1].steps.pop()


class AddsTwice(_Good):
  def add(self, action, next_timestep, extras=()):
    super().add(action, next_timestep, extras)
    if not next_timestep.last():
      super().add(action, next_timestep, extras)


class ChangesTheCallers(_Good):
  def add(self, action, next_timestep, extras=()):
    extras['influence'] = np.float32(1)
    super().add(action, next_timestep, extras)


class ChangesTheAction(_Good):
  def add(self, action, next_timestep, extras=()):
    super().add((action + 1) % 3, next_timestep, extras)


class ChangesTheDiscount(_Good):
  def add(self, action, next_timestep, extras=()):
    if next_timestep.last():
      next_timestep = next_timestep._replace(discount=np.float32(0))
    super().add(action, next_timestep, extras)


class HidesTheFirst(_Good):
  def add_first(self, timestep):
    world = np.zeros_like(timestep.observation['world']) + 1
    self.adder.add_first(timestep._replace(observation={'world': world}))


class ReplacesTheFirst(_Good):
  def add_first(self, timestep):
    self.adder.add_first(dm_env.restart(None))


class WidensTheReward(_Good):
  def add(self, action, next_timestep, extras=()):
    reward = np.float64(next_timestep.reward)
    self.adder.add(action, next_timestep._replace(reward=reward), extras)


class DividesByNothing(_Good):
  def add(self, action, next_timestep, extras=()):
    reward = np.float32(np.nan) * next_timestep.reward
    self.adder.add(action, next_timestep._replace(reward=reward), extras)


class ExtrasAtTheEnd(_Good):
  def add(self, action, next_timestep, extras=()):
    if next_timestep.last():
      extras = {**extras, 'end': np.float32(1)}
    super().add(action, next_timestep, extras)


BROKEN = {
  AddsWithoutFirst: r'add\(\) before add_first\(\) must raise ValueError',
  StartsTwice: r'add_first\(\) in mid-episode must raise ValueError',
  KeepsReset: r'hand reset\(\) on',
  _Late: 'The action of step 0.*keep copies',
  KeepsWhatItHolds: 'Of 5 steps.*was told 6',
  LosesTheLast: 'Of 5 steps of an episode the inner adder was told 4',
  AddsTwice: 'Of 5 steps of an episode the inner adder was told 9',
  ChangesTheCallers: "changed the caller's",
  ChangesTheAction: 'The action of step 0 is not what it was',
  ChangesTheDiscount: 'The discount of step 4 is not what it was',
  HidesTheFirst: 'told the first time step as it was',
  ReplacesTheFirst: 'told the first time step as it was',
  WidensTheReward: 'The reward of step 0 is float64.*must keep.*float32',
  DividesByNothing: 'The reward of step 0 is not finite',
  ExtrasAtTheEnd: 'extras must have the same entries',
}


def test_a_good_adder_passes():
  environment = _environment()
  conformance.check_adder(_Good, environment)
  conformance.check_adder(_Good, environment, extras_fn=_extras)


@pytest.mark.parametrize('broken', BROKEN, ids=lambda cls: cls.__name__)
def test_a_broken_adder_is_found(broken):
  with pytest.raises(AssertionError, match=f'(?s){BROKEN[broken]}'):
    conformance.check_adder(broken, _environment(), extras_fn=_extras)


def test_episodes_must_end():
  environment = _environment(episode_length=50)
  conformance.check_adder(_Good, environment, max_steps=50)
  with pytest.raises(AssertionError, match='within 49 steps'):
    conformance.check_adder(_Good, environment, max_steps=49)
