"""A copy of the checkout, to build and to install from."""

import pathlib
import shutil

ROOT = pathlib.Path(__file__).parents[1]


def copy(path):
  """Copies what is part of the repository, and not what was built or run."""

  def ignore(folder, names):
    # influence_acme/runs is code.
    made = ('build', 'dist', 'runs') if folder == str(ROOT) else ()
    return [
      x
      for x in names
      if x.startswith('.') or x in ('__pycache__', *made) or '.egg-info' in x
    ]

  return shutil.copytree(ROOT, path, symlinks=True, ignore=ignore)
