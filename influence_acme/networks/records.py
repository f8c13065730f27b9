"""Records that the agent's functions take and return.

Letters: T time, B batch, N agents, J = N - 1 others, A actions, M symbols, K
counterfactual choices, I influencers, S sources of influence, F features, U
hidden units.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import chex
import haiku as hk

Observation = Mapping[str, chex.Array]


class CoreState(NamedTuple):
  """Recurrent states before a step; every array is float32 [B, U].

  Attributes:
    policy: of the policy's LSTM.
    moa: of the MOA's LSTM; () without a MOA.
  """

  policy: hk.LSTMState
  moa: hk.LSTMState | tuple[()]


class HeadOutput(NamedTuple):
  """A policy and its value; [B...] is [B] of a step, [T, B] of a sequence.

  Attributes:
    logits: float32 [B..., M], M the symbols of a message.
    value: float32 [B...].
  """

  logits: chex.Array
  value: chex.Array


class StepOutput(NamedTuple):
  """Output of one step of the policy.

  Attributes:
    logits: float32 [B, A], of the own action.
    value: float32 [B].
    moa_features: float32 [B, F], the MOA's own features of the observation;
      None without a MOA.
    message: policy and value of the message; None without messages.
  """

  logits: chex.Array
  value: chex.Array
  moa_features: chex.Array | None = None
  message: HeadOutput | None = None


class UnrollOutput(NamedTuple):
  """Output of a whole sequence.

  Attributes:
    logits: float32 [T, B, A].
    value: float32 [T, B].
    moa_logits: float32 [T, B, J, A]; row t is about the actions at t + 1.
      None without a MOA.
    message: policy and value of the message; None without messages.
  """

  logits: chex.Array
  value: chex.Array
  moa_logits: chex.Array | None
  message: HeadOutput | None = None


class AgentNetworks(NamedTuple):
  """One agent's pure functions.

  An observation is a mapping with 'world', of a shape and dtype that the torso
  takes: by default uint8 [..., H, W, C]. Beside it the policy's LSTM reads, as
  one-hot vectors, with zeros for -1:
  - 'actions', int32 [..., N]: everyone's last actions, -1 before the first;
  - 'influencers', int32 [..., I]: the influencers' current actions, -1 in an
    influencer's own observation. Only with influencers;
  - 'messages', int32 [..., N]: everyone's last messages, -1 before the first.
    Only with messages.

  Attributes:
    init: (key, observation with a batch axis) -> params.
    initial_state: (batch_size) -> CoreState of zeros.
    step: (params, observation [B], policy state) -> (StepOutput, next policy
      state).
    counterfactuals: (params, moa_features [B, F], actions int32 [B, N], moa
      state, own_index) -> (logits float32 [B, K, J, A], next moa state): the
      MOA's step t, with the logits of every own action that might have been.
      None without a MOA.
    unroll: (params, observation [T, B], actions int32 [T, B, N],
      start_of_episode bool [T, B], CoreState) -> UnrollOutput.
    step_and_counterfactuals: (params, observation [B], policy state, sources)
      -> (StepOutput, next policy state, counterfactual logits): the same step,
      with this policy's logits for each choice of each source. Sources are
      int [S] by entry of the observation, 'influencers' or 'messages'; logits
      float32 [B, S, K, A] each by the same. None without influencers and
      messages.
  """

  init: Callable[[chex.PRNGKey, Observation], hk.Params]
  initial_state: Callable[[int], CoreState]
  step: Callable[..., tuple[StepOutput, hk.LSTMState]]
  counterfactuals: Callable[..., tuple[chex.Array, hk.LSTMState]] | None
  unroll: Callable[..., UnrollOutput]
  step_and_counterfactuals: (
    Callable[..., tuple[StepOutput, hk.LSTMState, dict[str, chex.Array]]] | None
  )
