"""How the population acts: pure functions, see `multiagent.policy`.

Agents act all at once, and those with a model of others ask it what they would
do next (here); or they act in turns (`turns`); or they speak, too (`speech`).
How influence is judged by what is answered, `judging` says.

  act(o_t):                    pi(. | s_t) -> a_t
  observe(o_t, a_t, o_{t+1}):  MOA(a_t, s_t; u_t) -> what would the others do
                               at t + 1, for each own action?

Letters: N agents, J = N - 1 others, A actions, K own counterfactual actions
(K = A), B environments, F features, U hidden units.
"""

import functools
from typing import NamedTuple

import chex
import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np

from influence_acme import networks as networks_lib
from influence_acme.agents.influence import config as config_lib
from influence_acme.agents.influence import (
  judging,
  mixed,
  shaping,
  speech,
  turns,
  variants,
)
from influence_acme.agents.influence import networks as influence_networks
from influence_acme.multiagent import policy


class Memory(NamedTuple):
  """What the MOA's step goes on from.

  Attributes:
    moa_features: float32 [N, B, F]; None without a MOA.
    policy_state: after the step, float32 [N, B, U] each.
  """

  moa_features: chex.Array | None
  policy_state: hk.LSTMState


# The same functions again: what is compiled of them is compiled once.
@functools.lru_cache(maxsize=8)
def make_joint_policy(
  networks: influence_networks.InfluenceNetworks,
  config: config_lib.InfluenceConfig,
) -> policy.JointPolicy:
  """Makes the population's pure functions.

  Args:
    networks: of the population.
    config: that they were made for; gives the variant, and how its influence is
      measured.

  Returns:
    The functions.
  """
  num_agents = len(networks.agent_ids)
  agent = networks.agent
  measure = config.influence_measure
  takes_part = np.broadcast_to(variants.takes_part(config.variant), num_agents)

  def initial_state(batch_size: int) -> networks_lib.CoreState:
    return jax.tree_util.tree_map(
      lambda x: jnp.broadcast_to(x, (num_agents, *x.shape)),
      agent.initial_state(batch_size),
    )

  plain = policy.JointPolicy(
    agent_ids=networks.agent_ids,
    initial_state=initial_state,
    act=functools.partial(act, agent, takes_part),
    observe=observe_nothing,
    influence=judging.no_influence,
    delay=0,
    shape=shaping.make_shape_fn(config),
  )
  if config.takes_turns:
    first = config.num_influencers
    return plain._replace(
      act=functools.partial(turns.act, agent, first, takes_part),
      observe=functools.partial(turns.observe, first, takes_part),
      influence=functools.partial(
        judging.influence_at_once, measure, config.influencee_reward
      ),
    )
  if config.speaks:
    return plain._replace(
      act=functools.partial(speech.act, agent, takes_part),
      observe=functools.partial(speech.observe, takes_part),
      influence=functools.partial(judging.influence_of_messages, measure),
      delay=1,
    )
  if config.models_others:
    return plain._replace(
      observe=functools.partial(observe, agent, takes_part),
      influence=functools.partial(judging.influence_by_model, measure),
      # The realised next actions, which 'pmi' needs, are known one step late.
      delay=1 if measure == 'pmi' else 0,
    )
  return plain


def act(
  agent: networks_lib.AgentNetworks,
  takes_part: np.ndarray,
  params: chex.ArrayTree,
  observation: networks_lib.Observation,
  core_state: networks_lib.CoreState,
  keys: chex.PRNGKey,
) -> policy.Decision:
  """Samples everyone's actions.

  Args:
    agent: one agent's functions.
    takes_part: bool [N], see `mixed`.
    params: stacked, [N, ...].
    observation: stacked, [N, B, ...].
    core_state: float32 [N, B, U] each, before the step.
    keys: uint32 [N, B, 2].

  Returns:
    The decision; its extras are the behaviour policies, 'logits' float32
    [N, B, A].
  """
  output, policy_state = jax.vmap(agent.step)(
    params,
    mixed.known(takes_part[:, None, None], observation),
    core_state.policy,
  )
  return policy.Decision(
    policy.sample(keys, output.logits),
    {'logits': output.logits},
    Memory(output.moa_features, policy_state),
  )


def observe(
  agent: networks_lib.AgentNetworks,
  takes_part: np.ndarray,
  params: chex.ArrayTree,
  observation: networks_lib.Observation,
  core_state: networks_lib.CoreState,
  decision: policy.Decision,
  next_observation: networks_lib.Observation,
  is_last: chex.Array,
) -> tuple[networks_lib.CoreState, dict[str, chex.Array]]:
  """The MOA's step: the others' next actions, had each agent acted otherwise.

  Args:
    agent: one agent's functions.
    takes_part: bool [N], who has a model of the others that it learns.
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
    view of who has a model, while somebody acts next.
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
    observation['visible'], judging.others_of_all(num_agents)[:, None], axis=-1
  )
  inputs = {
    'conditional_logits': conditional_logits,
    'policy_logits': decision.extras['logits'],
    'mask': visible & ~is_last[:, None] & takes_part[:, None, None],
  }
  return (
    networks_lib.CoreState(decision.memory.policy_state, moa_state),
    inputs,
  )


def observe_nothing(
  params: chex.ArrayTree,
  observation: networks_lib.Observation,
  core_state: networks_lib.CoreState,
  decision: policy.Decision,
  next_observation: networks_lib.Observation,
  is_last: chex.Array,
) -> tuple[networks_lib.CoreState, dict[str, chex.Array]]:
  """`observe` of agents without a model of others."""
  del params, observation, core_state, next_observation, is_last
  return networks_lib.CoreState(decision.memory.policy_state, ()), {}
