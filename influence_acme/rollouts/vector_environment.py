"""Plays many copies of a functional environment at once.

Each copy goes the way that the dm_env face of the same seed goes inside of an
`OthersActionsWrapper`, and of a `MessageChannelWrapper` around it where agents
speak: the same observations, and the same chance in episode e of its seed.

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
from influence_acme.wrappers import message_channel, others_actions

# Actions and messages before an episode's first step.
_NONE = others_actions.NO_ACTION
assert message_channel.NO_MESSAGE == _NONE


class State(NamedTuple):
  """State of all copies.

  Attributes:
    environment: the environments' own states, [B, ...].
    keys: uint32 [B, 2], each copy's.
    episode: uint32 [B], the number of the episode that is played.
    is_last: bool [B], whether it has ended.
  """

  environment: Any
  keys: chex.PRNGKey
  episode: chex.Array
  is_last: chex.Array


class VectorStep(NamedTuple):
  """Output of one step of all copies.

  Attributes:
    observation: 'world' uint8 [N, B, H, W, C] or float32 [N, B, D], 'actions'
      int32 [N, B, N] and 'visible' bool [N, B, N]; 'messages' int32 [N, B, N]
      where agents speak.
    reward: float32 [N, B].
    discount: float32 [B].
    is_first: bool [B], whether the step started an episode.
    is_last: bool [B], whether it ended one.
    events: int32 [N, B] each, or [B], what has happened in the episode so far.
  """

  observation: dict[str, chex.Array]
  reward: chex.Array
  discount: chex.Array
  is_first: chex.Array
  is_last: chex.Array
  events: dict[str, chex.Array]


@dataclasses.dataclass(frozen=True)
class VectorEnvironment:
  """Pure functions of B environments at a time.

  Attributes:
    environment: the pure functions of one copy.
    with_messages: whether agents speak.
  """

  environment: environments.FunctionalEnvironment
  with_messages: bool = False

  def reset(self, keys: chex.PRNGKey) -> tuple[State, VectorStep]:
    """Starts the first episode of every copy.

    Args:
      keys: uint32 [B, 2]; PRNGKey(seed) is that of the dm_env face of a seed.
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
      choices: actions, int32 [N, B]; or 'action' and 'message', such arrays,
        where agents speak. Ignored where an episode has ended.
    """
    if self.with_messages:
      last = {'actions': choices['action'].T, 'messages': choices['message'].T}
    else:
      last = {'actions': choices.T}  # [B, N]
    ended = state.is_last
    episode = state.episode + ended
    played = jax.vmap(self.environment.step)(state.environment, last['actions'])

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
    """Starts an episode of every copy, from the key that its number gives."""
    return jax.vmap(
      lambda key, number: self.environment.reset(
        jax.random.fold_in(key, number)
      )
    )(keys, episode)

  def _after(
    self,
    environment: Any,
    keys: chex.PRNGKey,
    episode: chex.Array,
    step: environments.Step,
    last: dict[str, chex.Array],
  ) -> tuple[State, VectorStep]:
    """Returns the state, and what everyone sees of it."""
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
  """Gives bool [B] as many axes as x, [B, ...], has."""
  return condition.reshape(condition.shape + (1,) * (x.ndim - 1))
