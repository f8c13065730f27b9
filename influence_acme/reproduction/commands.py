"""Writes a sweep as the command that makes it."""

import dataclasses
import shlex

from influence_acme.reproduction import sweep as sweep_lib

# Fields that are told although they have their defaults.
_ALWAYS = ('experiment', 'game', 'variants', 'seeds', 'num_steps')
_FLAGS = {'variants': 'variant', 'path': 'sweep_dir'}


def command(
  sweep: sweep_lib.Sweep, *, shard: str = '', with_path: bool = True
) -> str:
  """Returns the command line of `examples/reproduce.py` that makes a sweep.

  With a `shard`, 'i/n', it makes a part of it.
  """
  words = ['python', 'examples/reproduce.py']
  for field in dataclasses.fields(sweep):
    value = getattr(sweep, field.name)
    if field.name == 'path':
      if not with_path:
        continue
    elif field.name not in _ALWAYS and value == field.default:
      continue
    text = ','.join(map(str, value)) if isinstance(value, tuple) else str(value)
    words.append(f'--{_FLAGS.get(field.name, field.name)}={text}')
  if shard:
    words.append(f'--shard={shard}')
  return shlex.join(words)
