"""Defines the inputs and outputs of a rollout.

Letters: T steps, B environments, N agents.
"""

from typing import Any, NamedTuple

import chex

from influence_acme.rollouts import vector_environment as vector_lib


class RolloutStep(NamedTuple):
  """Holds one row of all environments, before its reward is known.

  Attributes:
    observation: [N, B, ...].
    actions: int32 [N, B], or a dict of such.
    extrinsic: float32 [N, B].
    shaped: float32 [N, B], the shaped extrinsic reward.
    discount: float32 [B].
    start_of_episode: bool [B].
    is_padding: bool [B], True after an episode's last step: all but the
      observation will be zero.
    extras: of the policy's output, [N, B, ...].
    core_state: before the step, [N, B, ...].
    influence: float32 [N, B], nats; if it is known one step late, that of the
      row before, and in padding that of an episode's last step.
    weight: float32 [N], of influence in the reward.
    learner_steps: int32 [], of the parameters.
  """

  observation: dict[str, chex.Array]
  actions: Any
  extrinsic: chex.Array
  shaped: chex.Array
  discount: chex.Array
  start_of_episode: chex.Array
  is_padding: chex.Array
  extras: dict[str, chex.Array]
  core_state: chex.ArrayTree
  influence: chex.Array
  weight: chex.Array
  learner_steps: chex.Array


class Totals(NamedTuple):
  """Holds sums over the steps of an episode, see `metrics.episode`.

  Attributes:
    returns: float32 [N, B], of extrinsic rewards.
    num_paid: int32 [N, B], the number of rewards above 0.
    paid_time: float32 [N, B], the sum of the times of these.
    num_steps: int32 [B].
  """

  returns: chex.Array
  num_paid: chex.Array
  paid_time: chex.Array
  num_steps: chex.Array


class ScanState(NamedTuple):
  """Holds the state of all environments between two rows.

  Attributes:
    environment: of the environments.
    step: output of the environments.
    core_state: of the policy, [N, B, ...].
    influence_step: of the row before, [N, B, ...], if its influence is known
      one step late; else ().
    smoothed: float32 [N, B], rewards of the episode so far, if they are shaped.
    keys: uint32 [B, 2], for the agents' actions in each environment.
    num_steps: uint32 [B], environment steps so far.
    totals: of the episodes, so far.
  """

  environment: vector_lib.State
  step: vector_lib.VectorStep
  core_state: chex.ArrayTree
  influence_step: Any
  smoothed: chex.Array
  keys: chex.PRNGKey
  num_steps: chex.Array
  totals: Totals


class RolloutState(NamedTuple):
  """Holds the state between two calls of a rollout.

  Attributes:
    state: of the environments and the policy.
    overlap: [1 or 2, ...], the first rows of the next sequences.
  """

  state: ScanState
  overlap: RolloutStep


class ActorParams(NamedTuple):
  """Holds the inputs of a rollout from the learner.

  Attributes:
    params: stacked, [N, ...].
    weight: float32 [N], of influence in the reward.
    learner_steps: int32 [], of the parameters.
  """

  params: chex.ArrayTree
  weight: chex.Array
  learner_steps: chex.Array


class Episodes(NamedTuple):
  """Holds sums and metrics of episodes after each row.

  Attributes:
    is_step: bool [T, B], True for a step, False for padding.
    ended: bool [T, B], True if the step ended an episode.
    totals: [T, ...], of the episode so far.
    events: int32 [T, N, B] each, or [T, B], of the episode so far.
    influence: float32 [T, N, B], as in `RolloutStep`.
    last_step_influence: float32 [T, N, B], influence if the step is its
      episode's last, if it is known one step late; else ().
    choices: int32 [T, N], or a dict of such, in the first environment.
    is_finite: marks of `finite`, bool [T, N, B] each.
  """

  is_step: chex.Array
  ended: chex.Array
  totals: Totals
  events: dict[str, chex.Array]
  influence: chex.Array
  last_step_influence: Any
  choices: Any
  is_finite: dict[str, chex.Array]


class Sequences(NamedTuple):
  """Holds B sequences of T + 1 rows in the layout of the replay.

  Attributes:
    observation: [B, T + 1, N, ...].
    action: int32 [B, T + 1, N], or a dict of such.
    reward: float32 [B, T + 1, N]: extrinsic and weighted influence.
    discount: float32 [B, T + 1].
    start_of_episode: bool [B, T + 1].
    extras: [B, T + 1, ...]; but 'core_state' is that of the first rows alone,
      [B, N, ...].
  """

  observation: dict[str, chex.Array]
  action: Any
  reward: chex.Array
  discount: chex.Array
  start_of_episode: chex.Array
  extras: dict[str, Any]
