"""Saves a run's state to a checkpoint, and restores the rollout from it."""

import pathlib
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from influence_acme.rollouts import episodes as episodes_lib
from influence_acme.runs import checkpoint, named_arrays
from influence_acme.system import update
from influence_acme.training import loop, mesh, processes


def save(
  path: pathlib.Path,
  identity: Mapping[str, Any],
  counts: Mapping[str, Any],
  state: loop.State,
  episodes: episodes_lib.EpisodeBuffer,
) -> None:
  """Writes a checkpoint; all processes call this, and the first one writes.

  Args:
    path: of the file.
    identity: of the run.
    counts: of the run.
    state: to go on from; environments on the host are not saved.
    episodes: those that go on.

  Raises:
    CheckpointError: it could not be written; the old one is as it was.
  """
  state = processes.to_host(state)
  if not processes.is_first():
    return
  learner = learner_tree(
    state.training, int(state.learner_steps), int(state.environment_steps)
  )
  rollout = None
  if has_environments(state):
    rollout = {
      'rollout': state.rollout,
      'batch': state.batch,
      'episodes': episodes.save(),
    }
  checkpoint.save(
    path, checkpoint.Checkpoint(identity, counts, learner, rollout)
  )


def learner_tree(
  training: update.TrainingState, learner_steps: int, environment_steps: int
) -> dict[str, Any]:
  """Returns the part of a checkpoint that every learner of these agents has."""
  return {
    'state': training,
    'counts': {
      'learner_steps': np.int32(learner_steps),
      'environment_steps': np.int64(environment_steps),
    },
  }


def restore_rollout(
  path: pathlib.Path,
  saved: Mapping[str, np.ndarray],
  state: loop.State,
  episodes: episodes_lib.EpisodeBuffer,
) -> loop.State:
  """Returns a state with the environments and batch of a checkpoint.

  Args:
    path: of the checkpoint, for messages.
    saved: its rollout, path -> array.
    state: of the same shapes.
    episodes: is given those that go on.

  Raises:
    CheckpointError: shapes differ.
  """
  of_state = {
    k: v for k, v in saved.items() if not k.startswith("['episodes']")
  }
  like = {'rollout': state.rollout, 'batch': state.batch}
  restored = checkpoint.restore(path, of_state, like)
  episodes.restore(named_arrays.nested(saved, 'episodes'))
  return state._replace(
    **jax.tree_util.tree_map(
      lambda x, at: mesh.put(x, at.sharding), restored, like
    )
  )


def has_environments(state: loop.State) -> bool:
  """Returns whether a state holds the environments; the host's are outside."""
  return state.rollout.state.environment != ()
