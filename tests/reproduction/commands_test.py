"""A sweep and the command that makes it."""

import pathlib
import shlex
import sys

import pytest
from absl import flags

from influence_acme.reproduction import commands
from influence_acme.reproduction import sweep as sweep_lib

_ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(_ROOT / 'examples'))

import reproduce  # noqa: E402


@pytest.mark.parametrize(
  'fields',
  [
    {'experiment': 'moa', 'game': 'harvest', 'variants': ('moa', 'baseline')},
    {
      'experiment': 'practical',
      'game': 'cleanup_small',
      'variants': ('svo',),
      'seeds': (7, 8),
      'num_steps': 10,
      'shares': (0.1, 1.0),
    },
    {
      'experiment': 'basic',
      'game': 'cleanup',
      'variants': ('visible_actions',),
      'num_environments': 0,
      'num_agents': 3,
      'episode_length': 20,
      'launch': 'threads',
      'search': 2,
      'search_seed': 5,
    },
  ],
  ids=lambda fields: fields['experiment'],
)
def test_the_command_makes_the_sweep(fields, tmp_path):
  sweep = sweep_lib.Sweep(tmp_path / 'a sweep', **fields)
  line = commands.command(sweep, shard='1/3')
  assert line.endswith(' --shard=1/3')
  python, script, *words = shlex.split(line)
  assert (python, script) == ('python', 'examples/reproduce.py')
  flags.FLAGS.unparse_flags()
  defaults = {flag: flags.FLAGS[flag].default for flag in _own_flags()}
  try:
    flags.FLAGS([script, *words])
    made = reproduce.make_sweep()
  finally:
    for name, default in defaults.items():
      flags.FLAGS[name].value = default
  assert made.directory == sweep.directory
  assert made.runs() == sweep.runs()
  assert (made.num_steps, made.launch) == (sweep.num_steps, sweep.launch)


def _own_flags():
  return [f.name for f in flags.FLAGS.get_key_flags_for_module(reproduce)]


def test_the_settings_that_learn_are_the_default_of_small_games(tmp_path):
  flags.FLAGS.unparse_flags()
  try:
    flags.FLAGS(['x', '--game=harvest_small', f'--sweep_dir={tmp_path}'])
    made = reproduce.make_sweep()
  finally:
    flags.FLAGS['game'].value = 'cleanup'
    flags.FLAGS['sweep_dir'].value = ''
  assert (made.experiment, made.num_steps) == ('practical', 2_000_000)
  assert len(made.variants) == 10
  settings = {run.setting for run in made.runs()}
  assert settings == {'practical', 'share_0.3'}
