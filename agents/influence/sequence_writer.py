"""Writes unrolled sequences to a replay, each as one item.

A column of such an item is one array [T + 1, ...] that is written at once,
while `SequenceAdder` writes T + 1 rows; in the table, and in samples from it,
they are the same. Letters: T steps, B environments, N agents.
"""

from influence_acme import compat  # noqa: F401  Before acme.jax.

# isort: split

from collections.abc import Callable

import jax
import numpy as np
import reverb
import tree
from acme.adders.reverb import base as reverb_base

from influence_acme.rollouts import records

# Most items that wait for room in the table, as in SequenceAdder.
_MAX_IN_FLIGHT = 2


class SequenceWriter:
  """Writes to the table of Acme's adders."""

  def __init__(self, client: reverb.Client):
    """Makes the writer.

    Args:
      client: of the replay.
    """
    self._writer = client.trajectory_writer(num_keep_alive_refs=1)

  def write(
    self, sequences: records.Sequences, after_item: Callable[[], None]
  ) -> None:
    """Writes B sequences; waits for room in the table if there is none.

    Args:
      sequences: B of them.
      after_item: called after each.
    """
    # Arrays on the host; no copy on a CPU.
    columns = jax.tree_util.tree_map(np.asarray, sequences._asdict())
    batch_size, length = columns['start_of_episode'].shape
    first_states = columns['extras']['core_state']
    # After a sequence's first row its states are zeros. Reverb copies appended
    # data, so that one piece of memory serves all sequences in turn.
    states = jax.tree_util.tree_map(
      lambda x: np.zeros((length, *x.shape[1:]), x.dtype), first_states
    )
    every_states = jax.tree_util.tree_map(
      lambda x: np.broadcast_to(x, (batch_size, *x.shape)), states
    )
    columns['extras'] = {**columns['extras'], 'core_state': every_states}
    # In the table's order. Reverb flattens nested data at every append, by
    # comparing paths, which takes longer than to copy the data.
    flat = tree.flatten(reverb_base.Trajectory(**columns))
    pairs = list(zip(*map(tree.flatten, (states, first_states)), strict=True))
    for b in range(batch_size):
      for state, first in pairs:
        state[0] = first[b]
      self._write_item([column[b] for column in flat])
      after_item()
    self._writer.end_episode()  # Nothing later refers to these rows.

  def _write_item(self, columns: list[np.ndarray]) -> None:
    self._writer.append(columns)
    newest = [column[-1] for column in self._writer.history]
    self._writer.create_item(reverb_base.DEFAULT_PRIORITY_TABLE, 1.0, newest)
    self._writer.flush(_MAX_IN_FLIGHT)
