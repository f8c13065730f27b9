"""Runs that are resumed: exactly, or not at all."""

import json
import os
import shutil
from concurrent import futures
from typing import Any

import numpy as np
import pytest
import tiny

from influence_acme.runs import checkpoint, lock, run_dir
from influence_acme.system import config as config_lib
from influence_acme.training import session

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
    (
      {},
      {'game': 'matrix', 'num_agents': 2},
      "is of another experiment: its .*game is 'coordination', .* 'matrix'",
    ),
    ({'hidden_size': 9}, {}, 'its hidden_size is 8, that of this run 9'),
    (
      {'hidden_size': 9},
      {'allow_changes': ('hidden_size',)},
      'does not fit: .*Resume with the networks',
    ),
    ({'variant': 'moa_baseline'}, {}, "'moa_baseline'.*=variant"),
    (
      {'learning_rate': 1e-4, 'discount': 0.9},
      {'allow_changes': ('discount',)},
      r'its learning_rate is 0.00123, .* 0.0001\. .*=learning_rate\.',
    ),
    ({'unroll_length': 5}, {}, 'its unroll_length is 10, that of this run 5'),
    ({'batch_size': 2}, {}, 'its batch_size is 4, that of this run 2'),
    ({}, {'episode_length': 9}, 'its episode_length is 7, that of this run 9'),
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


def test_changes_that_are_allowed_go_into_the_history(copy, capsys):
  agent = tiny.make_agent(batch_size=2, discount=0.9)
  names = 'discount,episode_length, max_queue_size', 'batch_size'
  options = {'num_steps': 200, 'episode_length': 9}
  before = tiny.load(copy).counts
  assert tiny.resume(copy, agent, allow_changes=names, **options) == 0
  assert tiny.load(copy).counts['actor_steps'] >= 200 > before['actor_steps']
  told = capsys.readouterr().err
  assert 'batch_size is 2, was 4' in told
  assert 'A resume may change num_steps, num_actors, num_environ' in told
  record = json.loads((copy / 'config.json').read_text())
  (entry,) = record['resumed']
  assert entry['changed'] == {
    'batch_size': [4, 2],
    'discount': [0.99, 0.9],
    'episode_length': [7, 9],
    'max_queue_size': [4, 2],
    'num_steps': [100, 200],
  }
  # From now on these are the run's.
  with pytest.raises(checkpoint.CheckpointError, match='discount is 0.9, .*99'):
    tiny.resume(copy, tiny.make_agent(batch_size=2), **options)


def test_two_programs_do_not_run_in_one_directory(copy):
  run = run_dir.RunDirectory(copy)
  before = _contents(copy)
  with (
    run.hold(),
    pytest.raises(lock.InUseError, match=f'process {os.getpid()} on '),
  ):
    tiny.resume(copy)
  assert _contents(copy) == before


@pytest.mark.parametrize(
  'content, message',
  [
    (b'', 'is not JSON'),
    (b'\xff\xfe\x00', 'is not JSON'),
    (b'[1, 2]', 'is not the configuration of a run'),
    (b'{"model_type": "llama"}', 'is not the configuration of a run'),
    (b'{"config": {}, "resumed": [3]}', 'is not the configuration of a run'),
  ],
)
def test_what_is_no_config_of_a_run_is_told(copy, content, message):
  (copy / 'config.json').write_bytes(content)
  before = _contents(copy)
  with pytest.raises(ValueError, match=f'config.json {message}'):
    tiny.resume(copy)
  assert _contents(copy) == before


def test_another_thread_is_refused_before_a_file_is_touched(tmp_path):
  with futures.ThreadPoolExecutor(1) as pool:
    run = pool.submit(tiny.run, tmp_path / 'run')
    with pytest.raises(RuntimeError, match='in the main thread'):
      run.result()
  assert not (tmp_path / 'run').exists()


def test_there_must_be_a_run_to_resume(tmp_path):
  with pytest.raises(FileNotFoundError, match='holds no run'):
    tiny.resume(tmp_path / 'nothing')


def test_a_run_is_not_started_over(copy):
  before = _contents(copy)
  with pytest.raises(FileExistsError, match='holds a run already'):
    tiny.run(copy)
  assert _contents(copy) == before


def test_a_change_that_was_not_saved_yet_is_not_forgotten(copy, monkeypatch):
  """Else the old environments and batch would wait for the new settings."""
  agent = tiny.make_agent(unroll_length=6)

  def die(*unused):
    raise RuntimeError('Killed.')

  with monkeypatch.context() as patch:
    patch.setattr(session.Session, 'start', die)
    code = tiny.resume(
      copy, agent, allow_changes=('unroll_length',), num_steps=200
    )
    assert code == 1
  assert tiny.resume(copy, agent, num_steps=200) == 0
  assert tiny.load(copy).counts['actor_steps'] >= 200
