"""Traces beams: three lanes of five cells, ended by walls, agents and waste.

```
      4          The lanes of agent A, which looks up; numbers count the cells
    4 3 4        of a lane from A's end. The side lanes start beside A.
    3 2 3
    2 1 2
    1 0 1
    0 A 0
```

Letters: N agents, L cells of a lane, R x C the map. Cells of the map are
numbered row by row.
"""

from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np

from influence_acme.environments.grid import draws, moves

LENGTH = 5
# Offsets of a lane's cells from the agent: [3, 1] to the right, [3, L] ahead.
_RIGHT = np.array([[-1], [0], [1]])
_AHEAD = np.arange(LENGTH) + np.array([[0], [1], [0]])

# The kinds of beam that a cell can show; the highest if beams cross there.
NONE, CLEANING, FIRING = range(3)


class Lanes(NamedTuple):
  """Holds the lanes of all agents' beams.

  Attributes:
    cells: int32 [N, 3, L], the cells' numbers; 0, a wall, outside of the map.
    open: bool [N, 3, L]; no wall is here, and no agent is nearer.
    agents: int32 [N, 3, L], 1 + the agent on the cell, 0 if there is none.
  """

  cells: chex.Array
  open: chex.Array
  agents: chex.Array


def trace(
  positions: chex.Array,
  headings: chex.Array,
  occupants: chex.Array,
  walls: np.ndarray | None = None,
) -> Lanes:
  """Traces the lanes of all agents.

  Args:
    positions: int32 [N, 2].
    headings: int32 [N].
    occupants: int32 [R, C], see `moves.occupants`.
    walls: bool [R, C], the walls inside of the map; None if there are none.

  Returns:
    The lanes of all agents, firing or not.
  """
  down, right = (x[:, None, None] for x in moves.ahead(headings))  # [N, 1, 1]
  rows = positions[:, 0, None, None] + down * _AHEAD + right * _RIGHT
  columns = positions[:, 1, None, None] + right * _AHEAD - down * _RIGHT
  height, width = occupants.shape
  inside = (rows > 0) & (rows < height - 1)
  inside &= (columns > 0) & (columns < width - 1)
  cells = jnp.where(inside, rows * width + columns, 0)
  agents = occupants.reshape(-1)[cells]
  ends = agents > 0
  if walls is not None:
    inside &= ~jnp.asarray(walls.reshape(-1))[cells]
    ends |= ~inside
  return Lanes(cells, inside & ~_any_nearer(ends), agents)


def fire(lanes: Lanes, firing: chex.Array) -> tuple[chex.Array, chex.Array]:
  """Fires beams: every lane hits the first agent in it.

  Args:
    lanes: of all agents.
    firing: bool [N], the agents that fire.

  Returns:
    int32 [N], the number of hits on each agent, and bool [N, 3, L], the cells
    that the beams cover.
  """
  covered = lanes.open & firing[:, None, None]
  victims = jnp.max(jnp.where(covered, lanes.agents, 0), axis=-1)  # [N, 3]
  agents = jnp.arange(1, firing.size + 1)
  hits = victims.reshape(-1)[None, :] == agents[:, None]
  return jnp.sum(hits, axis=1, dtype=jnp.int32), covered


def clean(
  lanes: Lanes, cleaning: chex.Array, waste: chex.Array, ranks: chex.Array
) -> tuple[chex.Array, chex.Array, chex.Array]:
  """Cleans waste: every lane turns the first waste in it into water.

  Args:
    lanes: of all agents.
    cleaning: bool [N], the agents that clean.
    waste: bool [R, C].
    ranks: int32 [N], a permutation: the agents act in this order, each on the
      waste that those before it left.

  Returns:
    bool [R, C], the waste that is left; bool [N, 3, L], the cells that the
    beams cover, which end with the cleaned cell; and int32 [N], the number of
    cells that each agent cleaned.
  """

  def act(waste: chex.Array, agent: chex.Array):
    cells = lanes.cells[agent]  # [3, L]
    reached = lanes.open[agent] & cleaning[agent]
    dirty = reached & waste[cells]
    covered = reached & ~_any_nearer(dirty)
    first = jnp.max(jnp.where(covered & dirty, cells, 0), axis=-1)  # [3]
    # A lane without waste clears cell 0, a wall, which never holds any.
    cleaned = jnp.sum(first > 0, dtype=jnp.int32)
    return waste.at[first].set(False), (covered, cleaned)

  left, (covered, cleaned) = jax.lax.scan(
    act, waste.reshape(-1), draws.order(ranks)
  )
  return left.reshape(waste.shape), covered[ranks], cleaned[ranks]


def marks(
  lanes: Lanes,
  fired: chex.Array,
  cleaned: chex.Array,
  shape: tuple[int, int],
) -> chex.Array:
  """Marks the kind of beam on each cell, uint8 [R, C].

  Args:
    lanes: of all agents.
    fired: bool [N, 3, L], cells of beams of the kind FIRING.
    cleaned: bool [N, 3, L], cells of beams of the kind CLEANING.
    shape: (R, C).
  """
  kinds = jnp.where(fired, FIRING, jnp.where(cleaned, CLEANING, NONE))
  nothing = jnp.zeros(shape[0] * shape[1], jnp.uint8)
  return nothing.at[lanes.cells].max(kinds.astype(jnp.uint8)).reshape(shape)


def _any_nearer(flags: chex.Array) -> chex.Array:
  """Returns bool [..., L]: a flag, bool [..., L], is True at a nearer cell."""
  nearer = [jnp.zeros_like(flags[..., 0])]
  for i in range(flags.shape[-1] - 1):
    nearer.append(nearer[-1] | flags[..., i])
  return jnp.stack(nearer, axis=-1)
