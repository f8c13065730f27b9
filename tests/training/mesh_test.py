"""Several devices compute what one computes."""

import os
import pathlib
import subprocess
import sys

import jax
import pytest
import tiny

from influence_acme.system import config as config_lib
from influence_acme.training import mesh

_HERE = pathlib.Path(__file__).parent
_PPO = config_lib.PPOConfig(num_minibatches=2)


@pytest.mark.slow
@pytest.mark.parametrize(
  'variant, update, meshes',
  [
    (
      'baseline',
      'ppo',
      ['environments:2', 'environments:4', 'agents:2', 'seeds:2'],
    ),
    ('moa', 'vtrace', ['auto', 'agents:2', 'seeds:1', 'seeds:4']),
  ],
)
def test_devices_share_the_work_of_one(variant, update, meshes):
  environment = {
    **os.environ,
    'PYTHONPATH': str(_HERE.parent.parent),
    'JAX_PLATFORMS': 'cpu',
    'XLA_FLAGS': '--xla_force_host_platform_device_count=4 '
    '--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=1',
  }
  program = [sys.executable, str(_HERE / 'mesh_program.py')]
  told = subprocess.run(
    [*program, variant, update, 'environments:1', *meshes],
    env=environment,
    capture_output=True,
    text=True,
    timeout=500,
  )
  assert told.returncode == 0, told.stderr
  rows = [line.split() for line in told.stdout.splitlines()]
  assert [row[:2] for row in rows] == [
    [name, '4'] for name in ['environments:1', *meshes]
  ]
  assert all(float(row[2]) < 1e-5 for row in rows), rows


@pytest.fixture
def devices(monkeypatch):
  """As if there were four devices, of a JAX that can divide work."""
  monkeypatch.setattr(jax, 'devices', lambda: list(range(4)))
  monkeypatch.setattr(jax, 'shard_map', None, raising=False)
  monkeypatch.setattr(
    jax.sharding, 'Mesh', lambda devices, axes: (axes, devices.tolist())
  )


def _make(
  description, *, num_agents=2, is_compiled=True, num_seeds=1, **options
):
  agent = tiny.make_agent(**options)
  return mesh.make(description, agent, num_agents, is_compiled, num_seeds)


def test_one_device_needs_no_mesh():
  assert len(jax.devices()) == 1
  assert _make('auto') is None
  assert _make('environments:1') is None
  assert _make('agents:1', num_agents=5) is None


def test_all_devices_are_taken_unless_a_number_is_given(devices):
  assert _make('auto') == (('environments',), [0, 1, 2, 3])
  assert _make('environments:2') == (('environments',), [0, 1])
  assert _make('agents:2') == (('agents',), [0, 1])
  assert _make('auto', is_compiled=False) is None
  # As many as can share the work, rather than none.
  assert _make('auto', batch_size=6) == (('environments',), [0, 1, 2])
  assert _make('auto', batch_size=5) is None
  assert _make('auto', num_seeds=4) == (('seeds',), [0, 1, 2, 3])
  assert _make('auto', num_seeds=3) == (('seeds',), [0, 1, 2])
  assert _make('seeds:2', num_seeds=4) == (('seeds',), [0, 1])


@pytest.mark.parametrize(
  'description, options, message',
  [
    ('environments:8', {'batch_size': 8}, 'there are 4; ask for no more'),
    ('environments:3', {}, r'batch_size, 4, must .*=environments:1\.'),
    ('environments:4', {'batch_size': 6}, r'batch_size, 6,.*environments:2\.'),
    (
      'environments:4',
      {'update': 'ppo', 'ppo': _PPO},
      r'batch_size / num_minibatches, 2, must .*=environments:2\.',
    ),
    ('agents:4', {}, r'the number of agents, 2, must .*=agents:2\.'),
    ('agents:2', {'batch_size': 3}, 'batch_size, 3, must'),
    ('environments:2', {'is_compiled': False}, 'only compiled environments'),
    (
      'environments:2',
      {'num_seeds': 4},
      'of 4 seeds it must be auto or seeds:N',
    ),
    ('seeds:4', {'num_seeds': 6}, r'number of seeds, 6, must .*=seeds:2\.'),
    ('seeds:2', {}, 'the number of seeds, 1, must be a multiple'),
  ],
)
def test_a_mesh_that_cannot_share_the_work_is_refused(
  devices, description, options, message
):
  with pytest.raises(ValueError, match=f'mesh is {description!r}.*{message}'):
    _make(description, **options)


def test_several_processes_take_part_with_all_their_devices(
  devices, monkeypatch
):
  monkeypatch.setattr(jax, 'process_count', lambda: 2)
  assert _make('auto') == (('environments',), [0, 1, 2, 3])
  with pytest.raises(ValueError, match='all 4 devices of the 2 processes'):
    _make('environments:2')


def test_an_old_jax_is_told(devices, monkeypatch):
  monkeypatch.delattr(jax, 'shard_map')
  with pytest.raises(ValueError, match=f'JAX {jax.__version__} cannot'):
    _make('environments:4')
  assert _make('auto') is None


@pytest.mark.parametrize(
  'options, message',
  [
    ({'mesh': 'environments'}, "mesh is 'environments': it must be 'auto'"),
    ({'mesh': 'things:2'}, 'mesh is'),
    ({'mesh': None}, 'mesh is None: it must be'),
    ({'coordinator': None}, 'coordinator is None: it must be HOST:PORT'),
    ({'mesh': 'agents:0'}, 'mesh is'),
    ({'coordinator': 'host'}, "coordinator is 'host': it must be HOST:PORT"),
    ({'process_id': 0}, 'they must be None where coordinator is'),
    ({'coordinator': 'auto', 'num_processes': 2}, 'must be None'),
    ({'coordinator': 'a:1', 'process_id': 0}, 'num_processes is None'),
    ({'coordinator': 'a:1', 'num_processes': 2}, 'process_id is None'),
    (
      {'coordinator': 'a:1', 'process_id': 2, 'num_processes': 2},
      'process_id is 2: it must be an integer from 0 to 1',
    ),
  ],
)
def test_options_are_checked(tmp_path, options, message):
  with pytest.raises(ValueError, match=message):
    tiny.make_config(tmp_path, **options)
