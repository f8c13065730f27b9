"""Wraps a rollout of many environments as an actor of a program.

Letters: T steps, B environments, N agents.
"""

from influence_acme import compat  # noqa: F401  Before acme.jax.

# isort: split

from collections.abc import Callable, Sequence

import chex
import jax
import numpy as np
import reverb
from acme import core

from influence_acme import environments
from influence_acme.agents import influence
from influence_acme.agents.influence import sequence_writer
from influence_acme.rollouts import (
  episodes,
  finite,
  records,
  unroll,
  vector_environment,
)
from influence_acme.system import summary


class RolloutActor:
  """Plays all agents in B environments, T steps at a time.

  Environment b and its rows are the same as with the builder's Acme actor of
  the same seed, key and parameters.
  """

  def __init__(
    self,
    builder: influence.InfluenceBuilder,
    networks: influence.InfluenceNetworks,
    environment: environments.FunctionalEnvironment,
    *,
    seeds: Sequence[int],
    keys: Sequence[chex.PRNGKey],
    variable_source: core.VariableSource,
    replay: reverb.Client,
  ):
    """Makes the actor; it compiles when it first plays.

    Args:
      builder: of the agent.
      networks: of the population.
      environment: to play.
      seeds: B, of the environments, in [0, 2**32).
      keys: B, of the agents' actions in each environment.
      variable_source: the learner.
      replay: client of the replay, for the sequences.

    Raises:
      ValueError: the networks are those of another environment.
    """
    _check_fits(environment, networks)
    policy = builder.make_joint_policy(networks)
    self._agent_ids = policy.agent_ids
    self._weight = builder.influence_weight
    self._variables = builder.make_variables(variable_source)
    self._rollout = unroll.make_rollout(
      vector_environment.VectorEnvironment(
        environment, with_messages=networks.num_symbols > 0
      ),
      policy,
      builder.config.unroll_length,
    )
    self._keys = (
      np.stack([jax.random.PRNGKey(seed) for seed in seeds]),
      np.stack(list(keys)),
    )
    self._writer = sequence_writer.SequenceWriter(replay)
    self._episodes = episodes.EpisodeBuffer(len(self._keys[0]), policy.delay)
    # None before the first `play`, which has parameters.
    self._rollout_state: records.RolloutState | None = None

  def play(self) -> tuple[records.Sequences, int, list[episodes.Episode]]:
    """Plays T rows in every environment.

    Returns:
      The sequences to write, the number of environment steps, and the episodes
      that ended.

    Raises:
      FloatingPointError: a number of an environment, or a reward, is not
        finite.
    """
    self._variables.take()
    weight = np.float32(self._weight(self._variables.environment_steps))
    actor_params = records.ActorParams(
      self._variables.params,
      np.broadcast_to(weight, len(self._agent_ids)),
      self._variables.learner_steps,
    )
    parts = []
    if self._rollout_state is None:
      self._rollout_state, played, is_finite = self._rollout.start(
        actor_params, *self._keys
      )
      finite.check(is_finite, 0, self._agent_ids)
      parts.append(played)
    self._rollout_state, played, sequences = self._rollout.unroll(
      actor_params, self._rollout_state
    )
    parts.append(played)
    finite.check_episodes(parts, self._agent_ids)
    # The replay would hand it on for long.
    summary.check_rewards(
      np.moveaxis(np.asarray(sequences.reward), -1, 0),
      self._agent_ids,
      int(self._variables.learner_steps),
    )
    num_steps = sum(int(np.sum(part.is_step)) for part in parts)
    ended = [episode for part in parts for episode in self._episodes.add(part)]
    return sequences, num_steps, ended

  def write(
    self, sequences: records.Sequences, after_item: Callable[[], None]
  ) -> None:
    """Writes sequences to the replay.

    Args:
      sequences: of `play`.
      after_item: called after each sequence.
    """
    self._writer.write(sequences, after_item)

  def update(self, wait: bool = False) -> None:
    """Fetches the learner's parameters, for the next `play`."""
    self._variables.update(wait)


def _check_fits(
  environment: environments.FunctionalEnvironment,
  networks: influence.InfluenceNetworks,
) -> None:
  """Raises ValueError: agents or actions are not those of the networks."""
  for name in ('agent_ids', 'num_actions'):
    played, known = getattr(environment, name), getattr(networks, name)
    if played != known:
      raise ValueError(
        f'The functional environment has {name} {played}, but the networks '
        f'have {known}: make them for the environment that is played.'
      )
