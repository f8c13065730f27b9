"""Executes the tutorial, and writes its outputs into it.

  python tools/execute_tutorial.py

In an environment with the docs extra; `make install` has it.
"""

import pathlib
from typing import Any

import nbclient
import nbformat

TUTORIAL = pathlib.Path(__file__).parents[1] / 'examples' / 'tutorial.ipynb'


def execute() -> nbformat.NotebookNode:
  """Returns the tutorial with the outputs that it has now."""
  notebook = nbformat.read(TUTORIAL, as_version=4)
  nbclient.NotebookClient(
    notebook,
    timeout=900,
    record_timing=False,
    resources={'metadata': {'path': str(TUTORIAL.parent)}},
  ).execute()
  for cell in notebook.cells:
    if cell.cell_type == 'code':
      cell.execution_count = None
      cell.outputs = [x for x in map(_keep, cell.outputs) if x is not None]
  return notebook


def _keep(output: Any) -> Any:
  """Returns what a reader sees of an output; None for nothing."""
  if output.output_type != 'stream':
    output.data.pop('text/plain', None)
    return output
  lines = output.text.splitlines(keepends=True)
  # The progress of a run depends on the machine.
  output.text = ''.join(x for x in lines if not x.startswith('steps '))
  return output if output.name == 'stdout' and output.text else None


if __name__ == '__main__':
  nbformat.write(execute(), TUTORIAL)
