"""Names the settings that a resumed run shares with the run before."""

from collections.abc import Iterable, Mapping
from typing import Any

import jax


def make_identity(
  agent: str, environment_spec: Any, settings: Mapping[str, Any]
) -> dict[str, Any]:
  """Returns the identity of a run: agent, specs, and further settings."""
  leaves, _ = jax.tree_util.tree_flatten_with_path(environment_spec)
  return {
    'agent': agent,
    **{jax.tree_util.keystr(path)[1:]: repr(leaf) for path, leaf in leaves},
    **settings,
  }


def allowed_names(allow_changes: Iterable[str]) -> set[str]:
  """Returns the single names in lists of names, separated by commas."""
  lists = [allow_changes] if isinstance(allow_changes, str) else allow_changes
  names = {name.strip() for each in lists for name in each.split(',')}
  return names | ({'environment'} if 'game' in names else set())
