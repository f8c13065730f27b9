"""The fused trainer on a vector environment of one's own."""

import haiku as hk
import jax
import pytest

from influence_acme.runs import csv_log
from influence_acme.system import config as config_lib
from influence_acme.testing import fakes
from influence_acme.training import config as training_config
from influence_acme.training import runner as run_lib

# Two agents, 10 steps, a reward of 1 for the right one of three actions.
GAME = fakes.FakeVectorEnvironment(episode_length=10)
OPTIMUM, RANDOM = 20.0, 20.0 / 3
NUM_STEPS = 16_000


class _Tower(hk.Module):
  """A torso of one's own."""

  def __call__(self, world):
    return jax.nn.relu(hk.Linear(16)(world))


@pytest.mark.slow
@pytest.mark.parametrize(
  ('variant', 'torso'),
  [('moa', None), ('communication', _Tower), ('basic_influence', None)],
)
def test_agents_learn_from_vectors(tmp_path, variant, torso):
  agent = config_lib.InfluenceConfig(
    variant=variant,
    hidden_size=16,
    influence_weight=0.01,
    influence_curriculum_steps=1000,
    discount=0.0,  # Each reward is for one action alone.
    reward_scale=1.0,
    entropy_cost=0.003,
    learning_rate=2e-2,
    learning_rate_end=2e-3,
    learning_rate_steps=NUM_STEPS,
    unroll_length=10,
    batch_size=8,
  )
  config = training_config.TrainConfig(
    agent, num_steps=NUM_STEPS, run_dir=str(tmp_path / 'run')
  )
  assert run_lib.run(config, GAME, torso) == 0
  log = csv_log.read_log(tmp_path / 'run' / 'logs' / 'actor_0.csv')
  assert log['collective_return'][0] < 2 * RANDOM
  assert log['collective_return'][-1] > 0.7 * OPTIMUM
