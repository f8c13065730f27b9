"""The policy of one agent of a trained population, on its own observations.

Letters: N agents, I influencers, B environments, U hidden units.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import chex
import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np

from influence_acme import types
from influence_acme.playing import observations
from influence_acme.runs import population_config
from influence_acme.system import act as act_lib
from influence_acme.system import config as config_lib
from influence_acme.system import masks, variants
from influence_acme.system import networks as system_networks


class AgentPolicy:
  """Chooses one agent's actions; the same ones as `Policy.act` by equal keys.

  Attributes:
    agent_id: the agent's name.
  """

  def __init__(
    self,
    population: population_config.PopulationConfig,
    networks: system_networks.InfluenceNetworks,
    params: Mapping[str, Any],
    agent_id: types.AgentId,
  ):
    """Makes the policy; see `Policy.agent`.

    Args:
      population: that was trained.
      networks: of the population.
      params: of all agents, stacked, [N, ...].
      agent_id: the agent's name.
    """
    self.agent_id = agent_id
    config = population.agent
    index = networks.agent_ids.index(agent_id)
    self._networks = networks
    self._params = jax.tree_util.tree_map(lambda x: x[index], params)
    self._entries = observations.entries(population)
    self._act = functools.partial(_compile, networks, config, index)
    if config.has_influencers:
      self._observes_influencers = index >= config.num_influencers
      influencers = observations.Entry((config.num_influencers,))
      if self._observes_influencers:
        self._entries['influencers'] = influencers

  def initial_state(self, batch_size: int | None = None) -> hk.LSTMState:
    """Returns the recurrent state before an episode, float32 [U] each.

    With a batch size B it is [B, U], for so many environments.
    """
    state = self._networks.agent.initial_state(batch_size or 1).policy
    if batch_size is not None:
      return state
    return jax.tree_util.tree_map(lambda x: x[0], state)

  def act(
    self,
    observation: Mapping[str, Any],
    state: hk.LSTMState,
    key: chex.PRNGKey,
    greedy: bool = False,
  ) -> tuple[Any, hk.LSTMState]:
    """Chooses the agent's action.

    Args:
      observation: the agent's own; every array has a leading axis B if the
        state has. An agent that acts after influencers also observes
        'influencers', int32 [I], their actions in this step.
      state: before the step, as `initial_state` and `act` return it.
      key: of this step, as for `Policy.act`.
      greedy: whether to take the most probable choices instead of samples.

    Returns:
      The action, int32 [] or [B], or a dict of 'action' and 'message'; and the
      state after the step.

    Raises:
      ValueError: an entry is missing, or of another shape.
    """
    batch_shape = tuple(state.hidden.shape[:-1])
    selected = observations.select(
      observation, self.agent_id, self._entries, batch_shape
    )
    act = self._act(bool(greedy))
    action, state = act(self._params, selected, state, key)
    return to_host(action), state

  def as_function(
    self, key: chex.PRNGKey, greedy: bool = False
  ) -> 'AgentFunction':
    """Returns a function of the observation alone, which keeps the state.

    It is what `wrappers.SingleAgentView` and `multiagent.FunctionActor` take.

    Args:
      key: of all steps.
      greedy: whether to take the most probable choices instead of samples.
    """
    return AgentFunction(self, key, greedy)


class AgentFunction:
  """A function from an agent's observation to its action, with a memory.

  An episode begins where 'actions' in the observation are all -1, as the
  wrappers give them. In an environment without wrappers, call `reset`.
  """

  def __init__(self, policy: AgentPolicy, key: chex.PRNGKey, greedy: bool):
    """Starts before an episode; the key is of all steps."""
    self._policy = policy
    self._key = key
    self._greedy = greedy
    self._num_steps = 0
    self.reset()

  def reset(self) -> None:
    """Starts an episode."""
    self._state = self._policy.initial_state()

  def __call__(self, observation: Mapping[str, Any]) -> Any:
    """Returns the action, an integer or a dict of 'action' and 'message'."""
    if np.all(observation.get('actions', 0) == masks.NONE):
      self.reset()
    key = jax.random.fold_in(self._key, self._num_steps)
    action, self._state = self._policy.act(
      observation, self._state, key, self._greedy
    )
    self._num_steps += 1
    return action


def to_host(tree: chex.ArrayTree) -> chex.ArrayTree:
  """Returns NumPy arrays; those that JAX is tracing stay as they are."""
  leaves = jax.tree_util.tree_leaves(tree)
  if any(isinstance(x, jax.core.Tracer) for x in leaves):
    return tree
  return jax.tree_util.tree_map(np.asarray, tree)


def batch(tree: chex.ArrayTree, axis: int) -> chex.ArrayTree:
  """Gives arrays of one environment a batch axis."""
  return jax.tree_util.tree_map(lambda x: jnp.expand_dims(x, axis), tree)


def batch_keys(key: chex.PRNGKey, batch_shape: tuple[int, ...]) -> chex.PRNGKey:
  """Returns the key of each environment, uint32 [B, 2].

  With a batch shape (B,) they are fold_in(key, b), with () the key itself.
  """
  if not batch_shape:
    return key[None]
  fold_in = jax.vmap(jax.random.fold_in, in_axes=(None, 0))
  return fold_in(key, jnp.arange(batch_shape[0]))


# Policies of equal agents share what is compiled.
@functools.lru_cache(maxsize=32)
def _compile(
  networks: system_networks.InfluenceNetworks,
  config: config_lib.InfluenceConfig,
  index: int,
  greedy: bool,
) -> Callable[..., Any]:
  num_agents = len(networks.agent_ids)
  speakers = np.broadcast_to(
    variants.members(config.variant, 'communication'), num_agents
  )
  readers = {
    name: bool(np.broadcast_to(members, num_agents)[index])
    for name, members in masks.readers(config.variant).items()
  }

  @jax.jit
  def act(params, observation, state, key):
    has_batch = state.hidden.ndim == 2
    keys = batch_keys(key, state.hidden.shape[:-1])
    if not has_batch:
      observation, state = batch((observation, state), axis=0)
    observation = dict(observation)
    if config.has_influencers and 'influencers' not in observation:
      shape = (len(keys), config.num_influencers)
      observation['influencers'] = jnp.full(shape, masks.NONE)
    if config.has_messages:
      observation['messages'] = masks.mask_messages(
        speakers, observation['messages']
      )
    output, state = networks.agent.step(
      params, masks.mask_observation(observation, readers), state
    )
    own_keys = jax.vmap(jax.random.fold_in, in_axes=(0, None))(keys, index)
    actions, _ = act_lib.choose(
      batch(output, axis=0), speakers[index, None], own_keys[None], greedy
    )
    result = jax.tree_util.tree_map(lambda x: x[0], actions), state
    if not has_batch:
      result = jax.tree_util.tree_map(lambda x: x[0], result)
    return result

  return act
