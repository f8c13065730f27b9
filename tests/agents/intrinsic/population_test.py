"""Stock agents that are paid for influence, in our programs: one, or all."""

import os
import pathlib
import subprocess
import sys
from typing import Any

import numpy as np
import population_program
import pytest
from acme.utils import loggers

from influence_acme import programs
from influence_acme.programs import evaluation
from influence_acme.runs import checkpoint

PROGRAM = pathlib.Path(population_program.__file__)


def _run(launch, run_dir, num_steps, *names):
  done = subprocess.run(
    [sys.executable, PROGRAM, launch, run_dir, str(num_steps), *names],
    capture_output=True,
    text=True,
    timeout=500,
    cwd=PROGRAM.parent,
    env={**os.environ, 'PYTHONPATH': str(PROGRAM.parents[3])},
  )
  assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
  return programs.read_log(run_dir / 'logs' / 'learner.csv')


def _check(log, names):
  """Every agent learns, and is paid for influence by a model of its own."""
  for index, name in enumerate(names):
    agent_id = f'agent_{index}'
    assert log[f'learner_{agent_id}_steps'][-1] > 3, name
    influence = log[f'influence/{agent_id}']
    assert np.nanmin(influence) >= 0 and np.isfinite(influence[-1]), name
  assert f'influence/agent_{len(names)}' not in log


@pytest.mark.slow
@pytest.mark.parametrize(
  ('launch', 'names'),
  [('threads', ('dqn',)), ('processes', ('impala', 'r2d2', 'ppo', 'dqn'))],
  ids=['threads', 'processes'],
)
def test_stock_agents_are_one_or_all_of_a_population(launch, names, tmp_path):
  log = _run(launch, tmp_path / 'run', 1_500, *names)
  _check(log, names)
  saved = checkpoint.load(tmp_path / 'run' / 'checkpoint')
  agents = {path.split("'")[1] for path in saved.learner}
  assert agents == {f'agent_{i}' for i in range(len(names))}
  assert saved.counts['environment_steps'] >= 1_500


@pytest.mark.slow
def test_a_population_goes_on_where_it_was(tmp_path):
  names = ('impala', 'dqn')
  first = _run('threads', tmp_path / 'run', 800, *names)
  before = first['learner_agent_1_steps'][-1]
  log = _run('threads', tmp_path / 'run', 1_600, *names, 'resume')
  _check(log, names)
  assert log['learner_agent_1_steps'][-1] > before
  saved = checkpoint.load(tmp_path / 'run' / 'checkpoint')
  assert saved.counts['environment_steps'] >= 1_600


@pytest.mark.parametrize(
  'names',
  [
    ('impala', 'dqn'),
    pytest.param(('r2d2', 'ppo'), marks=pytest.mark.slow),
  ],
)
def test_a_population_that_was_saved_can_be_evaluated(tmp_path, names):
  make = population_program.make_experiment
  experiment = make(tmp_path / 'run', 10, names)
  spec = experiment.make_environment_spec()
  builder: Any = experiment.builder_factory(loggers.NoOpLogger())
  ids = [f'agent_{i}' for i in range(len(names))]
  learner = builder.make_learner(
    experiment.learner_key(),
    experiment.network_factory(spec),
    {agent_id: iter(()) for agent_id in ids},
    dict.fromkeys(ids),
  )
  directory = experiment.directory
  directory.prepare()
  directory.write_config(experiment.settings(spec, None))
  checkpoint.save(
    directory.checkpoint_path,
    checkpoint.Checkpoint(
      experiment.make_identity(spec),
      {'environment_steps': 10},
      checkpoint.to_numpy(learner.save()),
    ),
  )
  episode = evaluation.evaluate(experiment)
  assert episode.rewards.shape == (10, population_program.NUM_AGENTS)
  assert episode.influence is None
  assert episode.measures['collective_return'] == episode.rewards.sum()
  with pytest.raises(checkpoint.CheckpointError, match='of another experim'):
    evaluation.evaluate(make(tmp_path / 'run', 10, ('dqn', 'dqn')))


def test_the_fused_trainer_refuses_a_population_of_strangers(tmp_path):
  experiment = population_program.make_experiment(tmp_path, 10, ('dqn', 'dqn'))
  program = programs.make_program(experiment)
  with pytest.raises(ValueError, match="launch is 'single', .*Population"):
    programs.launch(program, 'single')
  assert not experiment.directory.config_path.exists()
