"""A saved policy plays an environment of PettingZoo's."""

import jax
import pytest

pytest.importorskip('pettingzoo')

import saved_runs

import influence_acme
from influence_acme import adapters, environments


def test_plays_an_environment_of_pettingzoo(save_run):
  policy = influence_acme.load(
    save_run(saved_runs.make_config('communication'))
  )
  parallel = adapters.ParallelEnvironment(
    lambda seed: environments.MultiAgentEnvironment(saved_runs.GAME, seed=seed)
  )
  environment = policy.wrap(adapters.PettingZooEnvironment(parallel))
  timestep, state, steps = environment.reset(), policy.initial_state(), 0
  while not timestep.last():
    actions, state = policy.act(
      timestep.observation, state, jax.random.PRNGKey(7)
    )
    timestep = environment.step(actions)
    steps += 1
  assert steps == 6
