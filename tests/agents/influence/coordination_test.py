"""The whole agent learns a game, through the one-process program."""

import functools

import pytest

from influence_acme import environments, programs, wrappers
from influence_acme.agents import influence

NUM_STEPS, OPTIMUM = 10_000, 1.0  # A reward a step, for playing the same.


class _Recorder(wrappers.OthersActionsWrapper):
  """Keeps the first agent's rewards."""

  def __init__(self, environment, rewards):
    super().__init__(environment)
    self._rewards = rewards

  def step(self, action):
    timestep = super().step(action)
    self._rewards.append(timestep.reward['agent_0'])
    return timestep


def _make_environment(seed, rewards):
  game = environments.make(
    'coordination', num_actions=3, episode_length=20, seed=seed
  )
  return _Recorder(game, rewards)


@pytest.mark.slow
def test_two_agents_learn_to_coordinate(tmp_path):
  rewards: list[float] = []
  config = influence.InfluenceConfig(
    hidden_size=32,
    influence_weight=0.1,
    influence_curriculum_steps=1000,
    moa_loss_weight=1.0,
    reward_scale=1.0,
    entropy_cost=0.003,
    learning_rate=5e-3,
    learning_rate_end=1e-4,
    learning_rate_steps=NUM_STEPS,
    unroll_length=10,
    batch_size=8,
  )
  experiment = programs.Experiment(
    builder_factory=functools.partial(influence.InfluenceBuilder, config),
    environment_factory=functools.partial(_make_environment, rewards=rewards),
    network_factory=functools.partial(influence.make_networks, config=config),
    num_steps=NUM_STEPS,
    run_dir=tmp_path / 'run',
  )
  assert programs.launch(programs.make_program(experiment), 'single') == 0
  assert sum(rewards[-1000:]) / 1000 >= 0.95 * OPTIMUM
