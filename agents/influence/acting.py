"""How the population acts: pure functions, and the Acme actor around them.

Time, for every step t (rows of the replay hold what was known before it):

  select_action(o_t):  pi(. | s_t) -> a_t
  observe(a_t, next):  everyone's a_t is known; MOA(a_t, s_t; u_t) -> what
                       would the others do at t + 1, for each own action?

Letters: N agents, J = N - 1 others, A actions, K own counterfactual actions
(K = A), F features, U hidden units.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import chex
import dm_env
import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
from acme import adders as adders_lib
from acme import core
from acme.jax import variable_utils

from influence_acme import adders, ops, types
from influence_acme import networks as networks_lib
from influence_acme.agents.influence import networks as influence_networks
from influence_acme.multiagent import specs as multiagent_specs

Observation = Mapping[str, chex.Array]


class Decision(NamedTuple):
  """What the population decides at one step.

  Attributes:
    actions: int32 [N].
    logits: float32 [N, A], the behaviour policies.
    moa_features: float32 [N, F].
    policy_state: after the step, float32 [N, U] each.
  """

  actions: chex.Array
  logits: chex.Array
  moa_features: chex.Array
  policy_state: hk.LSTMState


def act(
  agent: networks_lib.AgentNetworks,
  params: chex.ArrayTree,
  observation: Observation,
  policy_state: hk.LSTMState,
  key: chex.PRNGKey,
) -> Decision:
  """Samples everyone's actions.

  Args:
    agent: one agent's functions.
    params: stacked, [N, ...].
    observation: stacked, [N, ...].
    policy_state: float32 [N, U] each, before the step.
    key: of this environment and step; agent i draws with fold_in(key, i).

  Returns:
    The decision.
  """
  batched = jax.tree_util.tree_map(
    lambda x: x[:, None], (dict(observation), policy_state)
  )
  output, policy_state = jax.vmap(agent.step)(params, *batched)
  output, policy_state = jax.tree_util.tree_map(
    lambda x: x[:, 0], (output, policy_state)
  )
  indices = jnp.arange(output.logits.shape[0])
  keys = jax.vmap(jax.random.fold_in, in_axes=(None, 0))(key, indices)
  actions = jax.vmap(jax.random.categorical)(keys, output.logits)
  return Decision(
    actions.astype(jnp.int32), output.logits, output.moa_features, policy_state
  )


def suppose(
  agent: networks_lib.AgentNetworks,
  params: chex.ArrayTree,
  moa_features: chex.Array,
  actions: chex.Array,
  moa_state: hk.LSTMState,
) -> tuple[chex.Array, hk.LSTMState]:
  """The MOA's step: the others' next actions, had each agent acted otherwise.

  Args:
    agent: one agent's functions.
    params: stacked, [N, ...].
    moa_features: float32 [N, F].
    actions: int32 [N, N], the actions of this step (column) as each agent
      (row) saw them.
    moa_state: float32 [N, U] each, before the step.

  Returns:
    Conditional logits float32 [N, K, J, A], and the next state.
  """
  num_agents = actions.shape[0]
  batched = jax.tree_util.tree_map(
    lambda x: x[:, None], (moa_features, actions, moa_state)
  )
  outputs = jax.vmap(agent.counterfactuals)(
    params, *batched, jnp.arange(num_agents)
  )
  return jax.tree_util.tree_map(lambda x: x[:, 0], outputs)


def others_of_all(num_agents: int) -> np.ndarray:
  """Returns int32 [N, J]: for each agent the others, in the agents' order."""
  return np.stack([types.others(i, num_agents) for i in range(num_agents)])


def make_influence_fn(measure: str) -> Callable[..., np.ndarray]:
  """Makes the adder's influence function from the actor's influence inputs.

  Args:
    measure: 'kl', 'jsd' or 'pmi'; 'pmi' needs the following step (delay 1).

  Returns:
    A function of (step, following) that gives float32 [N], nats.
  """

  @jax.jit
  def influence(inputs, actions, next_actions):
    others_actions = None
    if next_actions is not None:
      others_actions = next_actions[others_of_all(actions.shape[0])]
    output = ops.influence_reward(
      inputs['conditional_logits'],
      inputs['policy_logits'],
      actions,
      measure=measure,
      others_actions=others_actions,
      mask=inputs['mask'],
    )
    return output.reward

  def influence_fn(step, following):
    next_actions = None if following is None else following.action
    inputs = step.extras['influence_inputs']
    return np.asarray(influence(inputs, step.action, next_actions))

  return influence_fn


class HeldVariables:
  """The learner's variables, held still for the length of a step.

  A fetch in the background may end between acting and observing; a row must
  still come from one set of parameters.
  """

  def __init__(self, client: variable_utils.VariableClient):
    """Wraps a client of 'params' and 'counts', in this order."""
    self._client = client

  def take(self) -> None:
    """Takes what was fetched last."""
    self.params, self._counts = self._client.params

  @property
  def learner_steps(self) -> np.int32:
    """The learner step that the parameters come from."""
    return np.int32(self._counts['learner_steps'])

  @property
  def environment_steps(self) -> int:
    """Global environment steps when the parameters were published."""
    return int(self._counts['environment_steps'])

  def update(self, wait: bool) -> None:
    """Fetches: at once if `wait`, else in the background now and then."""
    if wait:
      self._client.update_and_wait()
    else:
      self._client.update()


class InfluenceActor(core.Actor):
  """Plays all agents of a multi-agent environment; an Acme actor.

  It takes dm_env timesteps whose observations and rewards are dicts by agent
  id, and returns actions likewise. Its act key of a step is
  fold_in(fold_in(key, step), agent), so that a run can be repeated.
  """

  def __init__(
    self,
    networks: influence_networks.InfluenceNetworks,
    key: chex.PRNGKey,
    variables: HeldVariables,
    adder: adders_lib.Adder | None = None,
  ):
    """Makes the actor.

    Args:
      networks: of the population.
      key: this environment's own.
      variables: the learner's.
      adder: where steps go; it gets stacked timesteps, [N, ...], and extras
        with `influence_inputs`.
    """
    self._agent_ids = networks.agent_ids
    self._key = key
    self._variables = variables
    self._adder = adder
    self._num_steps = 0
    num_agents = len(self._agent_ids)
    self._others = others_of_all(num_agents)
    self._initial_state = networks.agent.initial_state(num_agents)
    self._core_state = self._initial_state

    @jax.jit
    def act_fn(params, observation, policy_state, step):
      key = jax.random.fold_in(self._key, step)
      return act(networks.agent, params, observation, policy_state, key)

    self._act = act_fn
    self._suppose = jax.jit(functools.partial(suppose, networks.agent))

  def select_action(
    self, observation: Mapping[types.AgentId, Mapping[str, np.ndarray]]
  ) -> dict[types.AgentId, np.ndarray]:
    """Samples everyone's action, int32 [] each, by agent id."""
    del observation  # Known, and stacked, since it was observed.
    self._variables.take()
    self._decision = self._act(
      self._variables.params,
      self._observation,
      self._core_state.policy,
      np.uint32(self._num_steps),
    )
    return multiagent_specs.unstack_actions(
      np.asarray(self._decision.actions), self._agent_ids
    )

  def observe_first(self, timestep: dm_env.TimeStep) -> None:
    """Starts an episode: recurrent states are zero."""
    timestep = multiagent_specs.stack_timestep(timestep, self._agent_ids)
    self._observation = timestep.observation
    self._core_state = self._initial_state
    if self._adder:
      self._adder.add_first(timestep)

  def observe(
    self,
    action: Mapping[types.AgentId, Any],
    next_timestep: dm_env.TimeStep,
  ) -> None:
    """Runs the MOA's step, now that all actions are known, and adds the row."""
    next_timestep = multiagent_specs.stack_timestep(
      next_timestep, self._agent_ids
    )
    decision = self._decision
    conditional_logits, moa_state = self._suppose(
      self._variables.params,
      decision.moa_features,
      next_timestep.observation['actions'],
      self._core_state.moa,
    )
    if self._adder:
      visible = np.take_along_axis(
        self._observation['visible'], self._others, axis=1
      )
      actions = [action[agent_id] for agent_id in self._agent_ids]
      extras = {
        'logits': decision.logits,
        'core_state': self._core_state,
        'learner_steps': self._variables.learner_steps,
        'influence_inputs': {
          'conditional_logits': conditional_logits,
          'policy_logits': decision.logits,
          # Nobody acts after an episode's last step.
          'mask': visible & (not next_timestep.last()),
        },
      }
      self._adder.add(
        np.asarray(actions, np.int32), next_timestep, jax.device_get(extras)
      )
    self._observation = next_timestep.observation
    self._core_state = networks_lib.CoreState(decision.policy_state, moa_state)
    self._num_steps += 1

  def update(self, wait: bool = False) -> None:
    """Fetches the learner's parameters, when it is time to."""
    self._variables.update(wait)

  def save(self) -> dict[str, int]:
    """Returns what the actor needs to go on between two episodes."""
    return {'steps': self._num_steps}

  def restore(self, state: Mapping[str, int]) -> None:
    """Goes on after `state['steps']` steps: no random draw is repeated."""
    self._num_steps = int(state['steps'])


def make_influence_adder(
  adder: adders_lib.Adder,
  measure: str,
  weight: Callable[[int], float],
  steps_fn: Callable[[], int],
) -> adders.InfluenceAdder:
  """Wraps an adder so that its rewards hold the weighted influence.

  Args:
    adder: takes stacked timesteps.
    measure: 'kl', 'jsd' or 'pmi'.
    weight: of the influence, as a function of environment steps.
    steps_fn: gives the environment steps so far.

  Returns:
    The adder for `InfluenceActor`.
  """
  return adders.InfluenceAdder(
    adder,
    make_influence_fn(measure),
    weight,
    # The realised next actions, which 'pmi' needs, are known one step late.
    delay=1 if measure == 'pmi' else 0,
    steps_fn=steps_fn,
  )
