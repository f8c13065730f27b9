"""The whole agent as one record of pure functions.

The paper's network (Jaques et al., 2019, Section "Modeling other agents"):

  view -> conv 3x3 -+-> FC 32 -> FC 32 -> LSTM 128 -> policy and value
                    |                      ^ everyone's last actions
                    +-> FC 32 -> FC 32 -> LSTM 128 -> others' next actions
                                           ^ everyone's current actions

The functions are of ONE agent with a batch axis. Agents never share weights:
a population is `jax.vmap` over stacked parameters and over `own_index`.

Letters: T time, B batch, N agents, J = N - 1 others, A actions, K own
counterfactual actions (K = A), F features, U hidden units.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import chex
import haiku as hk
import jax
import jax.numpy as jnp

from influence_acme.networks import heads, lstm, moa, torso

Observation = Mapping[str, chex.Array]


class CoreState(NamedTuple):
  """Recurrent states before a step; every array is float32 [B, U].

  Attributes:
    policy: of the policy's LSTM.
    moa: of the model of other agents.
  """

  policy: hk.LSTMState
  moa: hk.LSTMState


class StepOutput(NamedTuple):
  """What one step of the policy gives.

  Attributes:
    logits: float32 [B, A], of the own action.
    value: float32 [B].
    moa_features: float32 [B, F], what the MOA needs of the view.
  """

  logits: chex.Array
  value: chex.Array
  moa_features: chex.Array


class UnrollOutput(NamedTuple):
  """What a whole sequence gives.

  Attributes:
    logits: float32 [T, B, A].
    value: float32 [T, B].
    moa_logits: float32 [T, B, J, A]; row t is about the actions at t + 1.
  """

  logits: chex.Array
  value: chex.Array
  moa_logits: chex.Array


class AgentNetworks(NamedTuple):
  """One agent's pure functions.

  An observation is a mapping with 'world', uint8 [..., H, W, 3], and
  'actions', int32 [..., N]: everyone's last actions, -1 before the first.

  Attributes:
    init: (key, observation with a batch axis) -> params.
    initial_state: (batch_size) -> CoreState of zeros.
    step: (params, observation [B], policy state) -> (StepOutput, next policy
      state).
    counterfactuals: (params, moa_features [B, F], actions int32 [B, N], moa
      state, own_index) -> (logits float32 [B, K, J, A], next moa state): the
      MOA's step t, with the logits of every own action that might have been.
    unroll: (params, observation [T, B], actions int32 [T, B, N],
      start_of_episode bool [T, B], CoreState) -> UnrollOutput.
  """

  init: Callable[[chex.PRNGKey, Observation], hk.Params]
  initial_state: Callable[[int], CoreState]
  step: Callable[..., tuple[StepOutput, hk.LSTMState]]
  counterfactuals: Callable[..., tuple[chex.Array, hk.LSTMState]]
  unroll: Callable[..., UnrollOutput]


class _Agent:
  """The Haiku modules, made once per transformed call."""

  def __init__(self, num_agents: int, num_actions: int, hidden_size: int):
    self._num_actions = num_actions
    self._conv = torso.PixelConv()
    self._policy_dense = torso.Dense(name='policy_dense')
    self._policy_core = lstm.LSTM(hidden_size, name='policy_core')
    self._head = heads.PolicyValueHead(num_actions)
    self._moa_dense = torso.Dense(name='moa_dense')
    self._moa_core = moa.MOACore(num_agents, num_actions, hidden_size)

  def _see(self, observation: Observation) -> tuple[chex.Array, chex.Array]:
    """Returns the inputs of the policy's LSTM and the MOA's features."""
    features = self._conv(observation['world'])
    actions = observation['actions']
    last_actions = jax.nn.one_hot(actions, self._num_actions).reshape(
      actions.shape[:-1] + (-1,)
    )
    policy_inputs = jnp.concatenate(
      [self._policy_dense(features), last_actions], axis=-1
    )
    return policy_inputs, self._moa_dense(features)

  def step(self, observation, policy_state):
    policy_inputs, moa_features = self._see(observation)
    output, policy_state = self._policy_core(policy_inputs, policy_state)
    logits, value = self._head(output)
    return StepOutput(logits, value, moa_features), policy_state

  def counterfactuals(self, moa_features, actions, moa_state, own_index):
    logits = self._moa_core.counterfactuals(
      moa_features, actions, moa_state, own_index=own_index
    )
    _, moa_state = self._moa_core((moa_features, actions), moa_state)
    return logits, moa_state

  def unroll(self, observation, actions, start_of_episode, core_state):
    # The torso sees all T * B views at once; only the LSTMs loop over time.
    policy_inputs, moa_features = self._see(observation)
    output = self._policy_core.unroll(
      policy_inputs, start_of_episode, core_state.policy
    )
    logits, value = self._head(output)
    moa_logits = self._moa_core.unroll(
      moa_features, actions, start_of_episode, core_state.moa
    )
    return UnrollOutput(logits, value, moa_logits)


def make_agent_networks(
  num_agents: int, num_actions: int, hidden_size: int = 128
) -> AgentNetworks:
  """Makes one agent of the paper's size.

  Args:
    num_agents: N, at least 2.
    num_actions: A, the same for all agents.
    hidden_size: U of both LSTMs.

  Returns:
    Its pure functions.

  Raises:
    ValueError: there is nobody else to model.
  """
  if num_agents < 2:
    raise ValueError(
      f'num_agents is {num_agents}: social influence needs at least 2 agents.'
    )

  def initial_state(batch_size: int) -> CoreState:
    zeros = jnp.zeros((batch_size, hidden_size), jnp.float32)
    state = hk.LSTMState(hidden=zeros, cell=zeros)
    return CoreState(policy=state, moa=state)

  def build() -> tuple[Callable[..., Any], tuple[Callable[..., Any], ...]]:
    agent = _Agent(num_agents, num_actions, hidden_size)

    def touch_everything(observation: Observation) -> None:
      state = initial_state(observation['world'].shape[0])
      output, _ = agent.step(observation, state.policy)
      agent.counterfactuals(
        output.moa_features, observation['actions'], state.moa, 0
      )

    return touch_everything, (agent.step, agent.counterfactuals, agent.unroll)

  transformed = hk.without_apply_rng(hk.multi_transform(build))
  step, counterfactuals, unroll = transformed.apply
  return AgentNetworks(
    init=transformed.init,
    initial_state=initial_state,
    step=step,
    counterfactuals=counterfactuals,
    unroll=unroll,
  )
