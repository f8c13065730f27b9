"""Programs whose actors play many environments at once."""

import functools

import numpy as np
import pytest
import tree

from influence_acme import environments, playing, programs, wrappers
from influence_acme.agents import influence
from influence_acme.runs import checkpoint, csv_log

NUM_STEPS, OPTIMUM = 12_000, 40.0  # Two agents, 20 steps, 1 for each match.
GAME = {'num_actions': 3, 'episode_length': 20}


def _make_environment(seed):
  return wrappers.OthersActionsWrapper(
    environments.make('coordination', seed=seed, **GAME)
  )


def _make_experiment(run_dir, batch_size=8, **overrides):
  config = influence.InfluenceConfig(
    hidden_size=32,
    influence_weight=0.1,
    influence_curriculum_steps=1000,
    moa_loss_weight=1.0,
    reward_scale=1.0,
    learning_rate=5e-3,
    learning_rate_end=1e-4,
    learning_rate_steps=NUM_STEPS,
    unroll_length=10,
    batch_size=batch_size,
    max_queue_size=8,
  )
  settings = {
    'num_steps': NUM_STEPS,
    # In threads more than the queue holds, and no multiple of a batch; the
    # fused trainer plays as many as a batch has sequences.
    'num_environments': 10,
    'functional_environment': environments.functional('coordination', **GAME),
    **overrides,
  }
  return programs.Experiment(
    builder_factory=functools.partial(influence.InfluenceBuilder, config),
    environment_factory=_make_environment,
    network_factory=functools.partial(influence.make_networks, config=config),
    run_dir=run_dir,
    **settings,
  )


def _run(experiment, launch='single'):
  assert programs.launch(programs.make_program(experiment), launch) == 0
  return checkpoint.load(experiment.directory.checkpoint_path)


@pytest.mark.slow
def test_two_agents_learn_to_coordinate(tmp_path):
  experiment = _make_experiment(tmp_path / 'run')
  saved = _run(experiment)
  counts = saved.counts
  assert NUM_STEPS <= counts['environment_steps'] < NUM_STEPS + 100
  assert counts['actor_steps'] == counts['environment_steps']
  rows = counts['environment_steps'] + counts['actor_episodes']
  assert counts['learner_steps'] == pytest.approx(rows / 10 / 8, abs=2)
  log = csv_log.read_log(experiment.directory.logs / 'actor_0.csv')
  # A row is a mean over some time, in which a fast machine trains far.
  assert log['collective_return'][-1] > log['collective_return'][0]
  assert log['episode_length'][-1] == 20
  # The run tells all that it takes to play what was learned.
  policy = playing.load(experiment.directory.path)
  assert policy.environment == experiment.functional_environment
  for greedy in (False, True):
    played = playing.evaluate(policy, num_episodes=100, greedy=greedy)
    assert played.returns.sum(axis=1).mean() >= 0.95 * OPTIMUM


@pytest.mark.slow
def test_threads_learn_from_more_environments_than_the_queue_holds(tmp_path):
  saved = _run(_make_experiment(tmp_path / 'run', num_steps=3000), 'threads')
  steps = saved.counts['environment_steps']
  assert steps >= 3000
  # A row of padding after 20 steps, ten rows a sequence, eight sequences a
  # batch: but for what is on its way, and in the queue, all are learned from.
  rows = steps * 21 / 20
  assert saved.counts['learner_steps'] >= rows / 10 / 8 - 4
  assert saved.rollout is None


@pytest.mark.slow
def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path):
  whole = _run(_make_experiment(tmp_path / 'whole', num_steps=900))
  for resume, num_steps in ((False, 300), (True, 900)):
    parts = _run(
      _make_experiment(tmp_path / 'parts', num_steps=num_steps, resume=resume)
    )
  assert any(name.startswith("['batch']") for name in whole.rollout)
  paths, expected = zip(*tree.flatten_with_path(vars(whole)), strict=True)
  for path, x, y in zip(
    paths, tree.flatten(vars(parts)), expected, strict=True
  ):
    if 'walltime' not in str(path):
      np.testing.assert_array_equal(x, y, err_msg=str(path))

  # Another number of environments is another experiment.
  experiment = _make_experiment(
    tmp_path / 'parts', batch_size=4, num_steps=901, resume=True
  )
  program = programs.make_program(experiment)
  with pytest.raises(
    checkpoint.CheckpointError, match='batch_size is 8, that of this run 4'
  ):
    programs.launch(program, 'single')


@pytest.mark.parametrize(
  'overrides, message',
  [
    ({'num_environments': -1}, 'num_environments is -1'),
    ({'functional_environment': None}, 'functional_environment is None'),
  ],
)
def test_settings_are_checked(tmp_path, overrides, message):
  with pytest.raises(ValueError, match=message):
    _make_experiment(tmp_path / 'run', **overrides)
