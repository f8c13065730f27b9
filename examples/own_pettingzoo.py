"""Trains influential agents in a PettingZoo environment of your own.

  pip install '.[pettingzoo]'
  python examples/own_pettingzoo.py

Two painters see each other's last colour, and are paid to choose the same.
It takes about a minute on two cores.
"""

import functools
import tempfile

import numpy as np
import pettingzoo
from absl import app, logging
from gymnasium import spaces

from influence_acme import adapters, programs
from influence_acme.agents import influence

NUM_STEPS = 8_000
EPISODE_LENGTH = 25
COLOURS = 255 * np.eye(4, 3, dtype=np.uint8)  # Red, green, blue, and black.
VIEWS = np.tile(COLOURS[:, None, None], (1, 5, 5, 1))  # One for each.
PIXELS = spaces.Box(0, 255, VIEWS.shape[1:], np.uint8)


class Painters(pettingzoo.ParallelEnv):
  """An environment of PettingZoo's parallel API, as any other."""

  possible_agents = ['left', 'right']
  observation_spaces = dict.fromkeys(possible_agents, PIXELS)
  action_spaces = dict.fromkeys(possible_agents, spaces.Discrete(3))

  def observation_space(self, agent: str) -> spaces.Space:
    """Returns what both see."""
    return self.observation_spaces[agent]

  def action_space(self, agent: str) -> spaces.Space:
    """Returns the choice of a colour."""
    return self.action_spaces[agent]

  def reset(self, seed=None, options=None):
    """Starts an episode, with nothing to see."""
    del seed, options  # Nothing is random.
    self.agents, self._time = list(self.possible_agents), 0
    black = dict.fromkeys(self.agents, VIEWS[-1])
    return black, {agent: {} for agent in self.agents}

  def step(self, actions):
    """Pays both if they agree, and shows each what the other chose."""
    self._time += 1
    left, right = actions['left'], actions['right']
    views = {'left': VIEWS[right], 'right': VIEWS[left]}
    rewards = dict.fromkeys(self.agents, float(left == right))
    is_over = self._time == EPISODE_LENGTH
    terminated = dict.fromkeys(self.agents, False)
    truncated = dict.fromkeys(self.agents, is_over)
    infos: dict[str, dict] = {agent: {} for agent in self.agents}
    self.agents = [] if is_over else self.agents
    return views, rewards, terminated, truncated, infos


def main(_: list[str]) -> None:
  """Trains, and tells how well the painters agree."""
  logging.set_verbosity(logging.WARNING)  # Progress has the terminal.
  config = influence.InfluenceConfig(  # Small, for a game that is.
    hidden_size=32,
    batch_size=4,
    unroll_length=10,
    learning_rate=3e-3,
    reward_scale=1.0,
    influence_weight=0.1,
    influence_curriculum_steps=1,
  )

  def make_environment(seed: int):
    environment = adapters.PettingZooEnvironment(Painters(), seed)
    return influence.wrap_environment(environment, config)

  experiment = programs.Experiment(
    builder_factory=functools.partial(influence.InfluenceBuilder, config),
    environment_factory=make_environment,
    network_factory=functools.partial(influence.make_networks, config=config),
    num_steps=NUM_STEPS,
    run_dir=tempfile.mkdtemp(prefix='own_pettingzoo_'),
  )
  if code := programs.launch(programs.make_program(experiment), 'threads'):
    raise SystemExit(code)
  log = programs.read_log(experiment.directory.path / 'logs' / 'actor_0.csv')
  agreed = log['episode_return/left'] / EPISODE_LENGTH
  print(f'They agreed in {agreed[0]:.0%} of the steps of the first episode')
  print(f'and in {agreed[-1]:.0%} of the last ones: {experiment.run_dir}')


if __name__ == '__main__':
  app.run(main)
