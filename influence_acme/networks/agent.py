"""The whole agent as one record of pure functions.

The paper's network (Jaques et al., 2019, Section "Modeling other agents"):

  view -> conv 3x3 -+-> FC 32 -> FC 32 -> LSTM 128 -> policy and value
                    |                      ^ everyone's last actions
                    +-> FC 32 -> FC 32 -> LSTM 128 -> others' next actions
                                           ^ everyone's current actions

The baseline is its upper row alone, without the others' actions.

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
    moa: of the model of other agents; () without one.
  """

  policy: hk.LSTMState
  moa: hk.LSTMState | tuple[()]


class StepOutput(NamedTuple):
  """What one step of the policy gives.

  Attributes:
    logits: float32 [B, A], of the own action.
    value: float32 [B].
    moa_features: float32 [B, F], what the MOA needs of the view; None without
      one.
  """

  logits: chex.Array
  value: chex.Array
  moa_features: chex.Array | None = None


class UnrollOutput(NamedTuple):
  """What a whole sequence gives.

  Attributes:
    logits: float32 [T, B, A].
    value: float32 [T, B].
    moa_logits: float32 [T, B, J, A]; row t is about the actions at t + 1.
      None without a MOA.
  """

  logits: chex.Array
  value: chex.Array
  moa_logits: chex.Array | None


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
      None without a MOA.
    unroll: (params, observation [T, B], actions int32 [T, B, N],
      start_of_episode bool [T, B], CoreState) -> UnrollOutput.
  """

  init: Callable[[chex.PRNGKey, Observation], hk.Params]
  initial_state: Callable[[int], CoreState]
  step: Callable[..., tuple[StepOutput, hk.LSTMState]]
  counterfactuals: Callable[..., tuple[chex.Array, hk.LSTMState]] | None
  unroll: Callable[..., UnrollOutput]


class _Agent:
  """The Haiku modules, made once per transformed call."""

  def __init__(
    self,
    num_agents: int,
    num_actions: int,
    hidden_size: int,
    models_others: bool,
  ):
    self._num_actions = num_actions
    self._models_others = models_others
    self._conv = torso.PixelConv()
    self._dense = torso.Dense(num_stacks=2 if models_others else 1)
    self._policy_core = lstm.LSTM(hidden_size, name='policy_core')
    self._head = heads.PolicyValueHead(num_actions)
    if models_others:
      self._moa_core = moa.MOACore(num_agents, num_actions, hidden_size)

  def step(self, observation, policy_state):
    features = self._conv(observation['world'])
    policy_inputs, *moa_features = self._dense(features)
    if self._models_others:
      policy_inputs = moa.join_actions(
        policy_inputs, observation['actions'], self._num_actions
      )
    output, policy_state = self._policy_core(policy_inputs, policy_state)
    logits, value = self._head(output)
    return StepOutput(logits, value, *moa_features), policy_state

  def counterfactuals(self, moa_features, actions, moa_state, own_index):
    return self._moa_core.step_and_counterfactuals(
      (moa_features, actions), moa_state, own_index=own_index
    )

  def unroll(self, observation, actions, start_of_episode, core_state):
    # All of the network is in the loop, and no product spans several steps:
    # what a step computes stays in the cache. Pixels go through the loop as the
    # convolution takes them, or it would reorder them one by one.
    world = observation['world']
    rows_of_pixels = world.reshape((*world.shape[:-2], -1))

    def step(state, row):
      observation, actions, start = row
      pixels = observation['world'].reshape(world.shape[1:])
      observation = dict(observation, world=pixels)
      state = jax.tree_util.tree_map(
        lambda x: jnp.where(start[:, None], 0, x), state
      )
      output, policy_state = self.step(observation, state.policy)
      moa_logits: chex.Array | None = None
      moa_state: hk.LSTMState | tuple[()] = ()
      if self._models_others:
        moa_logits, moa_state = self._moa_core(
          (output.moa_features, actions), state.moa
        )
      return CoreState(policy_state, moa_state), UnrollOutput(
        output.logits, output.value, moa_logits
      )

    observation = dict(observation, world=rows_of_pixels)
    rows = (observation, actions, start_of_episode)
    _, output = hk.scan(step, core_state, rows)
    return output


def make_agent_networks(
  num_agents: int,
  num_actions: int,
  hidden_size: int = 128,
  *,
  models_others: bool = True,
) -> AgentNetworks:
  """Makes one agent of the paper's size.

  Args:
    num_agents: N, at least 2.
    num_actions: A, the same for all agents.
    hidden_size: U of both LSTMs.
    models_others: whether the agent has a model of the others, and sees what
      they did last; False for the paper's A3C baseline.

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
    return CoreState(policy=state, moa=state if models_others else ())

  def build() -> tuple[Callable[..., Any], tuple[Callable[..., Any], ...]]:
    agent = _Agent(num_agents, num_actions, hidden_size, models_others)

    def touch_everything(observation: Observation) -> None:
      state = initial_state(observation['world'].shape[0])
      output, _ = agent.step(observation, state.policy)
      if models_others:
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
    counterfactuals=counterfactuals if models_others else None,
    unroll=unroll,
  )
