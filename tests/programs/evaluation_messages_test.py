"""Tests of the recorded episode of agents that speak."""

import numpy as np
from acme import core

from influence_acme import wrappers
from influence_acme.multiagent import recording
from influence_acme.programs import evaluation
from influence_acme.runs import run_dir
from influence_acme.testing import fakes


class SpeakingActor(core.Actor):
  """Agent i plays (step + i) % 2, and says (step + 2 i) % 4."""

  def __init__(self, adder):
    self._adder = adder

  def observe_first(self, timestep):
    self._step = 0
    self._adder.add_first(timestep)

  def select_action(self, observation):
    return {
      agent_id: {
        'action': np.int32((self._step + i) % 2),
        'message': np.int32((self._step + 2 * i) % 4),
      }
      for i, agent_id in enumerate(observation)
    }

  def observe(self, action, next_timestep):
    self._adder.add(action, next_timestep)
    self._step += 1

  def update(self, wait=False):
    pass


def test_what_agents_say(tmp_path):
  adder = recording.RecordingAdder()
  environment = wrappers.MessageChannelWrapper(
    fakes.FakeMultiAgentEnvironment(num_agents=3, num_actions=2), num_symbols=4
  )
  actor = SpeakingActor(adder)
  episode = evaluation.record_episode(environment, actor, adder)
  assert episode.messages is not None and episode.messages.dtype == np.int32
  np.testing.assert_array_equal(
    episode.messages, [[0, 2, 0], [1, 3, 1], [2, 0, 2], [3, 1, 3], [0, 2, 0]]
  )
  np.testing.assert_array_equal(episode.actions[:2], [[0, 1, 0], [1, 0, 1]])
  run = run_dir.RunDirectory(tmp_path)
  evaluation.write(run, episode)
  read = evaluation.read(run)
  assert read is not None and read.messages is not None
  np.testing.assert_array_equal(read.messages, episode.messages)
