"""Trains on Cleanup, and keeps all that an oracle needs to check the rows."""

import functools
import pathlib
import pickle
import sys

import numpy as np

from influence_acme import environments, programs, wrappers
from influence_acme.agents import influence

NUM_STEPS = 20_000
ROWS_OF_A_BATCH = 6


def make_config():
  return influence.InfluenceConfig(influence_curriculum_steps=5_000)


def make_environment(seed):
  return wrappers.OthersActionsWrapper(environments.make('cleanup', seed=seed))


def _dump(path, value):
  with open(path, 'wb') as file:
    pickle.dump(value, file)


class ArchivingBuilder(influence.InfluenceBuilder):
  """Keeps some rows of each batch, and all parameters that were fetched."""

  def __init__(self, config, archive, logger):
    super().__init__(config, logger)
    self._archive = pathlib.Path(archive)

  def make_learner(self, random_key, networks, dataset, *args):
    self._archive.mkdir(exist_ok=True)
    learner = super().make_learner(
      random_key, networks, self._keep_rows(dataset), *args
    )
    fetch = learner.get_variables

    def fetch_and_keep(names):
      values = fetch(names)
      found = dict(zip(names, values, strict=True))
      version = int(found['counts']['learner_steps'])
      _dump(self._archive / f'version_{version}.pkl', found)
      return values

    learner.get_variables = fetch_and_keep
    return learner

  def _keep_rows(self, dataset):
    rng = np.random.default_rng(0)
    for number, sample in enumerate(dataset):
      data = sample.data
      batch, length = data.start_of_episode.shape
      rows = []
      for _ in range(ROWS_OF_A_BATCH):
        b, t = rng.integers(batch), rng.integers(length - 2)
        row = {
          name: _plain_row(getattr(data, name), b, t)
          for name in ('observation', 'action', 'reward', 'extras')
        }
        row['is_padding'] = bool(data.start_of_episode[b, t + 1])
        row['is_last_step'] = bool(data.start_of_episode[b, t + 2])
        rows.append(row)
      _dump(self._archive / f'rows_{number}.pkl', rows)
      yield sample


def _plain_row(nest, b, t):
  """One row in plain tuples: TensorFlow's look-alikes do not pickle."""
  if isinstance(nest, dict):
    return {key: _plain_row(value, b, t) for key, value in nest.items()}
  if isinstance(nest, tuple):
    return tuple(_plain_row(value, b, t) for value in nest)
  return np.array(nest[b, t])


def main(run_dir, archive):
  config = make_config()
  experiment = programs.Experiment(
    builder_factory=functools.partial(ArchivingBuilder, config, archive),
    environment_factory=make_environment,
    network_factory=functools.partial(influence.make_networks, config=config),
    num_steps=NUM_STEPS,
    num_actors=2,
    run_dir=run_dir,
  )
  return programs.launch(programs.make_program(experiment), 'processes')


if __name__ == '__main__':
  sys.exit(main(*sys.argv[1:]))
