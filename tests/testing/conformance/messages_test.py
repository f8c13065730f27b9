"""The checks of environments whose agents speak."""

import numpy as np
import pytest

from influence_acme import environments, wrappers
from influence_acme.testing import conformance


class _Speaking(wrappers.MessageChannelWrapper):
  """Eleven agents, so that the sorted names are in another order."""

  def __init__(self):
    super().__init__(environments.make('matrix', num_agents=11), num_symbols=3)


class _Changed(_Speaking):
  """Changes what everyone hears."""

  def reset(self):
    return self._each(super().reset())

  def step(self, action):
    return self._each(super().step(action))

  def changed(self, messages):
    return messages

  def _each(self, timestep):
    heard = self.changed(timestep.observation['agent_0']['messages'])
    return timestep._replace(
      observation={
        agent_id: {**own, 'messages': heard}
        for agent_id, own in timestep.observation.items()
      }
    )


class Sorted(_Changed):
  def changed(self, messages):
    return messages[np.argsort(self.agent_ids)]


class Late(_Changed):
  late = np.full(11, -1, np.int32)

  def changed(self, messages):
    shown, self.late = self.late, messages
    return shown


class SilenceIsZero(_Changed):
  def changed(self, messages):
    return np.maximum(messages, 0)


class _Corrected(_Speaking):
  """Repairs what it should refuse."""

  def step(self, action):
    return super().step({k: self.corrected(v) for k, v in action.items()})

  def corrected(self, own):
    return own


class ClipsMessages(_Corrected):
  def corrected(self, own):
    if not isinstance(own, dict) or 'message' not in own:
      return own
    message = np.clip(np.nan_to_num(own['message']), 0, 2).astype(int)
    return {**own, 'message': message}


class MuteByDefault(_Corrected):
  def corrected(self, own):
    return {'message': 0, **own} if isinstance(own, dict) else own


class TakesPlainActions(_Corrected):
  def corrected(self, own):
    return own if isinstance(own, dict) else {'action': own, 'message': 0}


class RestoresNoMessages(_Speaking):
  def restore(self, state):
    super().restore({**state, 'messages': np.full(11, -1, np.int32)})


class HearsWithoutSpeaking(_Speaking):
  def action_spec(self):
    return {k: v['action'] for k, v in super().action_spec().items()}

  def step(self, action):
    return super().step(
      {k: {'action': v, 'message': 0} for k, v in action.items()}
    )


class Pairs(_Speaking):
  def action_spec(self):
    return {k: tuple(v.values()) for k, v in super().action_spec().items()}


BROKEN = {
  Sorted: "'messages' must be what was said",
  Late: "'messages' must be what was said",
  SilenceIsZero: "'messages' must be what was said",
  ClipsMessages: 'must raise ValueError',
  MuteByDefault: 'must raise ValueError',
  TakesPlainActions: 'must raise ValueError',
  RestoresNoMessages: r'save\(\) must return the same state',
  HearsWithoutSpeaking: "must hold a 'message'",
  Pairs: "Actions of 'agent_0' must be DiscreteArray, or dicts",
}


def test_a_good_environment_passes():
  conformance.check_environment(_Speaking())
  conformance.check_environment(_Changed())


@pytest.mark.parametrize('broken', BROKEN, ids=lambda cls: cls.__name__)
def test_a_broken_environment_is_found(broken):
  with pytest.raises(AssertionError, match=f'(?s){BROKEN[broken]}'):
    conformance.check_environment(broken())
