"""What agents do first in a step of Cleanup and Harvest: move, eat and fire.

Letters: N agents, L cells of a lane, R x C the map.
"""

from typing import NamedTuple

import chex
import jax.numpy as jnp

from influence_acme.environments.grid import beams, moves

FIRE_COST = 1.0
HIT_COST = 50.0

# What is counted of everyone: apples eaten, fining beams fired, hits by those
# of others, and steps with at least one hit. As one array: a game counts in
# every step, and each array more would cost time.
COUNTED = ('apples', 'beams', 'hits', 'fined')


class Outcome(NamedTuple):
  """What came of everyone's actions.

  Attributes:
    positions: int32 [N, 2], no two equal.
    headings: int32 [N].
    occupants: int32 [R, C], see `moves.occupants`.
    lanes: where beams can go from there.
    fired: bool [N, 3, L], where beams of the kind FIRING go.
    happened: int32 [4, N], what `COUNTED` names.
    reward: float32 [N]: an apple is 1, firing and being hit have their costs.
  """

  positions: chex.Array
  headings: chex.Array
  occupants: chex.Array
  lanes: beams.Lanes
  fired: chex.Array
  happened: chex.Array
  reward: chex.Array


def act(
  positions: chex.Array,
  headings: chex.Array,
  actions: chex.Array,
  apples: chex.Array,
  ranks: chex.Array,
) -> Outcome:
  """Moves and turns everyone, lets them eat where they are then, and fires.

  Args:
    positions: int32 [N, 2], no two equal.
    headings: int32 [N].
    actions: int32 [N].
    apples: bool [R, C]. Those under the new positions are eaten, whatever the
      agent did; taking them off the map is left to the game.
    ranks: int32 [N], a permutation; of two rivals the lower rank wins.

  Returns:
    Where everyone is, what was fired, and the rewards.
  """
  shape = apples.shape
  wanted = moves.targets(positions, headings, actions, shape)
  positions = moves.resolve(positions, wanted, ranks)
  headings = moves.turn(headings, actions)
  occupants = moves.occupants(positions, shape)
  eats = apples[positions[:, 0], positions[:, 1]]
  lanes = beams.trace(positions, headings, occupants)
  fires = actions == moves.Action.FIRE
  hits, fired = beams.fire(lanes, fires)
  reward = eats - FIRE_COST * fires - HIT_COST * hits
  happened = jnp.stack([eats, fires, hits, hits > 0])
  return Outcome(
    positions,
    headings,
    occupants,
    lanes,
    fired,
    happened,
    reward.astype(jnp.float32),
  )
