"""The policy of a trained population.

    policy = influence_acme.load(run_dir)
    environment = policy.wrap(environment)
    state, timestep = policy.initial_state(), environment.reset()
    while not timestep.last():
      key, step_key = jax.random.split(key)
      actions, state = policy.act(timestep.observation, state, step_key)
      timestep = environment.step(actions)

Letters: N agents, B environments, U hidden units.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import chex
import haiku as hk
import jax
import jax.numpy as jnp

from influence_acme import checks, environments, types
from influence_acme import networks as networks_lib
from influence_acme.playing import agent_policy, observations
from influence_acme.runs import population_config
from influence_acme.system import config as config_lib
from influence_acme.system import networks as system_networks
from influence_acme.system import policy as policy_lib
from influence_acme.system import specs, wrap
from influence_acme.system import types as system_types


class Policy:
  """Chooses everyone's actions, from parameters that do not change.

  Attributes:
    agent_ids: the agents' names, in the order of every axis N.
    config: of the agents.
    environment: that they were trained in; None if it is not one of
      `environments.names()`.
    params: of the networks, stacked, [N, ...].
    joint: the population's pure functions over stacked arrays, for vectorised
      rollouts of one's own.
  """

  def __init__(
    self,
    population: population_config.PopulationConfig,
    networks: system_networks.InfluenceNetworks,
    params: Mapping[str, Any],
  ):
    """Makes the policy; `influence_acme.load` reads it from a run.

    Args:
      population: that was trained.
      networks: of the population.
      params: stacked, [N, ...].
    """
    self.population = population
    self.networks = networks
    self.agent_ids: tuple[types.AgentId, ...] = networks.agent_ids
    self.config: config_lib.InfluenceConfig = population.agent
    self.environment: environments.FunctionalEnvironment | None = (
      population.environment
    )
    self.params = params
    self.joint: system_types.JointPolicy = policy_lib.make_joint_policy(
      networks, population.agent
    )
    self._entries = observations.entries(population)

  def wrap(self, environment: Any) -> wrap.Wrapped:
    """Adds what the agents observe of each other to an environment.

    Args:
      environment: a multi-agent `dm_env.Environment` without such wrappers:
        `environments.make(...)`, `environments.MultiAgentEnvironment` of
        functions, an adapter, or one of one's own.

    Returns:
      The environment whose observations `act` takes.

    Raises:
      ValueError: agents, actions or views differ from those in training.
    """
    wrapped = wrap.wrap_environment(environment, self.config)
    spec = specs.make_environment_spec(wrapped)
    networks = system_networks.from_spec(spec, self.config)
    own = population_config.make(self.config, networks, spec, None)
    for name, trained in vars(self.population.sizes).items():
      found = getattr(own.sizes, name)
      if found != trained:
        raise ValueError(
          f'The {name} of the environment is {found!r}, but the policy was '
          f'trained with {trained!r}.'
        )
    return wrapped

  def initial_state(self, batch_size: int | None = None) -> hk.LSTMState:
    """Returns the recurrent state before an episode, float32 [N, U] each.

    With a batch size B it is [N, B, U], for so many environments.
    """
    state = self.joint.initial_state(batch_size or 1).policy
    if batch_size is not None:
      return state
    return jax.tree_util.tree_map(lambda x: x[:, 0], state)

  def act(
    self,
    observation: Mapping[types.AgentId, Any],
    state: hk.LSTMState,
    key: chex.PRNGKey,
    greedy: bool = False,
  ) -> tuple[dict[types.AgentId, Any], hk.LSTMState]:
    """Chooses everyone's action; influencers act first.

    Args:
      observation: by agent id, as the wrapped environment gives it; every
        array has a leading axis B if the state has.
      state: before the step, as `initial_state` and `act` return it.
      key: of this step; environment b of a batch gets fold_in(key, b), agent i
        fold_in(that, i).
      greedy: whether to take the most probable choices instead of samples.

    Returns:
      Actions by agent id: int32 [] or [B], or dicts of 'action' and 'message';
      and the state after the step.

    Raises:
      ValueError: an agent or an entry is missing, or of another shape.
    """
    batch_shape = tuple(state.hidden.shape[1:-1])
    each = [
      observations.select(own, agent_id, self._entries, batch_shape)
      for agent_id, own in zip(
        self.agent_ids,
        types.in_order(observation, self.agent_ids, 'observation').values(),
        strict=True,
      )
    ]
    act = _compile(self.joint, bool(greedy))
    actions, state = act(self.params, each, state, key)
    actions = agent_policy.to_host(actions)
    return dict(zip(self.agent_ids, actions, strict=True)), state

  def agent(self, agent_id: types.AgentId) -> agent_policy.AgentPolicy:
    """Returns the policy of one agent alone, on its own observations.

    Raises:
      ValueError: there is no such agent.
    """
    checks.one_of('agent_id', agent_id, self.agent_ids)
    return agent_policy.AgentPolicy(
      self.population, self.networks, self.params, agent_id
    )


# Policies of equal populations share what is compiled.
@functools.lru_cache(maxsize=16)
def _compile(
  joint: system_types.JointPolicy, greedy: bool
) -> Callable[..., Any]:
  @jax.jit
  def act(params, each, state, key):
    observation = jax.tree_util.tree_map(lambda *x: jnp.stack(x), *each)
    has_batch = state.hidden.ndim == 3
    keys = agent_policy.batch_keys(key, state.hidden.shape[1:-1])
    if not has_batch:
      observation, state = agent_policy.batch((observation, state), axis=1)
    core_state = networks_lib.CoreState(policy=state, moa=())
    output = joint.act(
      params,
      observation,
      core_state,
      system_types.agent_keys(keys, len(joint.agent_ids)),
      greedy=greedy,
    )
    result = output.actions, output.carry.policy_state
    if not has_batch:
      result = jax.tree_util.tree_map(lambda x: x[:, 0], result)
    actions, state = result
    of_each = [
      jax.tree_util.tree_map(lambda x, i=i: x[i], actions)
      for i in range(len(joint.agent_ids))
    ]
    return of_each, state

  return act
