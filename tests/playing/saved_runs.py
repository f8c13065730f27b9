"""Writes runs of untrained agents, in little time."""

import jax
import numpy as np

from influence_acme import environments
from influence_acme.runs import (
  checkpoint,
  identity,
  population_config,
  run_dir,
)
from influence_acme.system import config as config_lib
from influence_acme.system import networks as networks_lib
from influence_acme.system import specs, update, wrap

GAME = environments.functional('matrix', num_agents=3, episode_length=6)


def make_config(variant, **overrides):
  """Returns the configuration of small agents."""
  if 'communication' in variant:
    overrides['num_symbols'] = 4
  return config_lib.InfluenceConfig(
    variant=variant, hidden_size=16, **overrides
  )


def save(path, config, environment=GAME, change=lambda params: params):
  """Writes the files of a run that has just begun.

  Args:
    path: of its directory.
    config: of the agents.
    environment: pure functions.
    change: of the random parameters, numpy arrays by module and name.

  Returns:
    The path.
  """
  wrapped = wrap.wrap_environment(
    environments.MultiAgentEnvironment(environment), config
  )
  spec = specs.make_environment_spec(wrapped)
  population = population_config.make(
    config, networks_lib.from_spec(spec, config), spec, environment
  )
  # Far from uniform policies; to draw them in JAX takes longer.
  rng = np.random.default_rng(0)
  params = jax.tree_util.tree_map(
    lambda x: rng.normal(0, 0.3, x.shape).astype(x.dtype),
    jax.eval_shape(population.make_networks().init, jax.random.PRNGKey(0)),
  )
  # Choices that matter to others.
  for head in ('policy_value_head/policy', 'moa_core/~/others'):
    if head in params:
      params[head]['w'] *= 8
  run = run_dir.RunDirectory(path)
  run.prepare()
  run.write_config(population.to_settings())
  checkpoint.save(
    run.checkpoint_path,
    checkpoint.Checkpoint(
      identity.make_identity('InfluenceBuilder', spec, {}),
      {'environment_steps': 0, 'learner_steps': 0},
      {
        'state': update.init(change(params), config),
        'counts': {'learner_steps': np.int32(0)},
      },
    ),
  )
  return run.path


def always(*actions):
  """Returns a change of parameters: agent i always plays `actions[i]`."""

  def change(params):
    head = params['policy_value_head/policy']
    num_actions = head['b'].shape[1]
    bias = 100 * np.eye(num_actions, dtype=np.float32)[list(actions)]
    return {
      **params,
      'policy_value_head/policy': {'w': 0 * head['w'], 'b': bias},
    }

  return change
