"""Tests of Schelling diagrams."""

import numpy as np
import pytest
from imageio import v3 as imageio

from influence_acme.reproduction import schelling


def make_diagram(cooperate, defect):
  payoffs = [
    tuple(schelling.Payoff(i, mean, 1.0) for i, mean in enumerate(means))
    for means in (cooperate, defect)
  ]
  return schelling.Diagram('cleanup', *payoffs)


@pytest.mark.parametrize(
  ('cooperate', 'defect', 'expected'),
  [
    ((0, 3), (1, 5), (True, True, True, True)),  # A prisoner's dilemma.
    ((0, 4), (1, 3), (True, True, True, False)),  # Stag hunt: fear alone.
    ((2, 3), (1, 5), (True, True, False, True)),  # Chicken: greed alone.
    ((2, 1), (3, 4), (False, False, True, True)),
    ((5, 6), (1, 2), (True, True, False, False)),
  ],
)
def test_what_makes_a_dilemma(cooperate, defect, expected):
  diagram = make_diagram(cooperate, defect)
  assert tuple(diagram.properties().values()) == expected


def test_cleanup_of_two():
  diagram = schelling.measure(
    'cleanup', num_agents=2, num_episodes=3, episode_length=200, dirty=0.2
  )
  assert [payoff.others for payoff in diagram.cooperators] == [0, 1]
  # Nobody cleans: at 40% of waste no apple ever grows.
  assert diagram.defectors[0] == schelling.Payoff(0, 0.0, 0.0)
  # One cleans all the time, and the other eats.
  assert diagram.defectors[1].mean > diagram.cooperators[0].mean


def test_the_same_seed_gives_the_same(tmp_path):
  first, second, other = (
    schelling.measure(
      'harvest', num_agents=2, num_episodes=2, episode_length=30, **kwargs
    )
    for kwargs in (
      {'seed': 1, 'spare': 3},
      {'seed': 1, 'spare': 3},
      {'seed': 2, 'spare': 3},
    )
  )
  assert first == second != other
  # Nobody eats more than an apple a step, or is ever fined.
  means = [each.mean for each in first.cooperators + first.defectors]
  assert min(means) > 0 and max(means) <= 30
  schelling.draw([first, second], tmp_path / 'a.png')
  assert imageio.imread(tmp_path / 'a.png').any()


def test_one_episode_has_no_error():
  diagram = schelling.measure(
    'harvest', num_agents=1, num_episodes=1, episode_length=5, spare=3
  )
  assert np.isnan(diagram.defectors[0].error)


def test_an_unknown_game():
  with pytest.raises(ValueError, match="game is 'chess'.*cleanup, harvest"):
    schelling.measure('chess')
