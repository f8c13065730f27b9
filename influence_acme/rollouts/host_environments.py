"""Steps environments that are not JAX functions: any multi-agent dm_env.

B of them are stepped in a pool of threads, between compiled functions that act
in all of them; rows are those of `unroll`.

Letters: T steps, N agents, B environments.
"""

import contextlib
import functools
from collections.abc import Callable, Sequence
from concurrent import futures
from typing import Any

import chex
import dm_env
import jax
import jax.numpy as jnp
import numpy as np

from influence_acme import types, xla_threads
from influence_acme.rollouts import records, steps, unroll
from influence_acme.rollouts import vector_environment as vector_lib
from influence_acme.system import specs
from influence_acme.system import types as system_types


class HostEnvironments:
  """Steps a batch of environments in parallel threads."""

  def __init__(
    self,
    environments: Sequence[dm_env.Environment],
    agent_ids: Sequence[types.AgentId],
  ):
    """Takes the environments over.

    Args:
      environments: B, each wrapped for its agents, see `system.wrap`.
      agent_ids: N names, in the order of every axis N.
    """
    self._environments = list(environments)
    self._agent_ids = tuple(agent_ids)
    self._ended = np.ones(len(environments), bool)
    self._threads = futures.ThreadPoolExecutor(xla_threads.num_cores())

  def reset(self) -> vector_lib.VectorStep:
    """Starts an episode of every environment."""
    self._ended = np.ones(len(self._environments), bool)
    return self._step_each([None] * len(self._environments))

  def step(self, choices: Any) -> vector_lib.VectorStep:
    """Plays one step of each environment, or starts its next episode.

    Args:
      choices: int32 [N, B], or a dict of such; ignored where an episode has
        ended.
    """
    choices = jax.tree_util.tree_map(np.asarray, choices)
    return self._step_each(
      [
        specs.unstack_actions(
          jax.tree_util.tree_map(lambda x: x[:, b], choices),  # noqa: B023
          self._agent_ids,
        )
        for b in range(len(self._environments))
      ]
    )

  def close(self) -> None:
    """Closes all environments, also if one of them raises."""
    with contextlib.ExitStack() as stack:
      for environment in self._environments:
        stack.callback(environment.close)
      self._threads.shutdown()

  def _step_each(self, actions: Sequence[Any]) -> vector_lib.VectorStep:
    parts = list(
      self._threads.map(
        self._step_one, self._environments, self._ended, actions
      )
    )
    timesteps, events = zip(*parts, strict=True)
    self._ended = np.array([timestep.last() for timestep in timesteps])
    num_agents = len(self._agent_ids)

    def stack(values: Sequence[Any], axis: int) -> Any:
      return jax.tree_util.tree_map(lambda *x: np.stack(x, axis=axis), *values)

    return vector_lib.VectorStep(
      observation=stack([t.observation for t in timesteps], axis=1),
      reward=stack(
        [
          np.zeros(num_agents, np.float32) if t.first() else t.reward
          for t in timesteps
        ],
        axis=1,
      ),
      discount=np.array(
        [1.0 if t.first() else t.discount for t in timesteps], np.float32
      ),
      is_first=np.array([timestep.first() for timestep in timesteps]),
      is_last=self._ended,
      events={
        name: np.stack([each[name] for each in events], axis=-1)
        for name in events[0]
      },
    )

  def _step_one(
    self, environment: dm_env.Environment, ended: bool, actions: Any
  ) -> tuple[dm_env.TimeStep, dict[str, np.ndarray]]:
    timestep = environment.reset() if ended else environment.step(actions)
    events: dict[str, np.ndarray] = getattr(environment, 'events', dict)()
    return specs.stack_timestep(timestep, self._agent_ids), events


def make_rollout(
  environments: HostEnvironments,
  policy: system_types.JointPolicy,
  unroll_length: int,
  arrange: Callable[..., Any],
) -> unroll.Rollout:
  """Makes the functions of a rollout over host environments.

  Args:
    environments: B of them, which keep their own state.
    policy: the population's.
    unroll_length: T.
    arrange: of `layout`.

  Returns:
    The functions; `start` reads no keys of the environments, and marks nothing,
    as their wrappers have checked what they put out.
  """
  act = xla_threads.jit(functools.partial(steps.act, policy))
  finish_row = xla_threads.jit(
    functools.partial(steps.finish_row, policy), donate_argnums=1
  )
  size = 1 + policy.delay  # Rows that the next sequences begin with.
  join = jax.jit(_join)
  last_rows = jax.jit(functools.partial(_last_rows, size))
  to_sequences = jax.jit(lambda rows: arrange(rows, policy.delay))

  def advance(actor_params, state, overlap, num_rows):
    rows, episodes = [], []
    for _ in range(num_rows):
      act_output = act(actor_params, state)
      step = environments.step(act_output.actions)
      state, (row, measured) = finish_row(
        actor_params, state, act_output, (), step
      )
      rows.append(row)
      episodes.append(measured)
    episodes = jax.tree_util.tree_map(lambda *x: np.stack(x), *episodes)
    return state, join(overlap, rows), episodes

  def start(
    actor_params: records.ActorParams,
    environment_keys: chex.PRNGKey,
    keys: chex.PRNGKey,
  ) -> tuple[records.RolloutState, records.Episodes, dict[str, chex.Array]]:
    del environment_keys
    first = unroll.first_state(
      policy, actor_params, (), environments.reset(), jnp.asarray(keys)
    )
    state, rows, episodes = advance(actor_params, *first, size)
    return records.RolloutState(state, last_rows(rows)), episodes, {}

  def advance_batch(
    actor_params: records.ActorParams, rollout: records.RolloutState
  ) -> tuple[records.RolloutState, records.Episodes, records.Sequences]:
    state, rows, episodes = advance(actor_params, *rollout, unroll_length)
    state = records.RolloutState(state, last_rows(rows))
    return state, episodes, to_sequences(rows)

  return unroll.Rollout(start, advance_batch, is_compiled=False)


def _last_rows(size: int, rows: records.RolloutStep) -> records.RolloutStep:
  return jax.tree_util.tree_map(lambda x: x[-size:], rows)


def _join(overlap: records.RolloutStep, rows: list[Any]) -> records.RolloutStep:
  """Returns the overlap, [1 or 2, ...], followed by rows, [...] each."""
  return jax.tree_util.tree_map(
    lambda first, *rest: jnp.concatenate([first, jnp.stack(rest)]),
    overlap,
    *rows,
  )
