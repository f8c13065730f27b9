"""Tests of loading runs, and of exports."""

import importlib.metadata
import json
import pickle
import shutil

import jax
import numpy as np
import pytest
import saved_runs
from safetensors import numpy as safetensors_numpy

import influence_acme
from influence_acme import environments
from influence_acme.runs import checkpoint
from influence_acme.system import config as config_lib
from influence_acme.training import config as train_config
from influence_acme.training import runner as train_run

MOA = saved_runs.make_config('moa')


def assert_equal(left, right):
  assert left.population == right.population
  jax.tree_util.tree_map(
    np.testing.assert_array_equal, left.params, right.params
  )


def test_loads_what_the_fused_trainer_left(tmp_path):
  agent = saved_runs.make_config('baseline', unroll_length=5, batch_size=2)
  config = train_config.TrainConfig(
    agent=agent,
    game='coordination',
    episode_length=10,
    num_steps=40,
    run_dir=str(tmp_path / 'run'),
  )
  assert train_run.run(config) == 0
  policy = influence_acme.load(config.run_dir)
  assert policy.config == agent
  assert policy.environment == environments.functional(
    'coordination', episode_length=10
  )
  saved = checkpoint.load(tmp_path / 'run' / 'checkpoint').learner
  name = "['state'].params['policy_value_head/policy']['b']"
  head = policy.params['policy_value_head/policy']['b']
  np.testing.assert_array_equal(head, saved[name])
  assert np.any(head != 0)  # It was trained.


def test_exports_load_as_runs_do(save_run, tmp_path):
  run = save_run(MOA)
  policy = influence_acme.load(run)
  influence_acme.export(policy, tmp_path / 'one')
  influence_acme.export(run, tmp_path / 'two')
  for name in ('one', 'two'):
    assert {path.name for path in (tmp_path / name).iterdir()} == {
      'config.json',
      'params.safetensors',
    }
    assert_equal(influence_acme.load(tmp_path / name), policy)
  influence_acme.export(tmp_path / 'one', tmp_path / 'three')
  assert_equal(influence_acme.load(tmp_path / 'three'), policy)
  with pytest.raises(FileExistsError, match='holds a config.json already'):
    influence_acme.export(policy, tmp_path / 'one')


def test_an_export_holds_the_parameters_and_no_more(tmp_path):
  paper = config_lib.InfluenceConfig()
  cleanup = environments.functional('cleanup')
  run = saved_runs.save(tmp_path / 'run', paper, cleanup)
  influence_acme.export(run, tmp_path / 'export')
  file = tmp_path / 'export' / 'params.safetensors'
  arrays = safetensors_numpy.load_file(file)
  num_bytes = sum(array.nbytes for array in arrays.values())
  assert num_bytes < file.stat().st_size < num_bytes + 10_000
  # Each of the five agents has a network of its own.
  assert file.stat().st_size / 5 < 2_000_000


def test_loads_a_copy_of_a_checkpoint_by_its_name(save_run):
  run = save_run(MOA)
  policy = influence_acme.load(run)
  shutil.move(run / 'checkpoint', run / 'at_1e6')
  assert_equal(influence_acme.load(run, checkpoint='at_1e6'), policy)
  with pytest.raises(FileNotFoundError, match="no checkpoint 'checkpoint'"):
    influence_acme.load(run)
  with pytest.raises(FileNotFoundError, match="no checkpoint 'at_2e6'"):
    influence_acme.load(run, checkpoint='at_2e6')


def test_what_is_no_run_is_refused(tmp_path):
  with pytest.raises(FileNotFoundError, match='is no run: it has no config'):
    influence_acme.load(tmp_path)
  with pytest.raises(FileNotFoundError, match='is no run'):
    influence_acme.load(tmp_path / 'none')


class _Bomb:
  """Fails the test where it is unpickled."""

  def __reduce__(self):
    return pytest.fail, ('Loading has executed code.',)


def test_a_file_that_would_execute_code_is_refused(save_run, tmp_path):
  run = save_run(MOA)
  influence_acme.export(run, tmp_path / 'export')
  bomb = pickle.dumps(_Bomb())
  (run / 'checkpoint').write_bytes(bomb)
  with pytest.raises(checkpoint.CheckpointError, match='broken'):
    influence_acme.load(run)
  (tmp_path / 'export' / 'params.safetensors').write_bytes(bomb)
  with pytest.raises(ValueError, match='params.safetensors is broken'):
    influence_acme.load(tmp_path / 'export')


@pytest.mark.parametrize(
  ('entry', 'change'),
  [
    ('agent', {'hidden_size': 8}),
    ('networks', {'num_actions': 5}),
    ('agent', {'variant': 'baseline'}),
  ],
)
def test_parameters_of_other_networks_are_refused(save_run, entry, change):
  run = save_run(MOA)
  record = json.loads((run / 'config.json').read_text())
  record['config'][entry].update(change)
  (run / 'config.json').write_text(json.dumps(record))
  with pytest.raises(ValueError, match='does not fit its config.json'):
    influence_acme.load(run)


def test_the_version_is_that_of_the_package():
  version = importlib.metadata.version('influence_acme')
  assert version == influence_acme.__version__
  with pytest.raises(AttributeError, match="no attribute 'lode'"):
    influence_acme.lode  # type: ignore[attr-defined]  # noqa: B018
