"""Defines Box Trapped: one agent can free the other, and gains nothing by it.

The rules and their reasons are on the environment's card, in README.md.
Letters: N = 2 agents, R x C = 9 x 9 the map.
"""

import dataclasses
import functools
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np

from influence_acme.environments.grid import (
  colours,
  levels,
  moves,
  views,
  world,
)
from influence_acme.environments.grid import draws as draws_lib

# Agent 0's last action. Agent 1 has it too; it does nothing.
OPEN_BOX = moves.Action.FIRE

# States of the door after a step.
SHUT, AJAR, OPEN = range(3)


class State(NamedTuple):
  """Holds the state of an episode; every free apple cell has an apple.

  Attributes:
    key: for all random draws to come.
    time: int32 [], steps of the episode so far.
    positions: int32 [2, 2], (row, column).
    headings: int32 [2], see `moves`.
    door: int32 [], SHUT, AJAR if it was open and fell shut in the last step, or
      OPEN for the rest of the episode.
    eaten: int32 [2], apples eaten since the episode began.
    opened: int32 [], 1 if the door was open in some step of it, else 0.
  """

  key: jax.Array
  time: chex.Array
  positions: chex.Array
  headings: chex.Array
  door: chex.Array
  eaten: chex.Array
  opened: chex.Array


@dataclasses.dataclass(frozen=True, kw_only=True)
class BoxTrapped(world.GridWorld):
  """Defines the paper's proof of concept: agent 0 is free, agent 1 in a box.

  Attributes:
    level: the map, always this one.
    view_size: 9, the whole map.
    num_agents: 2.
    episode_length: steps of an episode, at least 1.
    falls_shut: if True, the door falls shut at the end of a step in which agent
      1 did not go through; else it stays open once it was opened.
  """

  level: levels.Level = dataclasses.field(
    default=levels.BOX_TRAPPED, init=False
  )
  view_size: int = dataclasses.field(default=9, init=False)
  num_agents: int = 2
  episode_length: int = 30
  falls_shut: bool = True

  def __post_init__(self):
    super().__post_init__()
    if self.num_agents != 2:
      raise ValueError(
        f'num_agents is {self.num_agents!r}: it must be 2, one free and one in '
        'the box.'
      )

  @property
  def num_actions(self) -> int:
    """Number of actions, 8: steps, stay and turns, then OPEN_BOX."""
    return OPEN_BOX + 1

  @property
  def action_names(self) -> tuple[str, ...]:
    """As in `moves.Action`, then 'open box'."""
    return (*super().action_names[:OPEN_BOX], 'open box')

  @functools.cached_property
  def walls(self) -> np.ndarray:
    """Cells that no agent can ever enter, bool [R, C]."""
    return self.level.mask(levels.WALL + levels.INNER_WALL)

  @functools.cached_property
  def door(self) -> np.ndarray:
    """Cells of the door, bool [R, C]."""
    return self.level.mask(levels.DOOR)

  @functools.cached_property
  def apple_cells(self) -> np.ndarray:
    """Cells that can hold apples, the door included, bool [R, C]."""
    return self.level.mask(levels.APPLE + levels.DOOR)

  def start(self, key: jax.Array, draws: draws_lib.Draws) -> State:
    """Returns the first state, always the same: both look up."""
    del draws
    return State(
      key=key,
      time=jnp.zeros((), jnp.int32),
      positions=jnp.asarray(self.level.starts),
      headings=jnp.full(2, moves.UP, jnp.int32),
      door=jnp.full((), SHUT, jnp.int32),
      eaten=jnp.zeros(2, jnp.int32),
      opened=jnp.zeros((), jnp.int32),
    )

  def play(
    self, state: State, actions: chex.Array, draws: draws_lib.Draws
  ) -> tuple[State, chex.Array]:
    """Opens the box, moves, eats, and lets the door fall shut."""
    del draws  # Nothing is left to chance.
    was_open = state.door == OPEN
    passable = was_open | (actions[0] == OPEN_BOX)
    wanted = moves.targets(
      state.positions, state.headings, actions, self.level.shape
    )
    blocked = self.walls | (self.door & ~passable)
    # Each agent has its own part of the map, so that they never collide.
    positions = moves.keep_out(state.positions, wanted, blocked)

    moved = jnp.any(positions != state.positions, axis=1)
    eats = (
      moved & jnp.asarray(self.apple_cells)[positions[:, 0], positions[:, 1]]
    )
    went_out = jnp.asarray(self.door)[positions[1, 0], positions[1, 1]]
    stays = was_open | (passable & (went_out | (not self.falls_shut)))
    state = state._replace(
      time=state.time + 1,
      positions=positions,
      headings=moves.turn(state.headings, actions),
      door=jnp.where(stays, OPEN, jnp.where(passable, AJAR, SHUT)),
      eaten=state.eaten + eats,
      opened=state.opened | passable,
    )
    return state, eats.astype(jnp.float32)

  def events(self, state: State) -> dict[str, chex.Array]:
    """Returns 'apples', int32 [2], and 'box_opened', int32 [], 0 or 1."""
    return {'apples': state.eaten, 'box_opened': state.opened}

  def paint(self, state: State) -> chex.Array:
    """Draws the map without the agents, uint32 [R, C], packed colours."""
    things = [
      (self.apples(state), colours.APPLE),
      (self.door & (state.door == SHUT), colours.SHUT),
      (self.door & (state.door == AJAR), colours.AJAR),
    ]
    return colours.paint(jnp.asarray(self.background), things)

  def observe(self, state: State) -> chex.Array:
    """Returns uint8 [2, 9, 9, 3]: the whole map, turned by each heading."""
    picture = colours.paint_agents(self.paint(state), state.positions)
    turned = jax.vmap(views.turn, (None, 0))(picture, state.headings)
    return colours.unpack(turned)

  def visible(self, state: State) -> chex.Array:
    """Returns bool [2, 2]: the agents always see each other."""
    del state
    return ~jnp.eye(2, dtype=bool)

  def apples(self, state: State) -> chex.Array:
    """Returns the cells with an apple, bool [R, C]."""
    free = moves.occupants(state.positions, self.level.shape) == 0
    return self.apple_cells & free & (~self.door | (state.door == OPEN))
