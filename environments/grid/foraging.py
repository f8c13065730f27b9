"""Moves, feeds and fires agents: the rules that Cleanup and Harvest share.

Letters: N agents, L cells of a lane, R x C the map.
"""

import dataclasses
import functools
from typing import Any, NamedTuple

import chex
import jax.numpy as jnp
import numpy as np

from influence_acme import checks
from influence_acme.environments.grid import beams, levels, moves, world

# Counts of each agent: apples eaten, fining beams fired, hits by those of
# others, and steps with at least one hit. They are one array, since a game
# counts in every step and each further array would cost time.
COUNTED = ('apples', 'beams', 'hits', 'fined')


class ActionResult(NamedTuple):
  """Holds the results of everyone's actions.

  Attributes:
    positions: int32 [N, 2], no two equal.
    headings: int32 [N].
    occupants: int32 [R, C], see `moves.occupants`.
    lanes: of the beams from there.
    fired: bool [N, 3, L], cells of beams of the kind FIRING.
    happened: int32 [4, N], the counts of `COUNTED` in this step.
    reward: float32 [N]: an apple is 1, firing and being hit have their costs.
  """

  positions: chex.Array
  headings: chex.Array
  occupants: chex.Array
  lanes: beams.Lanes
  fired: chex.Array
  happened: chex.Array
  reward: chex.Array


@dataclasses.dataclass(frozen=True, kw_only=True)
class ForagingWorld(world.GridWorld):
  """Moves and turns all agents, lets them eat on their new cells, and fires.

  Attributes:
    fire_cost: subtracted from an agent's reward when it fires, at least 0.
    hit_cost: subtracted from an agent's reward for each hit, at least 0.
  """

  fire_cost: float = 1.0
  hit_cost: float = 50.0

  def __post_init__(self):
    super().__post_init__()
    for name in ('fire_cost', 'hit_cost'):
      checks.real(name, getattr(self, name), 0)
    self.level.require(levels.APPLE, type(self).__name__)
    self.level.refuse(levels.DOOR, type(self).__name__)

  @functools.cached_property
  def apple_cells(self) -> np.ndarray:
    """Cells that can grow apples, bool [R, C]."""
    return self.level.mask(levels.APPLE)

  def act(
    self, state: Any, actions: chex.Array, ranks: chex.Array
  ) -> ActionResult:
    """Plays everyone's actions, without changes to the map.

    Args:
      state: before the step. Of its `apples`, bool [R, C], those under the new
        positions are eaten after any action; the game takes them off the map.
      actions: int32 [N].
      ranks: int32 [N], a permutation; of two rivals the lower rank wins.

    Returns:
      The positions, the beams, and the rewards.
    """
    positions, walls, shape = (
      state.positions,
      self.inner_walls,
      self.level.shape,
    )
    wanted = moves.targets(positions, state.headings, actions, shape)
    if walls is not None:
      wanted = moves.keep_out(positions, wanted, jnp.asarray(walls))
    positions = moves.resolve(positions, wanted, ranks)
    headings = moves.turn(state.headings, actions)
    occupants = moves.occupants(positions, shape)
    eats = state.apples[positions[:, 0], positions[:, 1]]
    lanes = beams.trace(positions, headings, occupants, walls)
    fires = actions == moves.Action.FIRE
    hits, fired = beams.fire(lanes, fires)
    reward = eats - self.fire_cost * fires - self.hit_cost * hits
    happened = jnp.stack([eats, fires, hits, hits > 0])
    return ActionResult(
      positions,
      headings,
      occupants,
      lanes,
      fired,
      happened,
      reward.astype(jnp.float32),
    )
