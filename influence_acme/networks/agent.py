"""The whole agent as one record of pure functions.

The paper's network (Jaques et al., 2019, Section "Modeling other agents"):

  view -> conv 3x3 -+-> FC 32 -> FC 32 -> LSTM 128 -> policy and value
                    |                      ^ everyone's last actions
                    +-> FC 32 -> FC 32 -> LSTM 128 -> others' next actions
                                           ^ everyone's current actions

The baseline is its upper row alone, without the others' actions. Where
influencers act first within a step, the upper row is all there is too, and its
LSTM sees everyone's last actions and what the influencers do now. Where agents
speak, it sees everyone's last messages instead, and a second head says
something, through a linear "communication embedding". In a population of such
agents together a network has all that any of them has.

The functions are of ONE agent with a batch axis. Agents never share weights:
a population is `jax.vmap` over stacked parameters and over `own_index`.

Letters: T time, B batch, N agents, J = N - 1 others, A actions, M symbols, K
counterfactual choices, S sources of influence, F features, U hidden units.
"""

import functools
from collections.abc import Callable
from typing import Any

import chex
import haiku as hk
import jax
import jax.numpy as jnp

from influence_acme.networks import heads, lstm, moa, torso
from influence_acme.networks.records import (
  AgentNetworks,
  CoreState,
  HeadOutput,
  Observation,
  StepOutput,
  UnrollOutput,
)


class _Agent:
  """The Haiku modules, made once per transformed call."""

  def __init__(
    self,
    num_agents: int,
    num_actions: int,
    hidden_size: int,
    models_others: bool,
    num_influencers: int,
    num_symbols: int,
    embedding_size: int,
  ):
    self._models_others = models_others
    self._speaks = num_symbols > 0
    # What the policy's LSTM reads: name -> how many choices.
    self._reads: dict[str, int] = {}
    if models_others or num_influencers:
      self._reads['actions'] = num_actions
    if num_influencers:
      self._reads['influencers'] = num_actions
    if num_symbols:
      self._reads['messages'] = num_symbols
    self._conv = torso.PixelConv()
    self._dense = torso.Dense(num_stacks=2 if models_others else 1)
    self._policy_core = lstm.LSTM(hidden_size, name='policy_core')
    self._head = heads.PolicyValueHead(num_actions)
    if models_others:
      self._moa_core = moa.MOACore(num_agents, num_actions, hidden_size)
    if num_symbols:
      self._embedding = hk.Linear(embedding_size, name='message_embedding')
      self._message_head = heads.PolicyValueHead(
        num_symbols, name='message_head'
      )

  def step(self, observation, policy_state):
    inputs, moa_features = self._see(observation)
    output, policy_state = self._policy_core(inputs, policy_state)
    logits, value = self._head(output)
    step = StepOutput(logits, value, *moa_features)
    return step._replace(message=self._speak(output)), policy_state

  def step_and_counterfactuals(self, observation, policy_state, sources):
    inputs, moa_features = self._see(observation)
    gates = self._policy_core.gates(inputs, policy_state)
    next_state = lstm.cell(gates, policy_state)
    logits, value = self._head(next_state.hidden)

    # As in the MOA, a choice adds its own weights to gates that are computed
    # once. Those of the choice that was made are taken off first.
    weights, _ = self._policy_core.weights(inputs.shape[-1])
    cells = jax.vmap(lstm.cells, in_axes=(1, 0, None), out_axes=1)
    logits_by_entry = {}
    stop = inputs.shape[-1]
    for name, num_choices in reversed(self._reads.items()):
      choices = observation[name]  # [B, number of agents]
      start = stop - choices.shape[-1] * num_choices
      if name in sources:
        own, shape = sources[name], (choices.shape[-1], num_choices, -1)
        counterfactual = weights[start:stop].reshape(shape)[own]  # [S, K, 4U]
        taken = jax.nn.one_hot(choices[:, own], num_choices)  # [B, S, K]
        shared = gates[:, None] - jnp.einsum(
          'bsk,sku->bsu', taken, counterfactual
        )
        states = cells(shared, counterfactual, policy_state)
        logits_by_entry[name], _ = self._head(states.hidden)
      stop = start
    step = StepOutput(logits, value, *moa_features)
    step = step._replace(message=self._speak(next_state.hidden))
    return step, next_state, logits_by_entry

  def _see(self, observation):
    """Returns what the policy's LSTM takes, and a list of what the MOA does."""
    inputs, *moa_features = self._dense(self._conv(observation['world']))
    for name, num_choices in self._reads.items():
      inputs = moa.join_actions(inputs, observation[name], num_choices)
    return inputs, moa_features

  def _speak(self, hidden):
    """Returns what to say, of float32 [..., U]; None of who says nothing."""
    if not self._speaks:
      return None
    return HeadOutput(*self._message_head(self._embedding(hidden)))

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
        output.logits, output.value, moa_logits, output.message
      )

    observation = dict(observation, world=rows_of_pixels)
    rows = (observation, actions, start_of_episode)
    _, output = hk.scan(step, core_state, rows)
    return output


# The same functions again: what is compiled of them is compiled once.
@functools.lru_cache(maxsize=8)
def make_agent_networks(
  num_agents: int,
  num_actions: int,
  hidden_size: int = 128,
  *,
  models_others: bool = True,
  num_influencers: int = 0,
  num_symbols: int = 0,
  embedding_size: int = 32,
) -> AgentNetworks:
  """Makes one agent of the paper's size.

  Args:
    num_agents: N, at least 2.
    num_actions: A, the same for all agents.
    hidden_size: U of both LSTMs.
    models_others: whether the agent has a model of the others, and sees what
      they did last; False for the paper's A3C baseline.
    num_influencers: I, how many agents act first within a step and are seen by
      those after them; 0 if all act at once.
    num_symbols: M, how many messages there are; 0 for agents that say nothing.
    embedding_size: of the linear layer before the message's head.

  Returns:
    Its pure functions.

  Raises:
    ValueError: there is nobody else to model, or nobody to act after others.
  """
  _check_sizes(num_agents, num_influencers)

  def initial_state(batch_size: int) -> CoreState:
    zeros = jnp.zeros((batch_size, hidden_size), jnp.float32)
    state = hk.LSTMState(hidden=zeros, cell=zeros)
    return CoreState(policy=state, moa=state if models_others else ())

  def build() -> tuple[Callable[..., Any], tuple[Callable[..., Any], ...]]:
    agent = _Agent(
      num_agents,
      num_actions,
      hidden_size,
      models_others,
      num_influencers,
      num_symbols,
      embedding_size,
    )

    def touch_everything(observation: Observation) -> None:
      state = initial_state(observation['world'].shape[0])
      output, _ = agent.step(observation, state.policy)
      if models_others:
        agent.counterfactuals(
          output.moa_features, observation['actions'], state.moa, 0
        )

    return touch_everything, (
      agent.step,
      agent.counterfactuals,
      agent.unroll,
      agent.step_and_counterfactuals,
    )

  transformed = hk.without_apply_rng(hk.multi_transform(build))
  step, counterfactuals, unroll, step_and_counterfactuals = transformed.apply
  return AgentNetworks(
    init=transformed.init,
    initial_state=initial_state,
    step=step,
    counterfactuals=counterfactuals if models_others else None,
    unroll=unroll,
    step_and_counterfactuals=(
      step_and_counterfactuals if num_influencers or num_symbols else None
    ),
  )


def _check_sizes(num_agents: int, num_influencers: int) -> None:
  """Raises ValueError: nobody else is there, or nobody acts after others."""
  if num_agents < 2:
    raise ValueError(
      f'num_agents is {num_agents}: social influence needs at least 2 agents.'
    )
  if not 0 <= num_influencers < num_agents:
    raise ValueError(
      f'num_influencers is {num_influencers}: it must be in 0..'
      f'{num_agents - 1}, so that of {num_agents} agents one is influenced.'
    )
