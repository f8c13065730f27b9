import os
import pickle
import resource
import signal
import tracemalloc
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
import pytest
import safetensors
from safetensors import numpy as safetensors_numpy

from influence_acme.runs import checkpoint, named_arrays

IDENTITY = {'environment': 'cleanup', 'num_agents': 5}


class State(NamedTuple):
  params: dict
  step: int


LIKE = State({'w': jnp.zeros((2, 3)), 'b': np.zeros(3)}, 0)


def _make(value=1.0, **overrides):
  fields = {
    'identity': IDENTITY,
    'counts': {'environment_steps': 7},
    'learner': State({'w': jnp.full((2, 3), value), 'b': np.zeros(3)}, 4),
  }
  return checkpoint.Checkpoint(**{**fields, **overrides})


def _load(path):
  """Returns the learner's state of a checkpoint."""
  learner = checkpoint.load(path, IDENTITY).learner
  return checkpoint.restore(path, learner, LIKE)


def test_what_is_saved_is_loaded(tmp_path):
  path = tmp_path / 'checkpoint'
  checkpoint.save(path, _make(rollout={'rows': [(np.int32(3), True)]}))
  learner = _load(path)
  assert isinstance(learner, State)
  assert isinstance(learner.params['w'], np.ndarray)
  np.testing.assert_array_equal(learner.params['w'], np.ones((2, 3)))
  assert learner.params['w'].dtype == np.float32
  assert learner.params['b'].dtype == np.float64
  assert learner.step == 4 and type(learner.step) is int
  loaded = checkpoint.load(path, IDENTITY)
  assert loaded.counts == {'environment_steps': 7}
  assert loaded.environment_steps == 7
  assert loaded.rollout == {"['rows'][0][0]": 3, "['rows'][0][1]": True}
  assert os.listdir(tmp_path) == ['checkpoint']


def test_a_checkpoint_without_environments(tmp_path):
  path = tmp_path / 'checkpoint'
  checkpoint.save(path, _make(counts={}))
  loaded = checkpoint.load(path)
  assert loaded.rollout is None
  assert loaded.environment_steps == 0


def test_dicts_of_unknown_shapes_are_found_by_name(tmp_path):
  path = tmp_path / 'checkpoint'
  episodes = {'agent_0': {'x': np.arange(3), 'y': np.ones(1)}, 'n': np.int32(2)}
  checkpoint.save(path, _make(rollout={'episodes': episodes, 'rest': 1}))
  rollout = checkpoint.load(path).rollout
  found = named_arrays.nested(rollout, 'episodes')
  assert found.keys() == {'agent_0', 'n'} and found['n'] == 2
  np.testing.assert_array_equal(found['agent_0']['x'], [0, 1, 2])
  np.testing.assert_array_equal(found['agent_0']['y'], [1])


@pytest.mark.parametrize('mask', [0o022, 0o077])
def test_who_may_read_it_is_for_the_user_to_say(tmp_path, mask):
  path, other = tmp_path / 'checkpoint', tmp_path / 'other'
  before = os.umask(mask)
  try:
    checkpoint.save(path, _make())
    other.touch()
  finally:
    os.umask(before)
  assert path.stat().st_mode == other.stat().st_mode


def test_steps_that_are_done(tmp_path):
  path = tmp_path / 'checkpoint'
  assert checkpoint.steps_done(path) is None
  path.write_bytes(b'broken')
  assert checkpoint.steps_done(path) is None
  checkpoint.save(path, _make())
  assert checkpoint.steps_done(path) == 7


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
  # Objects would have to be pickled.
  with pytest.raises(Exception, match='object|dtype'):
    checkpoint.save(path, _make(learner={'f': lambda: None}))
  assert os.listdir(tmp_path) == ['checkpoint']
  assert _load(path).step == 4


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


@pytest.mark.parametrize('part', [0, 0.1, 0.3, 0.5, 0.7, 0.9, 1])
def test_a_flipped_bit(tmp_path, part):
  path = tmp_path / 'checkpoint'
  checkpoint.save(path, _make())
  content = bytearray(path.read_bytes())
  content[int(part * (len(content) - 1))] ^= 1
  path.write_bytes(content)
  with pytest.raises(checkpoint.CheckpointError, match='is broken'):
    checkpoint.load(path, IDENTITY)


@pytest.mark.parametrize(
  'name', ['identity', 'counts', 'version', 'sha256', "learner.params['w']"]
)
def test_a_tampered_checkpoint(tmp_path, name):
  """Another value in a valid file: only the digest can tell."""
  path = tmp_path / 'checkpoint'
  checkpoint.save(path, _make())
  with safetensors.safe_open(path, framework='numpy') as file:
    metadata = dict(file.metadata())
    arrays = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
  if name in arrays:
    arrays[name] = arrays[name] + 1
  else:
    metadata[name] = metadata[name].replace(metadata[name][-2:], '1}')
  safetensors_numpy.save_file(arrays, path, metadata)
  with pytest.raises(checkpoint.CheckpointError, match='is broken'):
    checkpoint.load(path, IDENTITY)


@pytest.mark.parametrize('metadata', [None, {'format': 'np'}])
def test_a_safetensors_file_of_others(tmp_path, metadata):
  path = tmp_path / 'checkpoint'
  safetensors_numpy.save_file({'w': np.ones(3)}, path, metadata)
  with pytest.raises(checkpoint.CheckpointError, match='is broken'):
    checkpoint.load(path, IDENTITY)


def test_a_checkpoint_of_another_version(tmp_path, monkeypatch):
  path = tmp_path / 'checkpoint'
  monkeypatch.setattr(checkpoint, '_VERSION', '1')
  checkpoint.save(path, _make())
  monkeypatch.undo()
  with pytest.raises(checkpoint.CheckpointError, match='of this version'):
    checkpoint.load(path, IDENTITY)


class _Exploding:
  def __reduce__(self):
    return pytest.fail, ('It was unpickled.',)


@pytest.mark.parametrize('write', ['pickle', 'npy', 'npz'])
def test_another_file_is_never_unpickled(tmp_path, write):
  path = tmp_path / 'checkpoint'
  bomb = np.array([_Exploding()], object)
  with path.open('wb') as file:
    match write:
      case 'pickle':
        pickle.dump(_Exploding(), file)
      case 'npy':
        np.save(file, bomb, allow_pickle=True)
      case 'npz':
        np.savez(file, bomb)
  with pytest.raises(checkpoint.CheckpointError, match='is broken'):
    checkpoint.load(path, IDENTITY)


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
  saved = {"['w']": np.ones((2, 3), np.float32)}
  restored = checkpoint.restore('PATH', saved, {'w': saved["['w']"] + 1})
  np.testing.assert_array_equal(restored['w'], np.ones((2, 3)))
  with pytest.raises(checkpoint.CheckpointError, match=message):
    checkpoint.restore('PATH', saved, expected)


def test_a_count_fits_whoever_counts():
  """Acme's learners begin with Python's integers, and go on with JAX's."""
  saved = {"['steps']": np.array(7, np.int32)}
  assert checkpoint.restore('PATH', saved, {'steps': 0}) == {'steps': 7}
  saved = {"['steps']": np.array(7.0)}
  with pytest.raises(checkpoint.CheckpointError, match=r'is float64\(\) in it'):
    checkpoint.restore('PATH', saved, {'steps': 0})


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
  assert _load(path).params['w'][0, 0] == 1.0
  checkpoint.save(path, _make(3.0))  # The remains are no hindrance.
  assert _load(path).params['w'][0, 0] == 3.0
  assert os.listdir(tmp_path) == ['checkpoint']
