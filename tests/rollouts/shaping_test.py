"""Rewards of unrolled episodes that heed the others', against the oracle."""

import numpy as np
import pytest
import two_ways
from oracles import social_oracle

LENGTH = 7  # Of an episode; its last row of 8 is no step. Unrolls are of 6.


def _oracle(config, extrinsic):
  if config.variant == 'prosocial':
    return [
      social_oracle.prosocial_reward(row, config.prosocial_weight)
      for row in extrinsic
    ]
  return social_oracle.inequity_averse_rewards(
    extrinsic,
    alpha=config.inequity_behind,
    beta=config.inequity_ahead,
    gamma=config.discount,
    lam=config.inequity_smoothing,
  )


@pytest.mark.parametrize('variant', ['prosocial', 'inequity_aversion'])
def test_every_row_of_whole_episodes(variant):
  game = two_ways.Game(
    'matrix',
    num_agents=3,
    episode_length=LENGTH,
    config={'variant': variant},
  )
  actor = game.make_actor(game.make_replay()[0])
  played = [actor.play() for _ in range(4)]
  reward, extrinsic = (
    np.concatenate([x[:, :-1] for x in unrolls], axis=1)
    for unrolls in (
      [sequences.reward for sequences, _, _ in played],
      [sequences.extras['extrinsic'] for sequences, _, _ in played],
    )
  )
  episodes = [episode for _, _, ended in played for episode in ended]
  for e in range(reward.shape[1] // (LENGTH + 1)):
    rows = slice(e * (LENGTH + 1), e * (LENGTH + 1) + LENGTH)
    for b in range(two_ways.B):
      expected = _oracle(game.config, extrinsic[b, rows])
      np.testing.assert_allclose(reward[b, rows], expected, atol=1e-5)
      assert np.abs(reward[b, rows] - extrinsic[b, rows]).max() > 0.1
      assert not reward[b, rows.stop].any()
      # What is logged stays extrinsic.
      episode = episodes[e * two_ways.B + b]
      np.testing.assert_allclose(
        episode.totals.returns, extrinsic[b, rows].sum(0)
      )
