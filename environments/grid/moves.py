"""Moves and turns agents, and resolves conflicts over cells.

Positions are (row, column), row 0 at the top. Letters: N agents, R x C the map.
"""

import enum

import chex
import jax.numpy as jnp
import numpy as np

# Headings, clockwise.
UP, RIGHT, DOWN, LEFT = range(4)


class Action(enum.IntEnum):
  """Names the actions of an agent; steps are relative to its heading."""

  STEP_LEFT = 0
  STEP_RIGHT = 1
  STEP_FORWARD = 2
  STEP_BACK = 3
  STAY = 4
  TURN_CLOCKWISE = 5
  TURN_COUNTERCLOCKWISE = 6
  FIRE = 7
  CLEAN = 8


def ahead(headings: chex.Array) -> tuple[chex.Array, chex.Array]:
  """Returns the changes of row and column by a step ahead, int32 [...] each."""
  rows = (headings == DOWN).astype(jnp.int32) - (headings == UP)
  columns = (headings == RIGHT).astype(jnp.int32) - (headings == LEFT)
  return rows, columns


def turn(headings: chex.Array, actions: chex.Array) -> chex.Array:
  """Returns the headings, int32 [N], after the turns among `actions` [N]."""
  clockwise = (actions == Action.TURN_CLOCKWISE).astype(jnp.int32)
  return (headings + clockwise - (actions == Action.TURN_COUNTERCLOCKWISE)) % 4


def targets(
  positions: chex.Array,
  headings: chex.Array,
  actions: chex.Array,
  shape: tuple[int, int],
) -> chex.Array:
  """Returns the cell that each agent wants to enter.

  Args:
    positions: int32 [N, 2].
    headings: int32 [N].
    actions: int32 [N].
    shape: (R, C), of a map with a wall around it.

  Returns:
    int32 [N, 2]: the next cell for a step; the own cell for any other action
    and for a step into the border.
  """
  steps = actions <= Action.STEP_BACK
  # By action, 0 to 3: the step of an agent that looks up.
  towards = jnp.array([LEFT, RIGHT, UP, DOWN])[actions % 4]
  step = jnp.stack(ahead((headings + towards) % 4), axis=-1)
  wanted = positions + step * steps[:, None]
  return jnp.clip(wanted, 1, np.array(shape) - 2)


def keep_out(
  positions: chex.Array, targets: chex.Array, blocked: chex.Array
) -> chex.Array:
  """Keeps agents out of walls inside the map.

  Args:
    positions: int32 [N, 2].
    targets: int32 [N, 2], see `targets`.
    blocked: bool [R, C], cells that no agent can enter.

  Returns:
    int32 [N, 2]: the targets, the own cell instead of a blocked one.
  """
  stopped = blocked[targets[:, 0], targets[:, 1]]
  return jnp.where(stopped[:, None], positions, targets)


def resolve(
  positions: chex.Array, targets: chex.Array, ranks: chex.Array
) -> chex.Array:
  """Moves every agent that can move; no two ever share a cell.

  Of several agents that want one cell, `ranks` chooses one and the others
  stay. Then a move fails if the cell's occupant does not leave it, or would
  swap places. All other moves succeed: into free cells, in trains behind them,
  and in rings of agents that move on all at once.

  An agent that stays, for any reason, blocks its cell; hence the result does
  not depend on the order in which contested cells are decided.

  Args:
    positions: int32 [N, 2], no two equal.
    targets: int32 [N, 2], at most one step away; the own cell to stay.
    ranks: int32 [N], a permutation; of two rivals the lower rank wins.

  Returns:
    int32 [N, 2], the new positions, no two equal.
  """
  moves = jnp.any(targets != positions, axis=1)  # [N]
  # [i, j]: i wants the cell that j wants; i wants the cell of j.
  same = jnp.all(targets[:, None] == targets[None, :], axis=-1)
  behind = jnp.all(targets[:, None] == positions[None, :], axis=-1)

  loses = same & moves[None, :] & (ranks[None, :] < ranks[:, None])
  moves &= ~jnp.any(loses, axis=1)
  follows = behind & moves[:, None]
  moves &= ~jnp.any(follows & follows.T, axis=1)
  # Each pass blocks a train one agent further back.
  for _ in range(len(positions) - 1):
    moves &= ~jnp.any(behind & ~moves[None, :], axis=1)
  return jnp.where(moves[:, None], targets, positions)


def occupants(positions: chex.Array, shape: tuple[int, int]) -> chex.Array:
  """Returns int32 [R, C]: 1 + the agent on each cell, 0 on free cells.

  Args:
    positions: int32 [N, 2], no two equal.
    shape: (R, C).
  """
  ids = jnp.arange(1, len(positions) + 1, dtype=jnp.int32)
  return (
    jnp.zeros(shape, jnp.int32).at[positions[:, 0], positions[:, 1]].set(ids)
  )
