import os
import signal

import numpy as np
import pytest
import reverb
import toy
import tree

from influence_acme import programs
from influence_acme.programs import batches, journal_client
from influence_acme.runs import checkpoint


def _run(run_dir, **overrides):
  """Runs the toy in this process; returns exit code and checkpoint."""
  experiment = toy.make_experiment(run_dir, **overrides)
  code = programs.launch(programs.make_program(experiment), 'single')
  return code, checkpoint.load(run_dir / 'checkpoint')


def _assert_bit_equal(one, other):
  """Checks whole checkpoints: parameters, counts, replay, environments."""
  paths, leaves = zip(*tree.flatten_with_path(vars(one)), strict=True)
  others, values = zip(*tree.flatten_with_path(vars(other)), strict=True)
  assert paths == others
  for path, x, y in zip(paths, leaves, values, strict=True):
    assert np.asarray(x).dtype == np.asarray(y).dtype, path
    np.testing.assert_array_equal(x, y, err_msg=str(path))


@pytest.fixture(scope='module', params=[1, 2])
def uninterrupted(request, tmp_path_factory):
  directory = tmp_path_factory.mktemp('whole') / 'run'
  code, saved = _run(directory, num_steps=300, num_actors=request.param)
  assert code == 0
  return request.param, saved


@pytest.mark.parametrize('stops', [(1,), (2, 40), (121,), (124, 130, 290)])
def test_resumed_runs_equal_an_uninterrupted_one(
  tmp_path, uninterrupted, stops
):
  num_actors, expected = uninterrupted
  directory = tmp_path / 'run'
  for i, num_steps in enumerate([*stops, 300]):
    code, saved = _run(
      directory, num_steps=num_steps, num_actors=num_actors, resume=i > 0
    )
    assert code == 0
  _assert_bit_equal(saved, expected)


def test_something_waits_in_the_replay_at_most_stops(uninterrupted):
  """Else the tests above would not show that it is restored."""
  _, saved = uninterrupted
  assert len(saved.lockstep['waiting']) in (0, 1)
  for actor in saved.lockstep['actors']:
    # A sequence has four rows, and the writer keeps one more.
    assert len(actor['rows']['rows']) == 5
    assert actor['rows']['episode_steps'] > 5


def test_ctrl_c_goes_back_to_the_last_end_of_an_episode(
  tmp_path, uninterrupted
):
  num_actors, expected = uninterrupted
  directory = tmp_path / 'run'
  steps_left = [157]

  def step_fn():
    steps_left[0] -= 1
    if not steps_left[0]:
      os.kill(os.getpid(), signal.SIGINT)

  def make_environment(seed):
    return toy.ToyEnvironment(seed, step_fn=step_fn)

  code, stopped = _run(
    directory,
    environment_factory=make_environment,
    num_steps=300,
    num_actors=num_actors,
  )
  assert code == 130
  assert 140 < stopped.counts['environment_steps'] < 157
  code, saved = _run(
    directory, num_steps=300, num_actors=num_actors, resume=True
  )
  assert code == 0
  _assert_bit_equal(saved, expected)


def test_seeds_give_the_same_or_another_run(tmp_path, uninterrupted):
  num_actors, expected = uninterrupted
  _, same = _run(tmp_path / 'same', num_steps=300, num_actors=num_actors)
  _assert_bit_equal(same, expected)
  _, other = _run(
    tmp_path / 'other', num_steps=300, num_actors=num_actors, seed=1
  )
  assert np.any(other.learner['params'] != expected.learner['params'])


def test_the_budget_is_rounded_up_to_the_end_of_an_episode(tmp_path):
  _, saved = _run(tmp_path / 'run', num_steps=100)
  assert 100 <= saved.counts['environment_steps'] < 108
  assert saved.counts['environment_steps'] == saved.counts['actor_steps']
  # Four rows a sequence, of which one is the last one's; two a batch.
  rows = saved.counts['actor_steps'] + saved.counts['actor_episodes']
  assert saved.counts['learner_steps'] == (rows - 1) // 3 // 2


def test_learning_uses_all_that_there_is_at_every_step(tmp_path):
  """Else a full queue would block the only thread."""
  _, saved = _run(
    tmp_path / 'run', builder_factory=_builder(queue_size=2), num_steps=200
  )
  assert saved.counts['environment_steps'] >= 200


def _builder(**kwargs):
  return lambda logger: toy.ToyBuilder(logger, **kwargs)


def _failure(tmp_path, **overrides):
  code, saved = _run(tmp_path / 'run', num_steps=200, **overrides)
  assert code == 1
  return (tmp_path / 'run' / 'failure.txt').read_text().splitlines()[0]


def test_a_replay_that_fills_before_there_is_a_batch_is_an_error(
  tmp_path, monkeypatch
):
  monkeypatch.setattr(journal_client, '_INSERT_TIMEOUT_MS', 100)
  failure = _failure(tmp_path, batch_size=100)
  assert 'The replay is full, but the learner still waits' in failure


@pytest.mark.parametrize(
  'batch_size, told',
  [
    (1, 'hold more than batch_size of the experiment, 1: set it'),
    (3, 'batch_size of the experiment is 3, but the batches of the builder '),
  ],
)
def test_a_wrong_batch_size_is_an_error(
  tmp_path, monkeypatch, batch_size, told
):
  monkeypatch.setattr(batches, '_BATCH_SECS', 1.0)
  assert told in _failure(tmp_path, batch_size=batch_size)


def test_a_failed_run_keeps_what_was_good(tmp_path):
  """The learner fails in mid-episode; the last end of one is saved."""
  steps = [20]

  def step_fn():
    steps[0] -= 1
    if not steps[0]:
      raise FloatingPointError('not finite')

  failure = _failure(tmp_path, builder_factory=_builder(step_fn=step_fn))
  assert failure == 'single failed: FloatingPointError: not finite'
  _, saved = _run(tmp_path / 'run', num_steps=300, resume=True)
  _, expected = _run(tmp_path / 'other', num_steps=300)
  _assert_bit_equal(saved, expected)


def test_the_replay_must_be_one_queue(tmp_path):
  class Builder(toy.ToyBuilder):
    def make_replay_tables(self, environment_spec):
      table = super().make_replay_tables(environment_spec)[0]
      return [
        reverb.Table(
          table.name,
          sampler=reverb.selectors.Uniform(),
          remover=reverb.selectors.Fifo(),
          max_size=100,
          rate_limiter=reverb.rate_limiters.MinSize(1),
        )
      ]

  experiment = toy.make_experiment(tmp_path / 'run', builder_factory=Builder)
  assert programs.launch(programs.make_program(experiment), 'single') == 1
  failure = (tmp_path / 'run' / 'failure.txt').read_text()
  assert 'one table that is a queue' in failure


def test_the_environment_must_be_saveable(tmp_path):
  class Environment(toy.ToyEnvironment):
    restore = property()

  experiment = toy.make_experiment(
    tmp_path / 'run', environment_factory=Environment
  )
  assert programs.launch(programs.make_program(experiment), 'single') == 1
  failure = (tmp_path / 'run' / 'failure.txt').read_text()
  assert 'Environment has no save() and restore(state)' in failure


def test_another_number_of_actors_is_an_error(tmp_path):
  _run(tmp_path / 'run', num_steps=20, num_actors=2)
  code, _ = _run(tmp_path / 'run', num_steps=40, num_actors=1, resume=True)
  assert code == 1
  failure = (tmp_path / 'run' / 'failure.txt').read_text()
  assert 'The run had num_actors=2, and now has 1' in failure
