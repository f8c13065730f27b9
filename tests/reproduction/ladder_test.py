"""The agents that are shipped with the ladder's pages play as these say."""

import pathlib

import numpy as np

from influence_acme import playing

_LADDER = pathlib.Path(__file__).parents[2] / 'results' / 'ladder'


def test_agents_that_share_rewards_clean_the_small_river():
  policy = playing.load(_LADDER / 'cleanup_small' / 'prosocial')
  played = playing.evaluate(policy, num_episodes=16, seed=7)
  assert len(played.lengths) == 16 and set(played.lengths) == {500}
  # Uniform play without beams has 13.
  assert np.mean(played.returns.sum(axis=-1)) > 150.0
