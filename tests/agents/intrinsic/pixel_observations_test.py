from influence_acme import compat  # noqa: F401

# isort: split
import stock_agents

# isort: split

import acme
import jax
import numpy as np
from acme.agents.jax import ppo
from acme.jax import utils

from influence_acme.agents import intrinsic


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
