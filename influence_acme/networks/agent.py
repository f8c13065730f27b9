"""The agent's Haiku modules, and its step and unroll made of them.

The paper's network (Jaques et al., 2019, Section "Modeling other agents"):

  view -> conv 3x3 -+-> FC 32 -> FC 32 -> LSTM 128 -> policy and value
                    |                      ^ everyone's last actions
                    +-> FC 32 -> FC 32 -> LSTM 128 -> others' next actions
                                           ^ everyone's current actions

The convolution is the torso: another one takes its place where agents observe
something other than pixels, see `torso`. Both stacks read its features.

The baseline is the upper row alone, without the others' actions. With
influencers, which act first within a step, the network is the upper row too,
and its LSTM reads everyone's last actions and the influencers' current ones.
With messages it reads everyone's last messages instead, and a second head, on
a linear "communication embedding", chooses a message. In a mixed population
the network has all parts that any of the agents needs.

Letters: T time, B batch, N agents, J = N - 1 others, A actions, M symbols, K
counterfactual choices, S sources of influence, F features, U hidden units.
"""

import chex
import haiku as hk
import jax
import jax.numpy as jnp

from influence_acme.networks import dense, heads, lstm, moa
from influence_acme.networks import torso as torso_lib
from influence_acme.networks.records import (
  CoreState,
  HeadOutput,
  StepOutput,
  UnrollOutput,
)


class Agent:
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
    torso: torso_lib.Torso,
  ):
    """Makes the modules; see `make_agent_networks` for the arguments."""
    self._models_others = models_others
    self._has_messages = num_symbols > 0
    # What the policy's LSTM reads: name -> how many choices.
    self._reads: dict[str, int] = {}
    if models_others or num_influencers:
      self._reads['actions'] = num_actions
    if num_influencers:
      self._reads['influencers'] = num_actions
    if num_symbols:
      self._reads['messages'] = num_symbols
    self._torso = torso()
    self._dense = dense.Dense(num_stacks=2 if models_others else 1)
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
    """Computes `AgentNetworks.step`."""
    features = self._features(observation['world'])
    return self._step(features, observation, policy_state)

  def step_and_counterfactuals(self, observation, policy_state, sources):
    """Computes `AgentNetworks.step_and_counterfactuals`."""
    features = self._features(observation['world'])
    inputs = self._join(features[0], observation)
    gates = self._policy_core.gates(inputs, policy_state)
    next_state = lstm.cell(gates, policy_state)

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
    output = self._output(next_state.hidden, features)
    return output, next_state, logits_by_entry

  def counterfactuals(self, moa_features, actions, moa_state, own_index):
    """Computes `AgentNetworks.counterfactuals`."""
    return self._moa_core.step_and_counterfactuals(
      (moa_features, actions), moa_state, own_index=own_index
    )

  def unroll(self, observation, actions, start_of_episode, core_state):
    """Computes `AgentNetworks.unroll`."""
    observation = dict(observation)
    world = observation.pop('world')
    in_scan = getattr(self._torso, 'in_scan', False)
    # In the scan no product spans several steps: what a step computes stays in
    # a CPU's cache. Pixels go through it as the convolution takes them, or the
    # scan would reorder them one by one.
    inputs = (
      world.reshape((*world.shape[:2], world.shape[2], -1))
      if in_scan
      else hk.BatchApply(self._features)(world)
    )

    def step(state, row):
      inputs, observation, actions, start = row
      state = jax.tree_util.tree_map(
        lambda x: jnp.where(start[:, None], 0, x), state
      )
      features = (
        self._features(inputs.reshape(world.shape[1:])) if in_scan else inputs
      )
      output, policy_state = self._step(features, observation, state.policy)
      moa_logits: chex.Array | None = None
      moa_state: hk.LSTMState | tuple[()] = ()
      if self._models_others:
        moa_logits, moa_state = self._moa_core(
          (output.moa_features, actions), state.moa
        )
      return CoreState(policy_state, moa_state), UnrollOutput(
        output.logits, output.value, moa_logits, output.message
      )

    rows = (inputs, observation, actions, start_of_episode)
    _, output = hk.scan(step, core_state, rows)
    return output

  def _features(self, world):
    """Returns float32 [B, F] for the policy and, if there is one, the MOA."""
    return self._dense(torso_lib.features(self._torso, world))

  def _step(self, features, observation, policy_state):
    """Steps the policy's LSTM, from what `_features` returns."""
    inputs = self._join(features[0], observation)
    output, policy_state = self._policy_core(inputs, policy_state)
    return self._output(output, features), policy_state

  def _join(self, features, observation):
    """Returns the inputs of the policy's LSTM."""
    for name, num_choices in self._reads.items():
      features = moa.join_actions(features, observation[name], num_choices)
    return features

  def _output(self, hidden, features):
    """Applies the heads to float32 [B, U]."""
    logits, value = self._head(hidden)
    message: HeadOutput | None = None
    if self._has_messages:
      message = HeadOutput(*self._message_head(self._embedding(hidden)))
    moa_features = features[1] if self._models_others else None
    return StepOutput(logits, value, moa_features, message)
