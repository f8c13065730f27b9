import functools
import importlib
import importlib.metadata
import operator
import pathlib
import subprocess
import sys

from influence_acme import compat

# isort: split

import cloudpickle
import jax
import jax.numpy as jnp
import launchpad as lp
import numpy as np
import packaging.requirements
import pytest
import rlax
from acme.jax import utils
from launchpad.nodes.python import local_multi_processing


def _fake_versions(monkeypatch, **versions):
  """Pretends that packages have other versions; None: that they are missing."""
  real = importlib.metadata.version

  def version(name):
    fake = versions.get(name.replace('-', '_'), '')
    if fake is None:
      raise importlib.metadata.PackageNotFoundError(name)
    return fake or real(name)

  monkeypatch.setattr(importlib.metadata, 'version', version)


def _jax(path):
  """Returns what a path such as 'numpy.DeviceArray' names in JAX."""
  return operator.attrgetter(path)(jax)


@pytest.mark.parametrize(
  'path', ['xla.DeviceArray', 'pxla.ShardedDeviceArray', 'numpy.DeviceArray']
)
def test_arrays_are_of_the_types_that_acme_asks_for(path):
  assert isinstance(jnp.zeros(2), _jax(path))
  assert not isinstance(np.zeros(2), _jax(path))


def test_devices_are_of_the_type_that_acme_asks_for():
  assert isinstance(jax.devices()[0], _jax('xla.Device'))


def test_tree_multimap():
  assert _jax('tree_multimap')(max, {'a': 1}, {'a': 2}) == {'a': 2}


def test_rlax_updates_trees():
  """As Acme's DQN does to its target network."""
  new, old = {'w': jnp.ones(2)}, {'w': jnp.zeros(2)}
  for steps, expected in ((10, 1.0), (11, 0.0)):
    result = rlax.periodic_update(new, old, jnp.array(steps), 10)
    np.testing.assert_array_equal(result['w'], [expected, expected])


def test_trees_work_as_in_later_versions_of_jax():
  tree = {'b': (1, 2), 'a': 3}
  assert _jax('tree.map')(str, tree) == {'a': '3', 'b': ('1', '2')}
  leaves, structure = _jax('tree.flatten')(tree)
  assert leaves == _jax('tree.leaves')(tree) == [3, 1, 2]
  assert structure == _jax('tree.structure')(tree)
  assert _jax('tree.unflatten')(structure, leaves) == tree


def test_patching_again_changes_nothing(monkeypatch):
  xla = _jax('xla')
  compat.patch_jax()
  assert _jax('xla') is xla

  another = object()  # Somebody else's patch stays.
  monkeypatch.setattr(xla, 'Device', another)
  monkeypatch.delattr(xla, 'DeviceArray')
  compat.patch_jax()
  assert xla.Device is another
  assert xla.DeviceArray is jax.Array


@pytest.mark.parametrize(
  'agent', ['bc', 'd4pg', 'dqn', 'impala', 'ppo', 'r2d2', 'sac', 'td3']
)
def test_stock_agents_import(agent):
  importlib.import_module(f'acme.agents.jax.{agent}')


def test_import_is_light():
  code = (
    'import sys; from influence_acme import compat; '
    'print({"acme", "launchpad", "reverb", "tensorflow"} & set(sys.modules))'
  )
  result = subprocess.run(
    [sys.executable, '-c', code], capture_output=True, text=True, check=True
  )
  assert result.stdout.strip() == 'set()'


def test_check_stack_accepts_what_is_installed():
  compat.check_stack()


def test_check_stack_names_the_wrong_pair(monkeypatch):
  _fake_versions(monkeypatch, dm_launchpad='0.5.2', numpy='1.26.4')
  with pytest.raises(ImportError) as error:
    compat.check_stack()
  message = str(error.value)
  assert 'dm-launchpad 0.5.2 does not go with dm-acme 0.4.0' in message
  assert 'pip install "dm-launchpad==0.5.0"' in message
  assert 'numpy 1.26.4 does not go with tensorflow-cpu 2.8.4' in message
  assert 'pip install "numpy<1.24"' in message
  assert message.count('does not go with') == 2
  assert "pip install '.[acme]'" in message


def test_check_stack_names_what_is_missing(monkeypatch):
  _fake_versions(monkeypatch, dm_acme=None, dm_reverb=None)
  with pytest.raises(ImportError, match='need dm-acme, dm-reverb.*Python 3.10'):
    compat.check_stack()


def test_check_stack_takes_tensorflow_with_gpu(monkeypatch):
  _fake_versions(monkeypatch, tensorflow_cpu=None, tensorflow='2.8.4')
  compat.check_stack()
  _fake_versions(monkeypatch, tensorflow_cpu=None, tensorflow='2.15.0')
  with pytest.raises(ImportError, match='2.15.0 does not go with'):
    compat.check_stack()


@pytest.mark.parametrize('package', [r.package for r in compat.REQUIREMENTS])
def test_check_stack_notices_every_package(monkeypatch, package):
  _fake_versions(monkeypatch, **{package.replace('-', '_'): '99.0'})
  with pytest.raises(ImportError, match=f'{package} 99.0 does not go with'):
    compat.check_stack()


def test_requirements_are_those_that_setup_installs():
  installs = {}
  for line in importlib.metadata.requires('influence_acme') or ():
    requirement = packaging.requirements.Requirement(line)
    if requirement.marker and requirement.marker.evaluate({'extra': 'acme'}):
      installs[requirement.name] = str(requirement.specifier)
  wanted = {r.package: r.versions for r in compat.REQUIREMENTS}
  assert {name: installs[name] for name in wanted} == wanted


def _program():
  program = lp.Program('program')
  for label in ('learner', 'actor'):
    with program.group(label):
      program.add_node(lp.PyNode(print))
  return program


def test_local_resources_cover_every_group():
  resources = compat.local_resources(_program())
  assert set(resources) == {'learner', 'actor'}
  for resource in resources.values():
    assert isinstance(resource, local_multi_processing.PythonProcess)
    init_file = pathlib.Path(resource.args['init_file'])
    with init_file.open('rb') as file:
      assert cloudpickle.load(file) is compat.patch_jax


def test_local_resources_patch_before_a_node_is_unpickled(tmp_path):
  # A node whose pickle begins with a module of Acme, started as Launchpad does.
  node = functools.partial(isinstance, 0, utils.PrefetchingSplit)
  data_file = tmp_path / 'nodes.pkl'
  data_file.write_bytes(cloudpickle.dumps([node]))
  entry = pathlib.Path(local_multi_processing.__file__).parent
  command = [sys.executable, str(entry / 'process_entry.py')]
  command += [f'--data_file={data_file}', '--lp_task_id=0']
  resource = compat.local_resources(_program())['actor']

  init = [f'--{key}={value}' for key, value in resource.args.items()]

  bare, patched = [
    subprocess.Popen(command + extra, stderr=subprocess.PIPE, text=True)
    for extra in ([], init)
  ]
  _, error = bare.communicate(timeout=120)
  assert bare.returncode and "'jax' has no attribute 'xla'" in error
  _, error = patched.communicate(timeout=120)
  assert patched.returncode == 0, error
