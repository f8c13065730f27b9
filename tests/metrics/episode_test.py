"""What is logged of an episode, by hand."""

from typing import Any

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from influence_acme.metrics import coordination, episode
from influence_acme.ops import returns as returns_lib

AGENTS = ('b', 'a')
LOG2 = np.log(2)


def totals(rewards, **events):
  return episode.make_totals(
    np.array(rewards, np.float32),
    {name: np.array(value, np.int32) for name, value in events.items()},
  )


def test_a_group_by_hand():
  # Paid at steps 0 and 2, and at step 3: mean steps 1 and 3.
  rewards = [(1, 0), (0, 0), (2, -1), (0, 2)]
  measured = episode.of_group(
    totals(rewards, apples=[2, 1], fined=[3, 1], hits=[5, 1], waste=7), AGENTS
  )
  expected: dict[str, Any] = {
    'collective_return': 4.0,
    'efficiency': 1.0,
    'sustainability': 2.0,
    'gini': 0.25,
    'equality': 0.75,
    'fair_return': 3.0,
    'apples': {'b': 2, 'a': 1},
    'hits': {'b': 5, 'a': 1},
    # In four steps somebody is hit; (2 * 4 - 4) / 4.
    'peace': 1.0,
    'waste': 7,
  }
  assert measured.keys() == expected.keys()
  for name, value in expected.items():
    if isinstance(value, dict):
      assert measured[name] == value
    else:
      np.testing.assert_allclose(measured[name], value, rtol=1e-6)


def test_nobody_is_ever_paid_or_fined():
  measured = episode.of_group(totals([(-1, 0), (0, -1)], fined=[0, 0]), AGENTS)
  assert np.isnan(measured['sustainability'])
  assert measured['peace'] == 2


def test_an_agent_in_debt_has_no_share():
  # All together have 99, so that the Gini coefficient would be 101 / 198.
  measured = episode.of_group(totals([(100, 0), (0, -1)]), AGENTS)
  for name in 'gini', 'equality', 'fair_return':
    assert np.isnan(measured[name])
  assert measured['collective_return'] == 99
  # Paid and fined alike: a return of 0 is a share.
  even = episode.of_group(totals([(2, 1), (0, -1)]), AGENTS)
  assert (even['gini'], even['fair_return']) == (0.5, 1.0)


@hypothesis.given(
  hnp.arrays(
    np.float32,
    st.tuples(st.integers(1, 20), st.integers(1, 4)),
    elements=st.integers(-2, 2).map(float),
  )
)
@hypothesis.settings(max_examples=30, deadline=None)
def test_sums_give_the_sustainability_of_the_op(rewards):
  sums = totals(rewards)
  actual = returns_lib.mean_paid_time(sums.num_paid, sums.paid_time)
  np.testing.assert_allclose(
    actual, returns_lib.sustainability(rewards), rtol=1e-6
  )


def test_the_share_of_influential_steps():
  # More than its mean 1.5 at steps 2 and 3, and than 2.25 at step 0.
  influence = np.array([(0, 9), (1, 0), (2, 0), (3, 0)], np.float32)
  share = episode.of_influence(influence)['influential_share']
  np.testing.assert_allclose(share, 3 / 8)
  nothing = episode.of_influence(np.zeros((4, 2), np.float32))
  assert np.isnan(nothing['influential_share'])


# Agent 0 says 0 1 0 1 0, and agent 1 does in the next step what it said.
SAID = np.array([(0, 0), (1, 0), (0, 1), (1, 1), (0, 1)])
DONE = np.array([(2, 3), (2, 0), (2, 1), (2, 0), (2, 1)])
CHOICES = coordination.Choices(4, 3, DONE, SAID)


def influence_of_agent_0(*nats):
  return np.array([(x, 0) for x in nats], np.float32)


@pytest.mark.parametrize(
  ('influence', 'expected'),
  [
    (None, np.nan),
    (np.zeros((5, 2), np.float32), np.nan),
    # More than the mean in steps 0 and 1: 0 then 0, 1 then 1.
    (influence_of_agent_0(9, 8, 0, 0, 0), LOG2),
    # In steps 1 and 3, in which it says 1 alone.
    (influence_of_agent_0(0, 9, 0, 9, 0), 0),
    # In the last step, which has no next one.
    (influence_of_agent_0(0, 0, 0, 0, 9), 0),
  ],
)
def test_coordination_by_hand(influence, expected):
  measured = coordination.of_choices(CHOICES, influence)
  np.testing.assert_allclose(measured['message_coordination'], LOG2, rtol=1e-6)
  np.testing.assert_allclose(
    measured['message_coordination_influential'], expected, atol=1e-6
  )
  # Agent 0 does one thing all the time: actions tell nothing of it, or of 1.
  assert measured['action_coordination'] == 0


def test_speaker_consistency_by_hand():
  # Agent 0: symbols 0 and 1, always action 2: 1 by symbols; by actions
  # 1 - H(3/5, 2/5) / log 3. Agent 1: symbol 0 with actions 3, 0: 1 - log 2 /
  # log 4; symbol 1 with 1, 0, 1: 1 - H(2/3, 1/3) / log 4; action 3 with 0: 1;
  # 0 with 0 and 1: 1 - log 2 / log 3; 1 with 1: 1.
  def entropy(p):
    return -p * np.log(p) - (1 - p) * np.log(1 - p)

  first = (1 + 1 - entropy(3 / 5) / np.log(3)) / 2
  symbols = (1 / 2 + 1 - entropy(1 / 3) / np.log(4)) / 2
  actions = (1 + 1 - LOG2 / np.log(3) + 1) / 3
  measured = coordination.of_choices(CHOICES, None)
  np.testing.assert_allclose(
    measured['speaker_consistency'],
    (first + (symbols + actions) / 2) / 2,
    rtol=1e-6,
  )


@pytest.mark.parametrize('repeats', [1, 25, 26, 60])
def test_the_length_makes_no_difference(repeats):
  """Rows are filled up: 5, 125, 130 and 300 of them."""
  choices = CHOICES._replace(
    actions=np.tile(DONE, (repeats, 1)), messages=np.tile(SAID, (repeats, 1))
  )
  influence = np.tile(influence_of_agent_0(9, 8, 0, 0, 0), (repeats, 1))
  measured = coordination.of_choices(choices, influence)
  # In the influential steps all is as in the first five.
  np.testing.assert_allclose(
    measured['message_coordination_influential'], LOG2, rtol=1e-6
  )
  np.testing.assert_allclose(
    measured['speaker_consistency'],
    coordination.of_choices(CHOICES, None)['speaker_consistency'],
    rtol=1e-6,
  )


def test_who_says_nothing():
  silent = coordination.make_choices(DONE, 4, 0)
  assert silent.messages is None
  measured = coordination.of_choices(silent, None)
  assert set(measured) == {
    'action_coordination',
    'action_coordination_influential',
  }


def test_choices_of_who_speaks():
  made = coordination.make_choices({'action': DONE, 'message': SAID}, 4, 3)
  np.testing.assert_array_equal(made.actions, DONE)
  assert made.messages is not None
  np.testing.assert_array_equal(made.messages, SAID)


# The control: messages that are shuffled in time.


def test_a_speaker_s_messages_mean_nothing_once_they_are_scrambled():
  """Agent 0 says 0 to 3 by chance; it does so, and agent 1 does so next."""
  rng = np.random.default_rng(0)
  said = rng.integers(0, 4, 1001)
  done = np.stack([said, np.roll(said, 1)], axis=1)
  said = np.stack([said, -np.ones_like(said)], axis=1)  # Agent 1 is silent.
  choices = coordination.Choices(4, 4, done, said)
  # Half of its steps are influential.
  influence = np.stack([rng.permutation(1001) % 2, np.zeros(1001)], axis=1)
  measured = coordination.of_choices(choices, influence)
  assert measured['speaker_consistency'] == 1
  np.testing.assert_allclose(
    measured['message_coordination'], np.log(4), atol=0.01
  )
  np.testing.assert_allclose(
    measured['message_coordination_influential'], np.log(4), atol=0.01
  )
  control = coordination.of_scrambled(choices, influence)
  # By chance (4 - 1) (4 - 1) / 2 n nats in n rows, of 1000 and 500 of them:
  # 0.0045 and 0.009, where log 4 is 1.386.
  np.testing.assert_allclose(
    control['message_coordination_scrambled'], 9 / 2000, rtol=0.4
  )
  np.testing.assert_allclose(
    control['message_coordination_influential_scrambled'], 9 / 1000, rtol=0.4
  )
  # Entropies are too low by (4 - 1) / 2 n nats, of 250 rows for each symbol
  # and action: 0.006 of log 4.
  expected = 3 / 500 / np.log(4)
  np.testing.assert_allclose(
    control['speaker_consistency_scrambled'], expected, rtol=0.4
  )


def test_the_control_of_who_says_nothing():
  assert (
    coordination.of_scrambled(coordination.make_choices(DONE, 4, 0), None) == {}
  )


def test_the_control_says_what_is_said_in_influential_steps():
  # Agent 0 says 1 whenever it is influential: no shuffle of that tells anything
  # about what agent 1 does next, as one of all steps might.
  said = np.tile([[0, 0], [1, 0], [2, 0], [1, 0]], (4, 1))
  done = np.random.default_rng(0).integers(0, 4, (16, 2))
  influence = np.stack([said[:, 0] == 1, np.zeros(16)], axis=1)
  control = coordination.of_scrambled(
    coordination.Choices(4, 3, done, said), influence.astype(np.float32)
  )
  assert control['message_coordination_influential_scrambled'] == 0
  assert control['message_coordination_scrambled'] > 0


@pytest.mark.parametrize(('num_actions', 'num_symbols'), [(3, 1), (1, 3)])
def test_one_symbol_or_action_has_no_consistency(num_actions, num_symbols):
  nothing = np.zeros((4, 2), np.int32)
  choices = coordination.make_choices(
    {'action': nothing, 'message': nothing}, num_actions, num_symbols
  )
  measured = coordination.of_choices(choices, None)
  assert np.isnan(measured['speaker_consistency'])
  assert measured['message_coordination'] == 0
