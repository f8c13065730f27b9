"""Runs that are resumed: exactly, or not at all."""

import shutil
from typing import Any

import numpy as np
import pytest
import tiny

from influence_acme.runs import checkpoint
from influence_acme.system import config as config_lib

_AGENTS: dict[str, dict[str, Any]] = {
  'moa': {'unroll_length': 50, 'batch_size': 16},
  # Two heads, influence that is known one step late, and shuffles.
  'communication': {
    'unroll_length': 25,
    'batch_size': 8,
    'update': 'ppo',
    'normalise_returns': True,
    'normalise_influence': True,
    'ppo': config_lib.PPOConfig(num_epochs=2, num_minibatches=2),
  },
}


def _assert_equal(left, right):
  for part in ('learner', 'rollout'):
    x, y = getattr(left, part), getattr(right, part)
    assert x.keys() == y.keys()
    for name in x:
      np.testing.assert_array_equal(x[name], y[name], err_msg=name)
      assert x[name].dtype == y[name].dtype
  is_time = 'learner_walltime'
  assert left.counts.pop(is_time) > 0 < right.counts.pop(is_time)
  assert left.counts == right.counts


@pytest.mark.slow
@pytest.mark.parametrize('variant', list(_AGENTS))
def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path, variant):
  agent = tiny.make_agent(variant, **_AGENTS[variant])
  assert tiny.run(tmp_path / 'whole', agent, num_steps=20_000) == 0
  assert tiny.run(tmp_path / 'parts', agent, num_steps=10_000) == 0
  half = tiny.load(tmp_path / 'parts')
  assert 10_000 <= half.counts['environment_steps'] < 11_000
  assert tiny.resume(tmp_path / 'parts', agent, num_steps=20_000) == 0
  whole = tiny.load(tmp_path / 'whole')
  assert 20_000 <= whole.counts['environment_steps'] < 21_000
  assert whole.counts['actor_steps'] == whole.counts['environment_steps']
  assert whole.learner["['counts']['learner_steps']"] > 20
  _assert_equal(whole, tiny.load(tmp_path / 'parts'))


@pytest.fixture(scope='module')
def finished(tmp_path_factory):
  path = tmp_path_factory.mktemp('finished') / 'run'
  assert tiny.run(path) == 0
  return path


@pytest.fixture
def copy(finished, tmp_path):
  """A run of one's own, that has failed."""
  path = shutil.copytree(finished, tmp_path / 'run')
  (path / 'failure.txt').write_text('train failed: in the run before')
  return path


def _contents(path):
  return {
    file.relative_to(path): file.read_bytes()
    for file in path.rglob('*')
    if file.is_file()
  }


def test_a_finished_run_has_nothing_to_add(finished, tmp_path):
  path = shutil.copytree(finished, tmp_path / 'run')
  assert tiny.resume(path) == 0
  _assert_equal(tiny.load(finished), tiny.load(path))


def test_a_failure_is_forgotten_once_the_run_goes_on(copy):
  assert tiny.resume(copy, num_steps=101) == 0
  assert not (copy / 'failure.txt').exists()


@pytest.mark.parametrize(
  'agent, options, message',
  [
    ({}, {'game': 'matrix', 'num_agents': 2}, 'is of another experiment'),
    ({'hidden_size': 9}, {}, 'does not fit: .*Resume with the networks'),
    ({'variant': 'baseline'}, {}, 'does not fit: .*Resume with the networks'),
  ],
)
def test_another_runs_checkpoint_is_refused_before_a_file_is_touched(
  copy, agent, options, message
):
  before = _contents(copy)
  with pytest.raises(checkpoint.CheckpointError, match=message):
    tiny.resume(copy, tiny.make_agent(**agent), num_steps=200, **options)
  assert _contents(copy) == before


@pytest.mark.parametrize('share', [0.0, 0.5, 0.999])
def test_a_truncated_checkpoint_is_refused_before_a_file_is_touched(
  copy, share
):
  path = copy / 'checkpoint'
  whole = path.read_bytes()
  path.write_bytes(whole[: int(share * len(whole))])
  before = _contents(copy)
  with pytest.raises(checkpoint.CheckpointError, match='is broken'):
    tiny.resume(copy, num_steps=200)
  assert _contents(copy) == before


def test_another_batch_size_is_told_and_the_checkpoint_kept(copy):
  before = (copy / 'checkpoint').read_bytes()
  agent = tiny.make_agent(batch_size=2)
  assert tiny.resume(copy, agent, num_steps=200) == 1
  assert 'does not fit' in tiny.failure(copy)
  assert (copy / 'checkpoint').read_bytes() == before


def test_there_must_be_a_run_to_resume(tmp_path):
  with pytest.raises(FileNotFoundError, match='holds no run'):
    tiny.resume(tmp_path / 'nothing')


def test_a_run_is_not_started_over(copy):
  before = _contents(copy)
  with pytest.raises(FileExistsError, match='holds a run already'):
    tiny.run(copy)
  assert _contents(copy) == before
