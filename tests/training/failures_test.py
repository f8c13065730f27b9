"""Runs that fail: what they say, what they leave, what they close."""

import functools
import pathlib
import re
import tempfile

import broken_vectors
import numpy as np
import pytest
import tiny

from influence_acme import environments
from influence_acme.runs import checkpoint, run_dir, save_clock
from influence_acme.training import runner as run_lib

_AGENT = tiny.make_agent('baseline')
_PURE = environments.functional('coordination', episode_length=7)


class _Host(environments.MultiAgentEnvironment):
  """Keeps count of what is open, and does something late in the run."""

  def __init__(self, seed, log, late=lambda timestep: timestep, fails_at=None):
    if len(log['made']) == fails_at:
      raise OSError('no more licences')
    super().__init__(_PURE, seed)
    log['made'].append(seed)
    self._log, self._late, self._num_steps = log, late, 0

  def step(self, action):
    self._num_steps += 1
    timestep = super().step(action)
    return self._late(timestep) if self._num_steps > 25 else timestep

  def close(self):
    self._log['closed'].append(self)


def _nan(timestep):
  if timestep.first():
    return timestep
  return timestep._replace(
    reward={**timestep.reward, 'agent_1': np.float32(np.nan)}
  )


def _broken_arm(timestep):
  raise RuntimeError('the arm is broken')


@pytest.fixture
def log():
  return {'made': [], 'closed': []}


def _assert_all_are_closed(log):
  assert len(set(map(id, log['closed']))) == len(log['made'])


@pytest.mark.parametrize('name, time, said', broken_vectors.CASES)
def test_whatever_is_not_finite_names_agent_and_step(
  tmp_path, name, time, said
):
  environment = broken_vectors.BrokenVectors(name=name, time=time)
  assert tiny.run(tmp_path / 'run', _AGENT, environment=environment) == 1
  assert re.search(said, tiny.failure(tmp_path / 'run').splitlines()[0])


def test_environments_on_the_host_name_agent_and_step(tmp_path):
  environment = broken_vectors.BrokenVectors(name='observation', time=3)
  make = functools.partial(environments.MultiAgentEnvironment, environment)
  assert tiny.run(tmp_path / 'run', _AGENT, environment=make) == 1
  first, *_ = tiny.failure(tmp_path / 'run').splitlines()
  said = "Agent 'agent_1' at step 3 of the episode: 'world' holds nan, it must"
  assert said in first


def test_it_is_found_before_it_is_saved_or_learned_from(tmp_path, log):
  options = {'num_steps': 1000, 'checkpoint_seconds': 1e-9}
  make = lambda seed: _Host(seed, log, _nan)  # noqa: E731
  assert tiny.run(tmp_path / 'run', _AGENT, environment=make, **options) == 1
  first, *_ = tiny.failure(tmp_path / 'run').splitlines()
  assert "Agent 'agent_1' at step 5 of the episode: reward holds nan" in first
  _assert_all_are_closed(log)
  saved = tiny.load(tmp_path / 'run')
  assert saved.counts['environment_steps'] > 4 * 10
  assert all(np.isfinite(x).all() for x in saved.learner.values())

  # Once the cause is gone, it goes on with environments that start anew.
  steps = saved.counts['environment_steps'] + 200
  make = lambda seed: _Host(seed, log)  # noqa: E731
  code = tiny.resume(
    tmp_path / 'run', _AGENT, environment=make, num_steps=steps
  )
  assert code == 0
  resumed = tiny.load(tmp_path / 'run')
  assert resumed.counts['environment_steps'] >= steps
  assert resumed.counts['learner_steps'] > saved.counts['learner_steps']
  assert resumed.rollout is None
  # No seed of before, that would repeat its episodes; but for the specs.
  assert len(set(log['made'])) == 2 * tiny.B + 1
  _assert_all_are_closed(log)


def test_an_environment_that_raises_ends_the_run(tmp_path, log):
  make = lambda seed: _Host(seed, log, _broken_arm)  # noqa: E731
  assert (
    tiny.run(tmp_path / 'run', _AGENT, environment=make, num_steps=1000) == 1
  )
  text = tiny.failure(tmp_path / 'run')
  assert text.startswith('train failed: RuntimeError: the arm is broken')
  assert 'in _broken_arm' in text
  _assert_all_are_closed(log)
  assert tiny.load(tmp_path / 'run').counts['environment_steps'] > 0


def test_environments_are_closed_if_one_cannot_be_made(tmp_path, log):
  # After that for the specs, and two of the batch.
  make = lambda seed: _Host(seed, log, fails_at=3)  # noqa: E731
  assert tiny.run(tmp_path / 'run', _AGENT, environment=make) == 1
  assert 'no more licences' in tiny.failure(tmp_path / 'run')
  assert len(log['made']) == 3
  _assert_all_are_closed(log)


def test_environments_are_closed_at_the_end(tmp_path, log):
  assert (
    tiny.run(tmp_path / 'run', _AGENT, environment=lambda s: _Host(s, log)) == 0
  )
  assert len(log['made']) == tiny.B + 1
  _assert_all_are_closed(log)


def test_a_directory_that_becomes_read_only_ends_the_run_soon(
  tmp_path, monkeypatch, capsys
):
  def read_only(**_):
    raise OSError(30, 'Read-only file system')

  monkeypatch.setattr(save_clock, '_LOOK_SECONDS', 0.0)
  monkeypatch.setattr(tempfile, 'TemporaryFile', read_only)
  assert tiny.run(tmp_path / 'run', _AGENT, num_steps=10**8) == 1
  told = capsys.readouterr().err
  assert 'train failed: PermissionError: Cannot write to the run direc' in told
  assert 'Read-only file system' in told


def test_a_full_disk_is_a_failure_even_if_nothing_can_be_written(
  tmp_path, monkeypatch, capsys
):
  save, num_saved = checkpoint.save, []

  def fill_up(*args):
    num_saved.append(1)
    if len(num_saved) > 1:
      raise checkpoint.CheckpointError('Cannot write: the disk is full.')
    save(*args)

  monkeypatch.setattr(checkpoint, 'save', fill_up)
  nowhere = pathlib.Path('/proc/nowhere/failure.txt')
  monkeypatch.setattr(run_dir.RunDirectory, 'failure_path', nowhere)
  assert run_lib.run(tiny.make_config(tmp_path / 'run', _AGENT)) == 1
  assert 'the disk is full' in capsys.readouterr().err
