"""Trains on each mesh that it is given, and tells where they differ.

Run in a process of its own, which has the devices: prints the largest
difference of any parameter after 20 updates to those of the first mesh.
"""

import sys
from typing import Any

import jax
import numpy as np

from influence_acme import environments
from influence_acme.rollouts import layout, unroll, vector_environment
from influence_acme.system import config as config_lib
from influence_acme.system import networks, policy, specs, wrap
from influence_acme.training import accelerator, loop
from influence_acme.training import mesh as mesh_lib

NUM_UPDATES, B, T = 20, 8, 5


def make_agent(variant, update):
  """Returns the configuration of small agents."""
  fields: dict[str, Any] = {}
  if update == 'ppo':
    fields = {
      'ppo': config_lib.PPOConfig(num_epochs=2, num_minibatches=2),
      'normalise_returns': True,
    }
  return config_lib.InfluenceConfig(
    variant=variant,
    hidden_size=4,
    unroll_length=T,
    batch_size=B,
    max_queue_size=B,
    influence_curriculum_steps=100,
    update=update,
    **fields,
  )


def make_rollout(agent):
  """Returns a rollout, and the networks that play in it."""
  game = environments.functional('coordination', num_agents=2, episode_length=4)
  host = wrap.wrap_environment(
    environments.MultiAgentEnvironment(game, 0), agent
  )
  population = networks.from_spec(specs.make_environment_spec(host), agent)
  rollout = unroll.make_rollout(
    vector_environment.VectorEnvironment(game, agent.has_messages),
    policy.make_joint_policy(population, agent),
    T,
    layout.to_learner,
  )
  return rollout, population


def start(trainer, seed=0):
  """Returns the first state."""
  keys = [jax.random.PRNGKey(100 * seed + i) for i in range(B)]
  return trainer.init(keys, keys)[0]


def train(agent, description):
  """Returns the state after the updates."""
  rollout, population = make_rollout(agent)
  parts = rollout, population, agent, jax.random.PRNGKey(0)
  mesh = mesh_lib.make(description, agent, 2, True)
  trainer = (
    loop.Trainer(*parts)
    if mesh is None
    else accelerator.Trainer(*parts, mesh, num_iterations=1)
  )
  state = start(trainer)
  for _ in range(NUM_UPDATES):
    state, _ = trainer.iterate(state)
  trainer.close()
  if mesh is not None:
    assert isinstance(trainer, accelerator.Trainer)
    assert trainer._advance._cache_size() == 1  # Arrays stay in place.
    shards = state.batch.reward.addressable_shards
    shapes = [shard.data.shape for shard in shards]
    assert shapes == [(2, T + 1, B // mesh.size)] * mesh.size
  return jax.device_get(state)


def train_seeds(agent, description):
  """Returns the state of the first of four seeds, trained together."""
  rollout, population = make_rollout(agent)
  mesh = mesh_lib.make(description, agent, 2, True, num_seeds=4)
  first = accelerator.Trainer(
    rollout, population, agent, jax.random.PRNGKey(0), num_iterations=1
  )
  trainers: list[Any] = [
    first.with_key(jax.random.PRNGKey(seed)) for seed in range(4)
  ]
  states = [start(trainer, seed) for seed, trainer in enumerate(trainers)]
  together: Any = accelerator.Together(trainers, mesh)
  for _ in range(NUM_UPDATES):
    states = [state for state, _ in together.iterate(states)]
  assert together._advance._cache_size() == 1
  first.close()
  return jax.device_get(states[0])


def main(variant, update, *descriptions):
  """Prints the differences."""
  agent = make_agent(variant, update)
  states = [
    (train_seeds if description.startswith('seeds') else train)(
      agent, description
    )
    for description in descriptions
  ]
  for description, state in zip(descriptions, states, strict=True):
    differences = jax.tree_util.tree_map(
      lambda x, y: np.abs(np.float64(x) - np.float64(y)).max(initial=0.0),
      (states[0].training, states[0].batch, states[0].environment_steps),
      (state.training, state.batch, state.environment_steps),
    )
    largest = max(jax.tree_util.tree_leaves(differences))
    print(description, len(jax.devices()), largest, flush=True)


if __name__ == '__main__':
  main(*sys.argv[1:])
