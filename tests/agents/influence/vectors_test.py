"""Acme's actors and learner on a vector environment of one's own."""

import functools

import haiku as hk
import jax
import pytest

from influence_acme import environments, programs
from influence_acme.agents import influence
from influence_acme.runs import csv_log
from influence_acme.testing import fakes

# Two agents, 10 steps, a reward of 1 for the right one of three actions.
GAME = fakes.FakeVectorEnvironment(episode_length=10)
OPTIMUM, RANDOM = 20.0, 20.0 / 3
NUM_STEPS = 16_000


class _Tower(hk.Module):
  """A torso of one's own."""

  def __call__(self, world):
    return jax.nn.relu(hk.Linear(16)(world))


def _make_environment(config, seed):
  game = environments.MultiAgentEnvironment(GAME, seed)
  return influence.wrap_environment(game, config)


@pytest.mark.slow
@pytest.mark.parametrize(
  ('torso', 'num_environments'),
  [(None, 0), (_Tower, 8)],
  ids=['vectors, step by step', 'own torso, unrolled'],
)
def test_agents_with_a_moa_learn_from_vectors(
  tmp_path, torso, num_environments
):
  config = influence.InfluenceConfig(
    hidden_size=16,
    influence_weight=0.01,
    influence_curriculum_steps=1000,
    moa_loss_weight=1.0,
    discount=0.0,  # Each reward is for one action alone.
    reward_scale=1.0,
    entropy_cost=0.003,
    learning_rate=2e-2,
    learning_rate_end=2e-3,
    learning_rate_steps=NUM_STEPS,
    unroll_length=10,
    batch_size=8,
    max_queue_size=8,
  )
  experiment = programs.Experiment(
    builder_factory=functools.partial(influence.InfluenceBuilder, config),
    environment_factory=functools.partial(_make_environment, config),
    network_factory=functools.partial(
      influence.make_networks, config=config, torso=torso
    ),
    batch_size=config.batch_size,
    num_steps=NUM_STEPS,
    num_environments=num_environments,
    functional_environment=GAME,
    run_dir=tmp_path / 'run',
  )
  assert programs.launch(programs.make_program(experiment), 'threads') == 0
  log = csv_log.read_log(experiment.directory.logs / 'actor_0.csv')
  assert log['collective_return'][0] < 2 * RANDOM
  assert log['collective_return'][-1] > 0.7 * OPTIMUM
