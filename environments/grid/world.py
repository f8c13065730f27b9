"""Runs the episodes of a grid world on any level.

Letters: N agents, P start cells, R x C the map, V the side of a view.
"""

import abc
import dataclasses
import functools
from typing import Any

import chex
import dm_env
import jax
import jax.numpy as jnp
import numpy as np

from influence_acme import checks
from influence_acme.environments import base
from influence_acme.environments.grid import (
  colours,
  levels,
  moves,
  render,
  views,
)
from influence_acme.environments.grid import draws as draws_lib


@dataclasses.dataclass(frozen=True, kw_only=True)
class GridWorld(base.FunctionalEnvironment):
  """Plays episodes of fixed length on a level.

  A game defines `start`, `play` and `paint`. Its state is a NamedTuple with at
  least these fields: `key`, `time` (int32 [], steps played in the episode),
  `positions` (int32 [N, 2]) and `headings` (int32 [N]).

  Attributes:
    level: the map, or its text.
    num_agents: N, at least 1, at most one for each start cell.
    episode_length: steps of an episode, at least 1.
    view_size: V, the cells on each side of a view, odd and at least 3.
  """

  level: levels.Level
  num_agents: int = 5
  episode_length: int = 1000
  view_size: int = views.SIZE

  def __post_init__(self):
    _check_overrides(self)
    checks.normalise(self)
    if not isinstance(self.level, levels.Level):
      self._set('level', levels.Level(self.level))
    self.level.require(levels.START, type(self).__name__)
    most, why = len(self.level.starts), 'number of start cells of the level'
    if most > len(colours.AGENTS):
      most, why = len(colours.AGENTS), "number of agents' colours"
    checks.integer('num_agents', self.num_agents, 1, most, f', the {why}')
    checks.integer('episode_length', self.episode_length, 1)
    checks.integer('view_size', self.view_size, 3)
    if self.view_size % 2 == 0:
      raise ValueError(
        f'view_size is {self.view_size}: it must be odd, since the agent is in '
        'the middle.'
      )

  @abc.abstractmethod
  def start(self, key: jax.Array, draws: draws_lib.Draws) -> Any:
    """Returns the first state of an episode.

    Args:
      key: for all random draws to come.
      draws: for the agents' start cells.
    """

  @abc.abstractmethod
  def play(
    self, state: Any, actions: chex.Array, draws: draws_lib.Draws
  ) -> tuple[Any, chex.Array]:
    """Applies the rules of one step inside an episode.

    Args:
      state: before the step.
      actions: int32 [N].
      draws: of the step.

    Returns:
      The state after the step, its key unchanged, and float32 [N], the reward.
    """

  @abc.abstractmethod
  def paint(self, state: Any) -> chex.Array:
    """Draws the map without the agents, uint32 [R, C], packed colours."""

  @property
  def action_names(self) -> tuple[str, ...]:
    """Names of the actions: 'step left', ..., as in `moves.Action`."""
    names = [action.name.lower().replace('_', ' ') for action in moves.Action]
    return tuple(names[: self.num_actions])

  @property
  def observation_shape(self) -> tuple[int, ...]:
    """Shape of a view, (V, V, 3)."""
    return self.view_size, self.view_size, 3

  @functools.cached_property
  def background(self) -> np.ndarray:
    """The empty level, uint32 [R, C], packed colours."""
    return colours.background(self.level)

  @functools.cached_property
  def inner_walls(self) -> np.ndarray | None:
    """The walls inside of the map, bool [R, C]; None if there are none."""
    walls = self.level.mask(levels.INNER_WALL)
    return walls if walls.any() else None

  def observe(self, state: Any) -> chex.Array:
    """Returns the views of all agents, uint8 [N, V, V, 3]."""
    picture = colours.paint_agents(self.paint(state), state.positions)
    return views.observe(
      picture, state.positions, state.headings, self.view_size
    )

  def draw(self, key: jax.Array) -> draws_lib.Draws:
    """Draws the random numbers of one step."""
    num_starts = len(self.level.starts)
    return draws_lib.draw(key, self.level.shape, self.num_agents, num_starts)

  def place(self, draws: draws_lib.Draws) -> tuple[chex.Array, chex.Array]:
    """Draws start cells, int32 [N, 2], and headings, int32 [N]."""
    shuffled = draws_lib.order(draws_lib.ranks(draws.starts))
    cells = jnp.asarray(self.level.starts)[shuffled]
    return cells[: self.num_agents], (draws.agents >> 30).astype(jnp.int32)

  def reset(self, key: jax.Array) -> tuple[Any, base.Step]:
    """Starts an episode; see the base class."""
    key, draw_key = jax.random.split(key)
    state = self.start(key, self.draw(draw_key))
    return state, self._step_at(state, jnp.zeros(self.num_agents, jnp.float32))

  def step(self, state: Any, actions: chex.Array) -> tuple[Any, base.Step]:
    """Plays one step, or starts the next episode; see the base class."""
    key, draw_key = jax.random.split(state.key)
    # Only one of start and step takes effect, so that they can share draws.
    draws = self.draw(draw_key)
    finished = state.time >= self.episode_length
    started = self.start(key, draws)
    state = state._replace(key=key)
    played, reward = self.play(state, jnp.asarray(actions), draws)
    state = jax.tree_util.tree_map(
      lambda x, y: jnp.where(finished, x, y), started, played
    )
    return state, self._step_at(state, jnp.where(finished, 0.0, reward))

  def visible(self, state: Any) -> chex.Array:
    """Returns bool [N, N]: row agent sees column agent; diagonal False."""
    return views.visible(state.positions, self.view_size)

  def render(self, state: Any) -> np.ndarray:
    """Returns a picture of the map for display, uint8 [16 R, 16 C, 3]."""
    return render.render(
      np.asarray(self.paint(state)), state.positions, state.headings
    )

  def _step_at(self, state: Any, reward: chex.Array) -> base.Step:
    """Returns the output of a step that leads to this state."""
    last = state.time == self.episode_length
    step_type = jnp.where(last, dm_env.StepType.LAST, dm_env.StepType.MID)
    step_type = jnp.where(state.time == 0, dm_env.StepType.FIRST, step_type)
    return base.Step(
      observation=self.observe(state),
      reward=reward,
      discount=jnp.ones((), jnp.float32),
      step_type=step_type.astype(jnp.int32),
    )

  def _set(self, name: str, value: Any) -> None:
    """Sets a field of the frozen environment during initialisation."""
    object.__setattr__(self, name, value)


def _check_overrides(environment: Any) -> None:
  """Checks that no subclass sets a field without effect.

  Without an annotation, an attribute of a dataclass is not a new default of the
  inherited field: instances would go on with the old one.
  """
  for field in dataclasses.fields(environment):
    cls = type(environment)
    if getattr(cls, field.name, field.default) is not field.default:
      raise ValueError(
        f'{field.name} is set as an attribute of {cls.__name__}, which leaves '
        'the field as it is: annotate it and make the class a dataclass, or '
        f'give {field.name} when making the environment.'
      )
