"""Defines repeated matrix games, the smallest multi-agent environments.

All agents see each other, and everyone's action of the last step:

```
world, one agent's view        action 0  1  2
                      agent_0         .  O  .     the viewer's own action: OWN
                      agent_1         x  .  .     another agent's: OTHER
```

The view is black before the first step. Episodes take `episode_length` actions
and end by time limit. Nothing in the games is random.

Letters: N agents, A actions, H x W the height and width of a view.
"""

import abc
import dataclasses
from typing import Any, NamedTuple

import chex
import dm_env
import jax
import jax.numpy as jnp
import numpy as np

from influence_acme import checks
from influence_acme.environments import base

OWN = (255, 255, 255)
OTHER = (0, 0, 255)

# A view is at least as large as two 3x3 VALID convolutions need.
_MIN_SIZE = 5
# Screen pixels per pixel of a view.
_RENDER_SCALE = 16

# Payoff of the row's action against the column's: 0 cooperates, 1 defects.
PRISONERS_DILEMMA = ((3.0, 0.0), (4.0, 1.0))


class State(NamedTuple):
  """Holds the state of a repeated game.

  Attributes:
    actions: int32 [N], everyone's last actions; -1 before the first step.
    time: int32 [], steps of the episode so far.
  """

  actions: jax.Array
  time: jax.Array


@dataclasses.dataclass(frozen=True, kw_only=True)
class _RepeatedGame(base.FunctionalEnvironment):
  """Repeats a game with rewards that depend on the step's joint action alone.

  Attributes:
    num_agents: N, at least 2.
    num_actions: A, at least 2.
    episode_length: joint actions of an episode, at least 1.
  """

  num_agents: int = 2
  num_actions: int = 2
  episode_length: int = 20

  def __post_init__(self):
    checks.normalise(self)
    checks.count(self, 'num_agents', 'num_actions', low=2)
    checks.count(self, 'episode_length')

  @abc.abstractmethod
  def rewards(self, actions: jax.Array) -> jax.Array:
    """Returns float32 [N] for the joint action int32 [N]."""

  @property
  def observation_shape(self) -> tuple[int, ...]:
    """Shape of a view, (max(N, 5), max(A, 5), 3)."""
    return max(self.num_agents, _MIN_SIZE), max(self.num_actions, _MIN_SIZE), 3

  def reset(self, key: jax.Array) -> tuple[State, base.Step]:
    """Starts an episode; the key makes no difference."""
    del key
    nobody_acted = jnp.full(self.num_agents, -1, jnp.int32)
    state = State(actions=nobody_acted, time=jnp.zeros((), jnp.int32))
    return state, self._step_at(state)

  def step(self, state: State, actions: chex.Array) -> tuple[State, base.Step]:
    """Plays one joint action; a finished episode starts the next one."""
    finished = state.time >= self.episode_length
    state = State(
      actions=jnp.where(finished, -1, actions).astype(jnp.int32),
      time=jnp.where(finished, 0, state.time + 1),
    )
    return state, self._step_at(state)

  def visible(self, state: State) -> jax.Array:
    """Returns bool [N, N], True off the diagonal: all agents see each other."""
    del state
    return ~jnp.eye(self.num_agents, dtype=bool)

  def render(self, state: State) -> np.ndarray:
    """Returns the first agent's view, enlarged."""
    view = np.asarray(self._observation(state.actions)[0])
    return view.repeat(_RENDER_SCALE, axis=0).repeat(_RENDER_SCALE, axis=1)

  def _step_at(self, state: State) -> base.Step:
    """Returns the output of a step that leads to this state."""
    first = state.time == 0
    last = state.time == self.episode_length
    kinds = dm_env.StepType
    step_type = jnp.select([first, last], [kinds.FIRST, kinds.LAST], kinds.MID)
    return base.Step(
      observation=self._observation(state.actions),
      reward=jnp.where(first, 0.0, self.rewards(state.actions)),
      discount=jnp.ones((), jnp.float32),
      step_type=step_type.astype(jnp.int32),
    )

  def _observation(self, actions: jax.Array) -> jax.Array:
    """Draws the last joint action, int32 [N], as views uint8 [N, H, W, 3]."""
    n = self.num_agents
    played = jax.nn.one_hot(actions, self.num_actions, dtype=bool)  # [N, A]
    own = jnp.eye(n, dtype=bool)[:, :, None, None]
    colour = jnp.where(own, jnp.uint8(OWN), jnp.uint8(OTHER))  # [N, N, 1, 3]
    views = jnp.where(played[None, :, :, None], colour, jnp.uint8(0))
    height, width = self.observation_shape[:2]
    padding = ((0, 0), (0, height - n), (0, width - self.num_actions), (0, 0))
    return jnp.pad(views, padding)


@dataclasses.dataclass(frozen=True, kw_only=True)
class MatrixGame(_RepeatedGame):
  """Repeats a game given by its payoffs.

  Attributes:
    payoff: nested sequences or an array of one of two shapes, kept as nested
      tuples of floats, so that the game can be hashed.
      [A, A], for any N: symmetric. `payoff[own][other]`, summed over the
        others.
      [A, ..., A, N], with N axes of length A: general.
        `payoff[a_0]...[a_{N-1}]` holds everyone's rewards; for two agents,
        `payoff[a_0][a_1] = (reward_0, reward_1)`.
  """

  payoff: Any = PRISONERS_DILEMMA

  def __post_init__(self):
    super().__post_init__()
    n, a = self.num_agents, self.num_actions
    try:
      payoff = np.asarray(self.payoff, float)
    except (TypeError, ValueError):
      payoff = np.asarray(np.nan)  # Ragged, or not of numbers.
    shapes = ((a, a), (a,) * n + (n,))
    if payoff.shape not in shapes or not np.isfinite(payoff).all():
      raise ValueError(
        f'payoff is {self.payoff!r}: for num_agents={n} and num_actions={a} '
        f'it must be finite numbers of shape {shapes[0]} or {shapes[1]}.'
      )
    object.__setattr__(self, 'payoff', checks.plain(payoff))

  def rewards(self, actions: jax.Array) -> jax.Array:
    """Returns float32 [N] for the joint action int32 [N]."""
    payoff = jnp.asarray(self.payoff, jnp.float32)
    if payoff.ndim > 2:
      return payoff[tuple(actions)]
    pairs = payoff[actions[:, None], actions[None, :]]  # [own, other]
    others = ~jnp.eye(self.num_agents, dtype=bool)
    return jnp.sum(pairs, axis=1, where=others)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Coordination(_RepeatedGame):
  """Rewards all agents with 1 if all play the same action, else with 0.

  The best return is `episode_length` for every agent; the agents must agree on
  one of A equally good actions. Uniform play earns A**(1 - N) a step.
  """

  num_actions: int = 3

  def rewards(self, actions: jax.Array) -> jax.Array:
    """Returns float32 [N] for the joint action int32 [N]."""
    agreed = jnp.all(actions == actions[0]).astype(jnp.float32)
    return jnp.broadcast_to(agreed, (self.num_agents,))
