"""Steps many copies of a functional environment at once.

Each copy equals the dm_env adapter of the same seed inside of an
`OthersActionsWrapper`, with a `MessageChannelWrapper` around it if agents
speak: it has the same observations, and the same random draws in episode e of
its seed.

Letters: N agents, B environments, H x W x C an agent's view, D the length of a
vector.
"""

import dataclasses
from typing import Any, NamedTuple

import chex
import dm_env
import jax
import jax.numpy as jnp

from influence_acme import environments
from influence_acme.environments import base
from influence_acme.wrappers import message_channel, others_actions

# Actions and messages before an episode's first step.
_NONE = others_actions.NO_ACTION
assert message_channel.NO_MESSAGE == _NONE


class State(NamedTuple):
  """Holds the state of all copies.

  Attributes:
    environment: the environments' own states, [B, ...].
    keys: uint32 [B, 2], of each copy.
    episode: uint32 [B], the number of the current episode.
    is_last: bool [B], True if it has ended.
  """

  environment: Any
  keys: chex.PRNGKey
  episode: chex.Array
  is_last: chex.Array


class VectorStep(NamedTuple):
  """Holds the output of one step of all copies.

  Attributes:
    observation: 'world' uint8 [N, B, H, W, C] or float32 [N, B, D], 'actions'
      int32 [N, B, N] and 'visible' bool [N, B, N]; 'messages' int32 [N, B, N]
      where agents speak.
    reward: float32 [N, B].
    discount: float32 [B].
    is_first: bool [B], True if the step started an episode.
    is_last: bool [B], True if it ended one.
    events: int32 [N, B] each, or [B], of the episode so far.
  """

  observation: dict[str, chex.Array]
  reward: chex.Array
  discount: chex.Array
  is_first: chex.Array
  is_last: chex.Array
  events: dict[str, chex.Array]


@dataclasses.dataclass(frozen=True)
class VectorEnvironment:
  """Defines the pure functions of B environments at a time.

  Attributes:
    environment: the pure functions of one copy.
    with_messages: if True, agents speak.
  """

  environment: environments.FunctionalEnvironment
  with_messages: bool = False

  def reset(self, keys: chex.PRNGKey) -> tuple[State, VectorStep]:
    """Starts the first episode of every copy.

    Args:
      keys: uint32 [B, 2]; PRNGKey(seed) is the dm_env adapter's of a seed.
    """
    episode = jnp.zeros(keys.shape[0], jnp.uint32)
    state, step = self._start(keys, episode)
    none = jnp.full(
      (keys.shape[0], self.environment.num_agents), _NONE, jnp.int32
    )
    last = {'actions': none}
    if self.with_messages:
      last['messages'] = none
    return self._after(state, keys, episode, step, last)

  def step(self, state: State, choices: Any) -> tuple[State, VectorStep]:
    """Plays one step of every copy, or starts its next episode.

    Args:
      state: as returned by `reset` or `step`.
      choices: actions, int32 [N, B]; or 'action' and 'message', such arrays, if
        agents speak. Ignored in environments with an ended episode.
    """
    if self.with_messages:
      last = {'actions': choices['action'].T, 'messages': choices['message'].T}
    else:
      last = {'actions': choices.T}  # [B, N]
    ended = state.is_last
    episode = state.episode + ended
    played = jax.vmap(self._play)(state.environment, last['actions'])

    def restart(played):
      started = self._start(state.keys, episode)
      return jax.tree_util.tree_map(
        lambda x, y: jnp.where(_like(ended, x), x, y), started, played
      )

    # Rare, at least where all episodes are of one length.
    environment, step = jax.lax.cond(
      jnp.any(ended), restart, lambda played: played, played
    )
    last = {k: jnp.where(ended[:, None], _NONE, v) for k, v in last.items()}
    return self._after(environment, state.keys, episode, step, last)

  def _start(
    self, keys: chex.PRNGKey, episode: chex.Array
  ) -> tuple[Any, environments.Step]:
    """Starts an episode of every copy, with the key of its number."""

    def reset(key: chex.PRNGKey, number: chex.Array) -> Any:
      state, step = self.environment.reset(jax.random.fold_in(key, number))
      return state, base.check_step(self.environment, step)

    return jax.vmap(reset)(keys, episode)

  def _play(self, state: Any, actions: chex.Array) -> Any:
    """Plays one step of one copy."""
    state, step = self.environment.step(state, actions)
    return state, base.check_step(self.environment, step)

  def _after(
    self,
    environment: Any,
    keys: chex.PRNGKey,
    episode: chex.Array,
    step: environments.Step,
    last: dict[str, chex.Array],
  ) -> tuple[State, VectorStep]:
    """Returns the state, and the agents' observations of it."""
    num_agents = self.environment.num_agents
    visible = jax.vmap(self.environment.visible)(environment)  # [B, N, N]
    output = VectorStep(
      observation={
        'world': jnp.swapaxes(step.observation, 0, 1),
        'visible': jnp.swapaxes(visible, 0, 1),
        **{
          name: jnp.broadcast_to(x, (num_agents, *x.shape))
          for name, x in last.items()
        },
      },
      reward=step.reward.T,
      discount=step.discount,
      is_first=step.step_type == dm_env.StepType.FIRST,
      is_last=step.step_type == dm_env.StepType.LAST,
      events={
        name: jnp.moveaxis(value, 0, -1)
        for name, value in jax.vmap(self.environment.events)(
          environment
        ).items()
      },
    )
    return State(environment, keys, episode, output.is_last), output


def _like(condition: chex.Array, x: chex.Array) -> chex.Array:
  """Broadcasts bool [B] to the rank of x, [B, ...]."""
  return condition.reshape(condition.shape + (1,) * (x.ndim - 1))
