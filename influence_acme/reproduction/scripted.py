"""Agents that follow rules: cooperators and defectors of Cleanup and Harvest.

They see as far as agents that learn, and where nothing that they want is in
sight, they wander. None of them ever fires. A defector eats whatever apple is
nearest. A cooperator in Harvest leaves apples that have few others around, so
that they grow back; one in Cleanup cleans the river while it is dirty.

Letters: N agents, R x C the map.
"""

from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np

from influence_acme.environments import harvest as harvest_lib
from influence_acme.environments.grid import beams, levels, moves, views

REACH = views.SIZE // 2  # Cells on each side that an agent sees.

# Where an agent can be after a step: up, right, down, left, or where it is.
_STEPS = np.array([[-1, 0], [0, 1], [1, 0], [0, -1], [0, 0]])
_STAY = 4
# The actions of the first four, by the quarter turns from heading to step.
_ACTIONS = np.array(
  [
    moves.Action.STEP_FORWARD,
    moves.Action.STEP_RIGHT,
    moves.Action.STEP_BACK,
    moves.Action.STEP_LEFT,
  ]
)
# So often a step is random, which lets two agents pass each other.
_RANDOM_STEPS = 0.05
_NOWHERE = 1000  # Further than any cell.
RIVER = levels.CLEANUP.mask(levels.WATER + levels.WASTE)


def harvest(
  state: harvest_lib.State, cooperates: chex.Array, key: jax.Array, spare: int
) -> chex.Array:
  """Chooses what everyone does in Harvest.

  Args:
    state: of the game.
    cooperates: bool [N].
    key: of the random steps.
    spare: a cooperator eats an apple, or steps on it, only if at least so many
      others lie on the eight cells around it.

  Returns:
    int32 [N], actions.
  """
  others = harvest_lib.around(state.apples).astype(jnp.int32) - state.apples
  sparse = state.apples & (others < spare)
  avoided = cooperates[:, None, None] & sparse[None]
  actions, _ = _walk(state, state.apples[None] & ~avoided, avoided, key)
  return actions


def cleanup(
  state: Any, cooperates: chex.Array, key: jax.Array, dirty: float
) -> chex.Array:
  """Chooses what everyone does in Cleanup.

  Args:
    state: of the game.
    cooperates: bool [N].
    key: of the random steps.
    dirty: a cooperator cleans while at least this share of the river is waste.

  Returns:
    int32 [N], actions.
  """
  cleans = cooperates & (jnp.mean(state.waste[RIVER]) >= dirty)
  wanted = jnp.where(cleans[:, None, None], state.waste, state.apples)
  actions, distance = _walk(state, wanted, jnp.zeros_like(wanted), key)
  occupants = moves.occupants(state.positions, state.waste.shape)
  lanes = beams.trace(state.positions, state.headings, occupants)
  is_hit = lanes.open & state.waste.reshape(-1)[lanes.cells]  # [N, 3, L]
  in_reach = jnp.any(is_hit, axis=(1, 2))
  # Close to waste, but it is not ahead.
  turn = jnp.where(distance <= 2, moves.Action.TURN_CLOCKWISE, actions)
  return jnp.where(
    cleans, jnp.where(in_reach, moves.Action.CLEAN, turn), actions
  )


def _walk(
  state: Any, wanted: chex.Array, avoided: chex.Array, key: jax.Array
) -> tuple[chex.Array, chex.Array]:
  """Walks everyone to the nearest cell in sight that it wants.

  Args:
    state: of a game, with `positions` and `headings`.
    wanted: bool [N, R, C].
    avoided: bool [N, R, C], where an agent does not step.
    key: of ties, of random steps, and of the way where nothing is in sight.

  Returns:
    int32 [N], actions, none of them a turn; and int32 [N], how many steps away
    the nearest cell is.
  """
  shape = wanted.shape[1:]
  agents = np.arange(len(wanted))[:, None]
  cells = jnp.clip(
    state.positions[:, None] + _STEPS, 0, np.array(shape) - 1
  )  # [N, 5, 2]
  rows, columns = cells[..., 0], cells[..., 1]

  away = [  # [N, 5, R] and [N, 5, C]
    jnp.abs(cells[..., axis, None] - np.arange(shape[axis])) for axis in (0, 1)
  ]
  in_sight = (away[0][:, _STAY, :, None] <= REACH) & (
    away[1][:, _STAY, None, :] <= REACH
  )
  goals = (wanted & in_sight)[:, None]  # [N, 1, R, C]
  steps = away[0][..., :, None] + away[1][..., None, :]  # [N, 5, R, C]
  distance = jnp.min(jnp.where(goals, steps, _NOWHERE), axis=(2, 3))  # [N, 5]

  tie_key, random_key = jax.random.split(key)
  ties = jax.random.uniform(tie_key, distance.shape)
  wanders = distance[:, _STAY] >= _NOWHERE
  wanders |= jax.random.uniform(random_key, wanders.shape) < _RANDOM_STEPS
  cost = jnp.where(wanders[:, None], 0, distance) + 0.5 * ties
  occupants = moves.occupants(state.positions, shape)
  is_open = (occupants[rows, columns] == 0) & ~avoided[agents, rows, columns]
  is_open &= (rows > 0) & (rows < shape[0] - 1)
  is_open &= (columns > 0) & (columns < shape[1] - 1)
  cost = jnp.where(is_open, cost, 2 * _NOWHERE)
  # The own cell is occupied, by oneself. Who wanders leaves it if it can.
  stay = jnp.where(wanders, _NOWHERE, distance[:, _STAY] + 0.25)
  choice = jnp.argmin(cost.at[:, _STAY].set(stay), axis=1)
  turns = (choice - state.headings) % 4
  actions = jnp.where(
    choice == _STAY, moves.Action.STAY, jnp.asarray(_ACTIONS)[turns]
  )
  return actions, distance[:, _STAY]
