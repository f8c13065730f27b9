"""A channel for messages around a dm_env of your own.

  python examples/own_environment.py

In each step the guest opens one of three doors, blindly. The guide sees behind
which the prize of the next step is, and what it says the guest hears by then.
It takes some seconds.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import dm_env
import numpy as np
from absl import app
from dm_env import specs

from influence_acme import ops, wrappers
from influence_acme.testing import conformance

NUM_DOORS = 3
EPISODE_LENGTH = 100
SPEC = specs.BoundedArray((1, NUM_DOORS, 3), np.uint8, 0, 255, name='world')


class Doors(dm_env.Environment):
  """Both agents win if the guest opens the right door."""

  agent_ids = ('guide', 'guest')

  def __init__(self, seed: int):
    self._random = np.random.default_rng(seed)
    self._time = EPISODE_LENGTH  # The first step starts an episode.

  def reset(self) -> dm_env.TimeStep:
    """Starts an episode."""
    self._time, self._prizes = 0, [self._draw(), self._draw()]
    return dm_env.restart(self._observe())

  def step(self, action: Mapping[str, Any]) -> dm_env.TimeStep:
    """Opens the guest's door."""
    if self._time == EPISODE_LENGTH:
      return self.reset()
    now, following = self._prizes
    self._prizes = [following, self._draw()]
    self._time += 1
    reward = dict.fromkeys(self.agent_ids, np.float32(action['guest'] == now))
    if self._time == EPISODE_LENGTH:  # A time limit: its discount is 1.
      return dm_env.truncation(reward, self._observe())
    return dm_env.transition(reward, self._observe())

  def _draw(self) -> int:
    return int(self._random.integers(NUM_DOORS))

  def _observe(self) -> dict[str, dict[str, np.ndarray]]:
    doors = np.zeros(SPEC.shape, SPEC.dtype)
    doors[0, self._prizes[1]] = 255
    return {'guide': {'world': doors}, 'guest': {'world': 0 * doors}}

  def action_spec(self) -> dict[str, specs.Array]:
    """Returns a choice of a door for each; the guide's does nothing."""
    return dict.fromkeys(self.agent_ids, specs.DiscreteArray(NUM_DOORS))

  def observation_spec(self) -> dict[str, dict[str, specs.Array]]:
    """Returns a picture of the doors for each."""
    return {agent_id: {'world': SPEC} for agent_id in self.agent_ids}

  def reward_spec(self) -> dict[str, specs.Array]:
    """Returns a number for each."""
    return dict.fromkeys(self.agent_ids, specs.Array((), np.float32))


def main(argv: Sequence[str]) -> None:
  """Plays an episode in which the guest does what the guide has said."""
  if len(argv) > 1:
    raise app.UsageError(f'Unknown argument: {argv[1]}')
  environment = wrappers.MessageChannelWrapper(Doors(0), num_symbols=NUM_DOORS)
  conformance.check_environment(environment)  # Raises if it is a bad one.
  timestep = environment.reset()
  said, done, prizes = [], [], 0.0
  while not timestep.last():
    seen = np.argmax(timestep.observation['guide']['world'][0, :, 0])
    heard = timestep.observation['guest']['messages'][0]  # -1 at first.
    opened = max(heard, 0)
    said.append([seen, 0])  # The guest says 0 all the time.
    done.append([0, opened])
    guide = {'action': 0, 'message': seen}
    guest = {'action': opened, 'message': 0}
    timestep = environment.step({'guide': guide, 'guest': guest})
    prizes += timestep.reward['guest']
  print(f'{prizes:.0f} prizes in {EPISODE_LENGTH} steps')
  coordination = ops.instantaneous_coordination(
    np.array(said), np.array(done), num_sources=NUM_DOORS, num_targets=NUM_DOORS
  )
  print(f'the guide moves the guest by {coordination.pairs[0, 1]:.2f} nats')


if __name__ == '__main__':
  app.run(main)
