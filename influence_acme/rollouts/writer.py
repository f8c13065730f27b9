"""Writes unrolled sequences to a replay, each as one item.

A column of such an item is one array [T + 1, ...] that is written at once,
where `SequenceAdder` writes T + 1 rows; to the table, and to those who sample
from it, they are the same. Letters: T steps, B environments, N agents.
"""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import reverb
import tree
from acme.adders.reverb import base as reverb_base

from influence_acme.rollouts import records

# Items that may wait for room in the table, as of SequenceAdder.
_MAX_IN_FLIGHT = 2


class SequenceWriter:
  """Writes to the table that Acme's adders write to."""

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
    for b in range(batch_size):
      item = jax.tree_util.tree_map(lambda x: x[b], columns)  # noqa: B023
      self._write_item(_with_all_states(item, length))
      after_item()
    self._writer.end_episode()  # Nothing later refers to these rows.

  def _write_item(self, item: dict[str, Any]) -> None:
    self._writer.append(item)
    newest = tree.map_structure(lambda x: x[-1], self._writer.history)
    trajectory = reverb_base.Trajectory(**newest)
    self._writer.create_item(
      reverb_base.DEFAULT_PRIORITY_TABLE, 1.0, trajectory
    )
    self._writer.flush(_MAX_IN_FLIGHT)


def _with_all_states(item: dict[str, Any], length: int) -> dict[str, Any]:
  """Gives the state of an item's first row, [N, ...], its zeros after it."""

  def padded(state: np.ndarray) -> np.ndarray:
    states = np.zeros((length, *state.shape), state.dtype)
    states[0] = state
    return states

  extras = item['extras']
  states = jax.tree_util.tree_map(padded, extras['core_state'])
  return {**item, 'extras': {**extras, 'core_state': states}}
