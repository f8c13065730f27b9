"""Operations against hand numbers and against the real network's sizes."""

import jax
import numpy as np

from benchmarks import flops
from influence_acme import networks


def test_the_papers_network():
  sizes = flops.Sizes()
  assert sizes.conv == 54_756
  assert sizes.fully_connected == 66_944
  assert sizes.lstm == 163_840
  assert sizes.head == 2_560
  assert sizes.others == 9_216
  # 54,756 + 2 * 66,944 + 2 * 163,840 + 2,560 + 9 * 9,216 = 601,828.
  assert flops.acting(sizes) == 5 * 601_828
  # 3 * 528,100 - 54,756 = 1,529,544; 21 rows for 20 steps.
  np.testing.assert_allclose(
    flops.learning(sizes, unroll_length=20), 5 * 1_529_544 * 1.05
  )


def test_a_tiny_network():
  sizes = flops.Sizes(
    num_agents=2,
    num_actions=3,
    view=3,
    pixel_channels=1,
    kernel=2,
    channels=1,
    dense=2,
    hidden=1,
  )
  # conv 2 * 4 * 4, dense 2 * (4 * 2 + 2 * 2), LSTM 2 * (2 + 1) * 4.
  assert (sizes.conv, sizes.fully_connected, sizes.lstm) == (32, 24, 24)
  # Policy and value 2 * 1 * 4, the other one 2 * 1 * 3.
  assert (sizes.head, sizes.others) == (8, 6)
  assert flops.acting(sizes) == 2 * (32 + 2 * 24 + 2 * 24 + 8 + 3 * 6)
  # Forward 142 in a row, backward 284 - 32; two rows for each step.
  assert flops.learning(sizes, unroll_length=1) == 2 * (3 * 142 - 32) * 2


def test_the_sizes_are_those_of_the_network():
  """By its number of weights: a product takes 2 operations for each."""
  sizes = flops.Sizes()
  num_agents, num_actions = sizes.num_agents, sizes.num_actions
  agent = networks.make_agent_networks(num_agents, num_actions)
  observation = {
    'world': np.zeros((1, 15, 15, 3), np.uint8),
    'actions': np.zeros((1, num_agents), np.int32),
  }
  params = jax.eval_shape(agent.init, jax.random.PRNGKey(0), observation)
  leaves = jax.tree_util.tree_leaves(params)
  num_weights = sum(leaf.size for leaf in leaves if leaf.ndim > 1)
  # The one-hot actions of all agents, of which both LSTMs pick rows.
  picked = 2 * num_agents * num_actions * 4 * sizes.hidden
  counted = (
    sizes.conv // sizes.places
    + 2 * sizes.fully_connected
    + 2 * sizes.lstm
    + sizes.head
    + sizes.others
  )
  assert counted == 2 * (num_weights - picked)
