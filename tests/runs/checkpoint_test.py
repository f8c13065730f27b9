import os
import pickle
import resource
import signal
import tracemalloc
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
import pytest

from influence_acme.runs import checkpoint

IDENTITY = {'environment': 'cleanup', 'num_agents': 5}


class State(NamedTuple):
  params: dict
  step: int


def _make(value=1.0, **overrides):
  fields = {
    'identity': IDENTITY,
    'counts': {'environment_steps': 7},
    'learner': State({'w': jnp.full((2, 3), value), 'b': np.zeros(3)}, 4),
    'lockstep': None,
  }
  return checkpoint.Checkpoint(**{**fields, **overrides})


def test_what_is_saved_is_loaded(tmp_path):
  path = tmp_path / 'checkpoint'
  checkpoint.save(path, _make(lockstep={'rows': [(np.int32(3), True)]}))
  loaded = checkpoint.load(path, IDENTITY)
  assert isinstance(loaded.learner, State)
  assert isinstance(loaded.learner.params['w'], np.ndarray)
  np.testing.assert_array_equal(loaded.learner.params['w'], np.ones((2, 3)))
  assert loaded.learner.params['w'].dtype == np.float32
  assert loaded.learner.params['b'].dtype == np.float64
  assert loaded.learner.step == 4
  assert loaded.counts == {'environment_steps': 7}
  assert loaded.lockstep == {'rows': [(3, True)]}
  assert os.listdir(tmp_path) == ['checkpoint']


def test_writing_takes_little_memory(tmp_path):
  learner = {str(i): np.ones(2**18, np.float32) for i in range(20)}  # 20 MiB.
  tracemalloc.start()
  checkpoint.save(tmp_path / 'checkpoint', _make(learner=learner))
  _, peak = tracemalloc.get_traced_memory()
  tracemalloc.stop()
  assert peak < 5 * 2**20


def test_what_cannot_be_written_leaves_the_old_one(tmp_path):
  path = tmp_path / 'checkpoint'
  checkpoint.save(path, _make())
  with pytest.raises((AttributeError, pickle.PicklingError), match='lambda'):
    checkpoint.save(path, _make(learner=lambda: None))
  assert os.listdir(tmp_path) == ['checkpoint']
  assert checkpoint.load(path, IDENTITY).learner.step == 4


def test_later_changes_do_not_reach_a_copy():
  array = jnp.ones(3)
  copied = checkpoint.to_numpy({'x': array})['x']
  assert isinstance(copied, np.ndarray)
  assert not np.shares_memory(copied, np.asarray(array))


def test_no_checkpoint(tmp_path):
  with pytest.raises(checkpoint.CheckpointError, match='without --resume'):
    checkpoint.load(tmp_path / 'checkpoint', IDENTITY)


@pytest.mark.parametrize('kept', [0, 5, 40, 70, -1])
def test_a_truncated_checkpoint(tmp_path, kept):
  path = tmp_path / 'checkpoint'
  checkpoint.save(path, _make())
  path.write_bytes(path.read_bytes()[:kept])
  with pytest.raises(checkpoint.CheckpointError, match='is broken.*--run_dir'):
    checkpoint.load(path, IDENTITY)


def test_a_flipped_bit(tmp_path):
  path = tmp_path / 'checkpoint'
  checkpoint.save(path, _make())
  content = bytearray(path.read_bytes())
  content[len(content) // 2] ^= 1
  path.write_bytes(content)
  with pytest.raises(checkpoint.CheckpointError, match='is broken'):
    checkpoint.load(path, IDENTITY)


def test_another_file_is_never_unpickled(tmp_path):
  path = tmp_path / 'checkpoint'
  path.write_bytes(pickle.dumps(_Exploding()))
  with pytest.raises(checkpoint.CheckpointError, match='is broken'):
    checkpoint.load(path, IDENTITY)


class _Exploding:
  def __reduce__(self):
    return pytest.fail, ('It was unpickled.',)


@pytest.mark.parametrize(
  'identity, message',
  [
    ({**IDENTITY, 'environment': 'harvest'}, "its environment is 'cleanup'"),
    ({**IDENTITY, 'num_agents': 2}, 'its num_agents is 5, that of this run 2'),
    ({'num_agents': 5}, "'cleanup', that of this run None"),
  ],
)
def test_another_experiment(tmp_path, identity, message):
  path = tmp_path / 'checkpoint'
  checkpoint.save(path, _make())
  with pytest.raises(checkpoint.CheckpointError, match=message):
    checkpoint.load(path, identity)
  assert checkpoint.load(path).identity == IDENTITY  # Only to look at it.


@pytest.mark.parametrize(
  'expected, message',
  [
    ({'w': np.ones((2, 4), np.float32)}, r'float32\(2, 3\) in it.*\(2, 4\)'),
    ({'w': np.ones((2, 3))}, r'float32\(2, 3\) in it.*float64\(2, 3\)'),
    ({'v': np.ones((2, 3), np.float32)}, r"\['v'\] is missing in it"),
    ({}, r"\['w'\] is float32\(2, 3\) in it, and missing in this run"),
  ],
)
def test_another_layout(expected, message):
  saved = {'w': np.ones((2, 3), np.float32)}
  checkpoint.check_layout('PATH', saved, {'w': saved['w'] + 1})
  with pytest.raises(checkpoint.CheckpointError, match=message):
    checkpoint.check_layout('PATH', saved, expected)


def test_a_count_fits_whoever_counts():
  """Acme's learners begin with Python's integers, and go on with JAX's."""
  checkpoint.check_layout('PATH', {'steps': np.int32(7)}, {'steps': 0})
  with pytest.raises(checkpoint.CheckpointError, match=r'is float64\(\) in it'):
    checkpoint.check_layout('PATH', {'steps': 7.0}, {'steps': 0})


def test_a_full_disk_leaves_the_old_one(tmp_path):
  path = tmp_path / 'checkpoint'
  checkpoint.save(path, _make(1.0))
  before = path.read_bytes()
  # A file of limited size fails just as one on a full disk does, half-way.
  _, hard = limit = resource.getrlimit(resource.RLIMIT_FSIZE)
  handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
  resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, hard))
  try:
    with pytest.raises(checkpoint.CheckpointError, match='make room'):
      checkpoint.save(path, _make(2.0))
  finally:
    resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    signal.signal(signal.SIGXFSZ, handler)
  assert path.read_bytes() == before
  assert os.listdir(tmp_path) == ['checkpoint']


def test_a_kill_while_it_is_written_leaves_the_old_one(tmp_path, monkeypatch):
  path = tmp_path / 'checkpoint'
  checkpoint.save(path, _make(1.0))

  def die(descriptor):
    raise KeyboardInterrupt  # Nothing is tidied up after a kill -9 either.

  monkeypatch.setattr(os, 'fsync', die)
  with pytest.raises(KeyboardInterrupt):
    checkpoint.save(path, _make(2.0))
  monkeypatch.undo()
  assert checkpoint.load(path, IDENTITY).learner.params['w'][0, 0] == 1.0
  checkpoint.save(path, _make(3.0))  # The remains are no hindrance.
  assert checkpoint.load(path, IDENTITY).learner.params['w'][0, 0] == 3.0
  assert os.listdir(tmp_path) == ['checkpoint']
