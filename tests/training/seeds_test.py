"""Several seeds train as one program, each as it would alone."""

import numpy as np
import pytest
import tiny

from influence_acme import environments
from influence_acme.runs import checkpoint
from influence_acme.training import session

SEEDS = (3, 1, 2**32 - 1)


@pytest.fixture(scope='module')
def runs(tmp_path_factory):
  """Three seeds in one program."""
  path = tmp_path_factory.mktemp('seeds')
  assert tiny.run(path, seeds=SEEDS) == 0
  return path


def _assert_equal(left, right):
  """Compares the learners of two runs."""
  x, y = (tiny.load(path).learner for path in (left, right))
  assert x.keys() == y.keys()
  for name in x:
    np.testing.assert_array_equal(x[name], y[name], err_msg=name)


def test_each_seed_is_a_run_of_its_own(runs, tmp_path):
  assert sorted(x.name for x in runs.iterdir()) == sorted(
    f'seed_{seed}' for seed in SEEDS
  )
  alone = tmp_path / 'alone'
  assert tiny.run(alone, seed=SEEDS[1]) == 0
  _assert_equal(alone, runs / f'seed_{SEEDS[1]}')
  with pytest.raises(AssertionError):
    _assert_equal(alone, runs / f'seed_{SEEDS[0]}')


def test_one_of_them_goes_on_alone_and_all_go_on_together(runs, tmp_path):
  """As if nothing had happened."""
  assert tiny.run(tmp_path / 'whole', seeds=SEEDS, num_steps=200) == 0
  first = f'seed_{SEEDS[0]}'
  assert tiny.resume(runs / first, seed=SEEDS[0], num_steps=200) == 0
  # One has its steps already.
  assert tiny.resume(runs, seeds=SEEDS, num_steps=200) == 0
  for seed in SEEDS:
    name = f'seed_{seed}'
    _assert_equal(tmp_path / 'whole' / name, runs / name)


def test_what_had_not_begun_begins(tmp_path):
  assert tiny.run(tmp_path, seeds=(0,)) == 0
  assert tiny.resume(tmp_path, seeds=(0, 1)) == 0
  assert tiny.load(tmp_path / 'seed_1').counts['actor_steps'] >= 100


def test_a_resume_that_was_refused_can_be_corrected(tmp_path):
  assert tiny.run(tmp_path, seeds=(0,)) == 0
  other = tiny.make_agent(unroll_length=5)
  with pytest.raises(checkpoint.CheckpointError, match='unroll_length'):
    tiny.resume(tmp_path, other, seeds=(0, 1))
  assert tiny.resume(tmp_path, seeds=(0, 1)) == 0


def test_there_must_be_runs_to_resume(tmp_path):
  with pytest.raises(FileNotFoundError, match='seed_0 holds no run'):
    tiny.resume(tmp_path / 'nothing', seeds=(0, 1))
  assert not list(tmp_path.iterdir())


def test_they_are_not_mixed_with_a_run_of_one_seed(tmp_path):
  assert tiny.run(tmp_path) == 0
  with pytest.raises(FileExistsError, match='holds a run already'):
    tiny.run(tmp_path, seeds=(0, 1))
  assert not list(tmp_path.glob('seed_*'))


def test_all_or_none_start(tmp_path):
  assert tiny.run(tmp_path / 'seed_1', seed=1) == 0
  with pytest.raises(FileExistsError, match='seed_1 holds a run already'):
    tiny.run(tmp_path, seeds=(0, 1))
  assert not (tmp_path / 'seed_0').exists()


def test_a_failure_is_told_in_the_directory_of_each(
  tmp_path, monkeypatch, capsys
):
  def fail(self, *unused):
    raise FloatingPointError('The reward is NaN.')

  monkeypatch.setattr(session.Session, 'take', fail)
  assert tiny.run(tmp_path, seeds=(0, 1)) == 1
  for seed in (0, 1):
    told = tiny.failure(tmp_path / f'seed_{seed}')
    assert 'Seed 0: The reward is NaN.' in told.splitlines()[0]
  assert f'resume the run in {tmp_path}\n' in capsys.readouterr().err


@pytest.mark.parametrize(
  'options, message',
  [
    ({'seeds': (1, 1)}, r'seeds is \(1, 1\): each must stand there once'),
    ({'seeds': 3}, 'seeds is 3: it must be a tuple'),
    ({'seeds': (-1,)}, 'seeds is -1: it must be an integer from 0'),
    ({'seeds': (2**32,)}, 'seeds is 4294967296: it must be an integer'),
    ({'seeds': (True,)}, 'seeds is True: it must be an integer'),
    (
      {
        'seeds': (1, 2),
        'coordinator': 'a:1',
        'process_id': 0,
        'num_processes': 2,
      },
      'seeds is .* must be empty where several processes',
    ),
  ],
)
def test_seeds_are_checked(tmp_path, options, message):
  with pytest.raises(ValueError, match=message):
    tiny.make_config(tmp_path, **options)


def test_environments_on_the_host_have_one_seed(tmp_path):
  def unused(seed):
    game = tiny.make_config(tmp_path).make_environment()
    return environments.MultiAgentEnvironment(game, seed)

  with pytest.raises(ValueError, match=r'seeds is \(0, 1\): .* on the host'):
    tiny.run(tmp_path, environment=unused, seeds=(0, 1))
  assert not list(tmp_path.iterdir())
