"""One compiled call of k iterations does what k iterations do."""

import functools
from typing import Any

import jax
import numpy as np
import pytest

from influence_acme import environments
from influence_acme.rollouts import layout, unroll, vector_environment
from influence_acme.system import config as config_lib
from influence_acme.system import networks, policy, specs, wrap
from influence_acme.training import accelerator, loop

B, T = 4, 5


@pytest.mark.slow
@pytest.mark.parametrize('variant', ['moa', 'communication'])
def test_it_equals_the_loop_of_a_cpu(variant):
  config = config_lib.InfluenceConfig(
    variant=variant,
    hidden_size=8,
    unroll_length=T,
    batch_size=B,
    max_queue_size=B,
    influence_curriculum_steps=1,
  )
  game = environments.functional('coordination', num_agents=2, episode_length=4)
  environment = wrap.wrap_environment(
    environments.MultiAgentEnvironment(game), config
  )
  spec = specs.make_environment_spec(environment)
  population = networks.from_spec(spec, config)
  states, num_steps = [], []
  call_of_3: Any = functools.partial(accelerator.Trainer, num_iterations=3)
  for make, calls in ((loop.Trainer, 3), (call_of_3, 1)):
    rollout = unroll.make_rollout(
      vector_environment.VectorEnvironment(game, config.has_messages),
      policy.make_joint_policy(population, config),
      T,
      layout.to_learner,
    )
    trainer = make(rollout, population, config, jax.random.PRNGKey(0))
    keys = [jax.random.PRNGKey(i) for i in range(B)]
    state, _ = trainer.init(keys, keys)
    for _ in range(calls):
      state, done = trainer.iterate(state)
    trainer.close()
    assert set(done.metrics) >= {'loss', 'gradient_norm'}
    num_steps.append(int(state.environment_steps))
    states.append(jax.device_get(state))
  assert num_steps[0] == num_steps[1]
  jax.tree_util.tree_map(
    lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-5),
    *states,
  )
