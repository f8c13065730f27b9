"""Whatever is called in whatever order, what is heard is what was said."""

from typing import Any

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from influence_acme import wrappers
from influence_acme.testing import fakes

NUM_SYMBOLS = 5
NUM_AGENTS = st.integers(1, 13)
RESET, BAD = 'reset', 'bad'
CALLS = st.lists(
  st.one_of(st.just(RESET), st.just(BAD), st.integers(0, 2**32 - 1)),
  max_size=30,
)


class _Channel:
  """A slow second implementation, of nothing but who hears what when."""

  def __init__(self, num_agents, episode_length):
    self.silence = [-1] * num_agents
    self.episode_length = episode_length
    self.said: Any = None  # In this episode; None: none has started.

  def reset(self):
    self.said = []

  def step(self, messages):
    if self.said is None or len(self.said) == self.episode_length:
      self.reset()
    else:
      self.said.append(messages)

  def heard(self):
    return [self.silence, *self.said][-1]


@hypothesis.settings(max_examples=100, deadline=None)
@hypothesis.given(NUM_AGENTS, st.integers(1, 4), CALLS)
def test_what_is_heard_is_what_was_said(num_agents, episode_length, calls):
  inner = fakes.FakeMultiAgentEnvironment(
    num_agents=num_agents, episode_length=episode_length
  )
  environment = wrappers.MessageChannelWrapper(
    wrappers.OthersActionsWrapper(inner), NUM_SYMBOLS
  )
  actions, messages = (_Channel(num_agents, episode_length) for _ in 'am')
  ids, timestep = environment.agent_ids, None
  for call in calls:
    if call == RESET:
      actions.reset()
      messages.reset()
      timestep = environment.reset()
    elif call == BAD:
      # Where the call would start an episode, it is not even looked at.
      if timestep is None or timestep.last():
        continue
      one_is_mute = {a: {'action': 0, 'message': 0} for a in ids}
      del one_is_mute[ids[-1]]['message']
      with pytest.raises(ValueError, match=ids[-1]):
        environment.step(one_is_mute)
      continue
    else:
      rng = np.random.default_rng(call)
      moves = rng.integers(3, size=num_agents)
      words = rng.integers(NUM_SYMBOLS, size=num_agents)
      play = {
        ids[i]: {'action': moves[i], 'message': words[i]}
        for i in rng.permutation(num_agents)  # A dict's order means nothing.
      }
      actions.step(moves.tolist())
      messages.step(words.tolist())
      timestep = environment.step(play)
    for own in timestep.observation.values():
      assert own['messages'].tolist() == messages.heard()
      assert own['actions'].tolist() == actions.heard()
