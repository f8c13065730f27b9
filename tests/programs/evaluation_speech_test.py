"""An episode of agents that speak: what was said, and what it was worth."""

import math

import numpy as np
from acme import core

from influence_acme import types, wrappers
from influence_acme.multiagent import recording
from influence_acme.programs import evaluation
from influence_acme.testing import fakes

N, A = 3, 2
AGENT_IDS = types.agent_ids(N)


class ObeyedActor(core.Actor):
  """Everyone says 0, 1, 0, ..., does the opposite, and obeys agent_0 alone."""

  def __init__(self, adder):
    self._adder = adder

  def observe_first(self, timestep):
    self._step = 0
    self._adder.add_first(timestep)

  def select_action(self, observation):
    symbol = np.int32(self._step % A)
    return {i: {'action': 1 - symbol, 'message': symbol} for i in AGENT_IDS}

  def observe(self, action, next_timestep):
    actions = {
      name: np.array([action[i][name] for i in AGENT_IDS], np.int32)
      for name in ('action', 'message')
    }
    # What the others do for each symbol of the step before, [N, K, J, A].
    answers = np.zeros((N, A, N - 1, A), np.float32)
    answers[0] = np.where(np.eye(A)[:, None] > 0, 0, -np.inf)
    if not self._step:
      answers[:] = np.nan  # Nobody has said anything: not to be read.
    # The symbol that is said has 1/4.
    policy = np.where(np.arange(A) == self._step % A, 0.25, 0.75)
    inputs = {
      'conditional_logits': answers,
      'policy_logits': np.log([policy] * N).astype(np.float32),
      'mask': np.ones((N, N - 1), bool),
    }
    extras = {'influence_inputs': {'communication': inputs}}
    self._adder.add(actions, next_timestep, extras)
    self._step += 1

  def update(self, wait=False):
    pass


def test_influence_stands_where_something_was_said():
  adder = recording.RecordingAdder()
  game = fakes.FakeMultiAgentEnvironment(N, A, episode_length=5)
  environment = wrappers.MessageChannelWrapper(
    wrappers.OthersActionsWrapper(game), A
  )
  episode = evaluation.record_episode(environment, ObeyedActor(adder), adder)
  assert episode.messages is not None and episode.influence is not None
  said = np.repeat([[0], [1], [0], [1], [0]], N, axis=1)
  np.testing.assert_array_equal(episode.messages, said)
  np.testing.assert_array_equal(episode.actions, 1 - said)
  # Nobody hears the last ones.
  expected = np.zeros((5, N, N))
  expected[:4, 0, 1:] = math.log(4)
  expected[:, range(N), range(N)] = np.nan
  np.testing.assert_allclose(episode.influence, expected, atol=1e-6)
  measured = episode.measures
  # Everyone always does the opposite of what it says.
  assert measured['speaker_consistency'] == 1
  np.testing.assert_allclose(
    measured['message_coordination'], math.log(2), 1e-6
  )
  # Five rows are few: also scrambled messages look as if they meant something.
  scrambled = measured['message_coordination_scrambled']
  assert 0 < scrambled < measured['message_coordination']
