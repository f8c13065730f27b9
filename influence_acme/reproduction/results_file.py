"""Writes and reads results.json: all that a report tells of is in it.

So a report can be kept, and written again, without the directories of its runs.
"""

import dataclasses
import json
import os
import pathlib

import numpy as np

from influence_acme.reproduction import results as results_lib
from influence_acme.reproduction import sweep as sweep_lib
from influence_acme.runs import config_file, curves

NAME = 'results.json'
# Of each result, beside its series.
_TOLD = ('steps', 'is_finished', 'episode', 'commit', 'wall_seconds')


def save(sweep: sweep_lib.Sweep, results: list[results_lib.Result]) -> None:
  """Writes results.json of a sweep, for `read`."""
  shared = dataclasses.asdict(sweep)
  del shared['path']
  runs = []
  for result in results:
    content = {name: getattr(result, name) for name in _TOLD}
    content['series'] = {
      name: {
        'steps': series.steps.tolist(),
        'values': series.values.tolist(),
        'end': series.end,
      }
      for name, series in result.series.items()
    }
    runs.append({'name': result.run.name, **content})
  content = {'sweep': shared, 'runs': runs}
  config_file.write_json(sweep.directory / NAME, content)


def read(
  directory: str | os.PathLike[str],
) -> tuple[sweep_lib.Sweep, list[results_lib.Result]]:
  """Reads what `save` wrote; the runs need not be there."""
  path = pathlib.Path(directory) / NAME
  content = json.loads(path.read_text(encoding='utf-8'))
  sweep = sweep_lib.Sweep(directory, **content['sweep'])
  runs = {run.name: run for run in sweep.runs()}
  results = []
  for each in content['runs']:
    series = {
      name: curves.Series(np.array(x['steps']), np.array(x['values']), x['end'])
      for name, x in each['series'].items()
    }
    told = {name: each[name] for name in _TOLD}
    results.append(
      results_lib.Result(run=runs[each['name']], series=series, **told)
    )
  return sweep, results
