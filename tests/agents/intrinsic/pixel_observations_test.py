from influence_acme import compat  # noqa: F401

# isort: split
import stock_agents

# isort: split

import acme
import jax
import numpy as np
from acme.agents.jax import ppo
from acme.jax import utils

from influence_acme import environments, wrappers
from influence_acme.agents import intrinsic
from influence_acme.testing import fakes


def test_a_stock_network_of_arrays_sees_the_view_alone():
  spec = acme.make_environment_spec(stock_agents.make_environment())
  pixels_spec = spec.observations['world'].replace(dtype=np.float32)
  stock = ppo.make_atari_networks(spec._replace(observations=pixels_spec))
  networks = intrinsic.on_world(ppo.make_atari_networks)(spec)
  key = jax.random.PRNGKey(0)
  params, stock_params = networks.network.init(key), stock.network.init(key)
  jax.tree_util.tree_map(np.testing.assert_array_equal, params, stock_params)

  observation = utils.add_batch_dim(utils.ones_like(spec.observations))
  observation['world'] *= 51  # A fifth of what is brightest.
  _, value = networks.network.apply(params, observation)
  pixels = np.full((1, 5, 5, 3), 0.2, np.float32)
  _, stock_value = stock.network.apply(params, pixels)
  np.testing.assert_allclose(value, stock_value, rtol=1e-6)
  observation['actions'] -= 2
  np.testing.assert_array_equal(
    networks.network.apply(params, observation)[1], value
  )


def test_a_stock_network_of_arrays_sees_a_vector_as_it_is():
  game = environments.MultiAgentEnvironment(fakes.FakeVectorEnvironment())
  spec = acme.make_environment_spec(
    wrappers.SingleAgentView(
      wrappers.OthersActionsWrapper(game), 'agent_0', {'agent_1': lambda _: 0}
    )
  )
  vector_spec = spec.observations['world']
  stock = ppo.make_gym_networks(spec._replace(observations=vector_spec))
  networks = intrinsic.on_world(ppo.make_gym_networks)(spec)
  params = networks.network.init(jax.random.PRNGKey(0))
  observation = utils.add_batch_dim(utils.zeros_like(spec.observations))
  observation['world'] += np.array([1.0, -1.0, -1.0, 300.0], np.float32)
  jax.tree_util.tree_map(
    np.testing.assert_array_equal,
    networks.network.apply(params, observation)[1],
    stock.network.apply(params, observation['world'])[1],
  )
