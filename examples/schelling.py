"""Draws Schelling diagrams of Cleanup and Harvest, with scripted agents.

  python examples/schelling.py --output=results/schelling

What does it pay to cooperate, given how many others do? Nothing is learned.
It takes some minutes on two cores.
"""

import dataclasses
import pathlib
from collections.abc import Sequence
from typing import Any

from absl import app, flags

from influence_acme.reproduction import schelling
from influence_acme.runs import config_file

_OUTPUT = flags.DEFINE_string('output', 'runs/schelling', 'Where to write.')
_NUM_AGENTS = flags.DEFINE_integer('num_agents', 5, 'Agents in each game.')
_NUM_EPISODES = flags.DEFINE_integer(
  'num_episodes', 32, 'For each number of cooperators.'
)
_EPISODE_LENGTH = flags.DEFINE_integer('episode_length', 1000, 'In steps.')
_SEED = flags.DEFINE_integer('seed', 0, 'Of all randomness.')
_DIRTY = flags.DEFINE_float(
  'dirty', 0.2, 'Cooperators clean from this share of waste on.'
)
_SPARE = flags.DEFINE_integer(
  'spare', 3, 'Cooperators leave apples with fewer others around.'
)


def main(argv: Sequence[str]) -> None:
  """Plays both games, and writes the payoffs and their picture."""
  if len(argv) > 1:
    raise app.UsageError(f'Unknown argument: {argv[1]}')
  output = pathlib.Path(_OUTPUT.value)
  output.mkdir(parents=True, exist_ok=True)
  rules: dict[str, dict[str, Any]] = {
    'cleanup': {'dirty': _DIRTY.value},
    'harvest': {'spare': _SPARE.value},
  }
  size = {
    'num_agents': _NUM_AGENTS.value,
    'num_episodes': _NUM_EPISODES.value,
    'episode_length': _EPISODE_LENGTH.value,
    'seed': _SEED.value,
  }
  diagrams = [
    schelling.measure(game, **size, **rule) for game, rule in rules.items()
  ]
  for diagram in diagrams:
    for statement, holds in diagram.properties().items():
      print(f'{diagram.game}: {statement}: {"yes" if holds else "no"}')
  content = {
    **size,
    'games': [
      {**dataclasses.asdict(each), **rules[each.game]} for each in diagrams
    ],
  }
  config_file.write_json(output / 'schelling.json', content)
  schelling.draw(diagrams, output / 'schelling.png')


if __name__ == '__main__':
  app.run(main)
