"""How the population acts, and how its influence is judged: pure functions.

  act(o_t):                    pi(. | s_t) -> a_t
  observe(o_t, a_t, o_{t+1}):  MOA(a_t, s_t; u_t) -> what would the others do
                               at t + 1, for each own action?

Letters: N agents, J = N - 1 others, A actions, K own counterfactual actions
(K = A), B environments, F features, U hidden units.
"""

import functools
from collections.abc import Mapping
from typing import NamedTuple

import chex
import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np

from influence_acme import networks as networks_lib
from influence_acme import ops, types
from influence_acme.agents.influence import networks as influence_networks
from influence_acme.multiagent import policy

Observation = Mapping[str, chex.Array]


class Memory(NamedTuple):
  """What the MOA's step goes on from.

  Attributes:
    moa_features: float32 [N, B, F]; None without a MOA.
    policy_state: after the step, float32 [N, B, U] each.
  """

  moa_features: chex.Array | None
  policy_state: hk.LSTMState


def make_joint_policy(
  networks: influence_networks.InfluenceNetworks, measure: str
) -> policy.JointPolicy:
  """Makes the population's pure functions.

  Args:
    networks: of the population.
    measure: 'kl', 'jsd' or 'pmi'; 'pmi' needs the following step.

  Returns:
    The functions.
  """
  num_agents = len(networks.agent_ids)
  agent = networks.agent

  def initial_state(batch_size: int) -> networks_lib.CoreState:
    return jax.tree_util.tree_map(
      lambda x: jnp.broadcast_to(x, (num_agents, *x.shape)),
      agent.initial_state(batch_size),
    )

  joint_policy = policy.JointPolicy(
    agent_ids=networks.agent_ids,
    initial_state=initial_state,
    act=functools.partial(act, agent),
    observe=functools.partial(observe, agent),
    influence=functools.partial(influence, measure),
    # The realised next actions, which 'pmi' needs, are known one step late.
    delay=1 if measure == 'pmi' else 0,
  )
  if agent.counterfactuals is None:
    return joint_policy._replace(
      observe=observe_nothing, influence=no_influence, delay=0
    )
  return joint_policy


def act(
  agent: networks_lib.AgentNetworks,
  params: chex.ArrayTree,
  observation: Observation,
  core_state: networks_lib.CoreState,
  keys: chex.PRNGKey,
) -> policy.Decision:
  """Samples everyone's actions.

  Args:
    agent: one agent's functions.
    params: stacked, [N, ...].
    observation: stacked, [N, B, ...].
    core_state: float32 [N, B, U] each, before the step.
    keys: uint32 [N, B, 2].

  Returns:
    The decision; its extras are the behaviour policies, 'logits' float32
    [N, B, A].
  """
  output, policy_state = jax.vmap(agent.step)(
    params, dict(observation), core_state.policy
  )
  actions = jax.vmap(jax.vmap(jax.random.categorical))(keys, output.logits)
  return policy.Decision(
    actions.astype(jnp.int32),
    {'logits': output.logits},
    Memory(output.moa_features, policy_state),
  )


def observe(
  agent: networks_lib.AgentNetworks,
  params: chex.ArrayTree,
  observation: Observation,
  core_state: networks_lib.CoreState,
  decision: policy.Decision,
  next_observation: Observation,
  is_last: chex.Array,
) -> tuple[networks_lib.CoreState, dict[str, chex.Array]]:
  """The MOA's step: the others' next actions, had each agent acted otherwise.

  Args:
    agent: one agent's functions.
    params: stacked, [N, ...].
    observation: stacked, [N, B, ...]: who was in view.
    core_state: float32 [N, B, U] each, before the step.
    decision: of the step.
    next_observation: stacked, [N, B, ...]: its 'actions' are those of this
      step, as each agent saw them.
    is_last: bool [B], whether nobody acts on it, since it ends an episode.

  Returns:
    The next recurrent states, and what influence is judged by:
    'conditional_logits' float32 [N, B, K, J, A] of the others' next actions,
    'policy_logits' float32 [N, B, K], and 'mask' bool [N, B, J], who is in
    view, while somebody acts next.
  """
  assert agent.counterfactuals is not None  # As `make_joint_policy` has seen.
  num_agents = decision.actions.shape[0]
  conditional_logits, moa_state = jax.vmap(agent.counterfactuals)(
    params,
    decision.memory.moa_features,
    next_observation['actions'],
    core_state.moa,
    jnp.arange(num_agents),
  )
  visible = jnp.take_along_axis(
    observation['visible'], others_of_all(num_agents)[:, None], axis=-1
  )
  inputs = {
    'conditional_logits': conditional_logits,
    'policy_logits': decision.extras['logits'],
    'mask': visible & ~is_last[:, None],
  }
  return (
    networks_lib.CoreState(decision.memory.policy_state, moa_state),
    inputs,
  )


def influence(
  measure: str, step: policy.Judged, following: policy.Judged | None
) -> chex.Array:
  """Returns each agent's influence on those in its view, float32 [N, ...].

  Args:
    measure: 'kl', 'jsd' or 'pmi'.
    step: the one that is judged, with the inputs of `observe`.
    following: the next one; for 'pmi' alone.
  """
  others_actions = None
  if following is not None:
    others = others_of_all(following.actions.shape[0])
    others_actions = jnp.moveaxis(following.actions[others], 1, -1)
  output = ops.influence_reward(
    step.inputs['conditional_logits'],
    step.inputs['policy_logits'],
    step.actions,
    measure=measure,
    others_actions=others_actions,
    mask=step.inputs['mask'],
  )
  return output.reward


def observe_nothing(
  params: chex.ArrayTree,
  observation: Observation,
  core_state: networks_lib.CoreState,
  decision: policy.Decision,
  next_observation: Observation,
  is_last: chex.Array,
) -> tuple[networks_lib.CoreState, dict[str, chex.Array]]:
  """`observe` of agents without a model of others."""
  del params, observation, core_state, next_observation, is_last
  return networks_lib.CoreState(decision.memory.policy_state, ()), {}


def no_influence(
  step: policy.Judged, following: policy.Judged | None
) -> chex.Array:
  """`influence` of agents without a model of others: 0, float32 [N, ...]."""
  del following
  return jnp.zeros(step.actions.shape, jnp.float32)


def others_of_all(num_agents: int) -> np.ndarray:
  """Returns int32 [N, J]: for each agent the others, in the agents' order."""
  return np.stack([types.others(i, num_agents) for i in range(num_agents)])
