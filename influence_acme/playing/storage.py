"""Loads policies from runs, and exports them. No code is ever executed.

An export holds `config.json`, as a run does, and `params.safetensors`: the
parameters of all agents by name, [N, ...].
"""

import os
import pathlib
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
from safetensors import numpy as safetensors_numpy

from influence_acme.playing import policy as policy_lib
from influence_acme.runs import checkpoint as checkpoint_lib
from influence_acme.runs import (
  named_arrays,
  population_config,
  run_dir,
  tensor_file,
)
from influence_acme.system import networks as networks_lib

_PARAMS = 'params.safetensors'
# Names of parameters in a checkpoint's learner begin with this.
_IN_CHECKPOINT = "['state'].params"


def load(
  run: str | os.PathLike[str], checkpoint: str = 'last'
) -> policy_lib.Policy:
  """Loads the policy of a trained population.

  Args:
    run: directory of a run, of the fused trainer or of Launchpad; or one that
      `export` wrote.
    checkpoint: 'last', or the name of a copy of one in the run's directory.

  Returns:
    The policy.

  Raises:
    FileNotFoundError: there is no run, or no such checkpoint.
    ValueError: `config.json` is not of agents that can be loaded, or the
      parameters are not of its networks.
    CheckpointError: the checkpoint is broken.
  """
  directory = run_dir.RunDirectory(run)
  if not directory.config_path.is_file():
    raise FileNotFoundError(
      f'{directory.path} is no run: it has no {directory.config_path.name}.'
    )
  population = population_config.read(directory.config_path)
  exported = directory.path / _PARAMS
  path = directory.checkpoint_path
  if checkpoint != 'last':
    path = directory.path / checkpoint
  elif exported.is_file():
    path = exported
  if not path.is_file():
    raise FileNotFoundError(
      f'{directory.path} has no checkpoint {path.name!r}: a run writes its '
      'first one when training begins.'
    )
  params = _read_export(path) if path == exported else _read_checkpoint(path)
  networks = population.make_networks()
  _check_params(path, params, networks)
  return policy_lib.Policy(population, networks, params)


def export(
  policy: policy_lib.Policy | str | os.PathLike[str],
  directory: str | os.PathLike[str],
) -> None:
  """Writes the parameters and the configuration of a policy, and no more.

  Args:
    policy: of `load`, or the directory that it would load.
    directory: to write to; `load` reads it as well as a run.

  Raises:
    FileExistsError: the directory holds a `config.json` already.
  """
  if not isinstance(policy, policy_lib.Policy):
    policy = load(policy)
  path = pathlib.Path(directory).expanduser()
  path.mkdir(parents=True, exist_ok=True)
  config_path = path / 'config.json'
  if config_path.exists():
    raise FileExistsError(
      f'{path} holds a {config_path.name} already: choose another directory.'
    )
  arrays = {
    f'{module}/{name}': np.ascontiguousarray(array)
    for module, own in policy.params.items()
    for name, array in own.items()
  }
  tensor_file.write(path / _PARAMS, arrays, {})
  run_dir.RunDirectory(path).write_config(policy.population.to_settings())


def _read_export(path: pathlib.Path) -> dict[str, dict[str, np.ndarray]]:
  """Reads the parameters of an export, by module and name."""
  try:
    arrays = safetensors_numpy.load_file(path)
  except Exception as error:
    raise ValueError(f'{path} is broken: {error}') from error
  params: dict[str, dict[str, np.ndarray]] = {}
  for name, array in arrays.items():
    module, _, own = name.rpartition('/')
    params.setdefault(module, {})[own] = array
  return params


def _read_checkpoint(path: pathlib.Path) -> dict[str, Any]:
  """Reads the parameters of a checkpoint, by module and name."""
  learner = checkpoint_lib.load(path).learner
  own = {k: x for k, x in learner.items() if k.startswith(_IN_CHECKPOINT)}
  return named_arrays.nested(own, 'state')


def _check_params(
  path: pathlib.Path,
  params: Mapping[str, Any],
  networks: networks_lib.InfluenceNetworks,
) -> None:
  """Raises ValueError: parameters are not those of networks."""
  key = jax.random.PRNGKey(0)
  expected, found = (
    {
      f'{module}/{name}': f'{x.dtype}{list(x.shape)}'
      for module, own in tree.items()
      for name, x in own.items()
    }
    for tree in (jax.eval_shape(networks.init, key), params)
  )
  for name in sorted(expected.keys() | found.keys()):
    is_, should_be = (x.get(name, 'missing') for x in (found, expected))
    if is_ != should_be:
      raise ValueError(
        f'{path} does not fit its config.json: {name} is {is_} in it, and '
        f'{should_be} by the configuration. Networks of your own cannot be '
        'loaded.'
      )
