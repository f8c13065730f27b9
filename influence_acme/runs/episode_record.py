"""Records an episode of a trained population, and keeps it in a run.

Letters: T steps, N agents.
"""

import dataclasses
import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from influence_acme import ops, types
from influence_acme.metrics import coordination, episode
from influence_acme.runs import failures, loggers, pictures, run_dir

# Shown in the video, and kept nowhere else.
_OF_FILM = ('frames', 'film_failure', 'views')


@dataclasses.dataclass(frozen=True)
class EpisodeRecord:
  """Records one episode.

  Attributes:
    agent_ids: the agents' names, in the order of every axis N.
    rewards: float32 [T, N], what the environment paid.
    actions: int32 [T, N].
    influence: float32 [T, N, N], nats: of the row's agent on the column's, by
      whoever answers for the others, and by KL whatever the reward's measure
      is; the diagonal is NaN. None if the agents measure no influence.
    frames: uint8 [H, W, 3] each, T + 1 of them; none if the environment cannot
      be rendered.
    film_failure: a sentence on a `render()` that gave no picture; '' if it did.
    views: uint8 [T + 1, N, H', W', 3], what each agent saw; None if agents see
      no pictures.
    action_names: what people call the actions; none if they have no names.
    messages: int32 [T, N], what was said; None if the agents say nothing.
    measures: what a training run logs of an episode, by the same names, with
      the agent's name after a slash; and beside each measure of messages that
      of scrambled ones, see `coordination.of_scrambled`.
  """

  agent_ids: tuple[types.AgentId, ...]
  rewards: np.ndarray
  actions: np.ndarray
  influence: np.ndarray | None
  frames: Sequence[np.ndarray]
  film_failure: str = ''
  views: np.ndarray | None = None
  action_names: tuple[str, ...] = ()
  messages: np.ndarray | None = None
  measures: Mapping[str, float] = dataclasses.field(default_factory=dict)

  @property
  def influence_matrix(self) -> np.ndarray | None:
    """Mean influence in nats per step, float32 [N, N]; None as above."""
    return None if self.influence is None else self.influence.mean(axis=0)

  @property
  def influential_share(self) -> float | None:
    """The share of influential steps, all agents'; None as above."""
    if self.influence is None:
      return None
    # [T, N]: on all others together; the diagonal is NaN.
    total = np.nansum(self.influence, axis=-1)
    return float(ops.influential_steps(total).mean())


def write(run: run_dir.RunDirectory, record: EpisodeRecord) -> None:
  """Writes what an episode has of video, influence matrix and arrays."""
  run.video_path.unlink(missing_ok=True)  # Not that of another episode.
  if record.film_failure:
    print(record.film_failure, file=sys.stderr)
  if record.frames:
    with failures.optional(run.video_path.name):
      pictures.write_video(
        run.video_path,
        pictures.with_views(record.frames, record.views, record.messages),
      )
  if record.influence_matrix is not None:
    with failures.optional(run.influence_matrix_path.name):
      pictures.write_influence_matrix(
        run.influence_matrix_path, record.influence_matrix, record.agent_ids
      )
  write_arrays(run.episode_path, record)


def write_arrays(path: str | os.PathLike[str], record: EpisodeRecord) -> None:
  """Writes an episode's arrays, .npz, without frames and views."""
  arrays = {
    name: x
    for name, x in vars(record).items()
    if x is not None and name not in _OF_FILM
  }
  arrays['measures'] = json.dumps(dict(record.measures))
  np.savez_compressed(path, **arrays)


def read(run: run_dir.RunDirectory) -> EpisodeRecord | None:
  """Reads what `write` wrote, without frames and views; None if it did not."""
  if not run.episode_path.exists():
    return None
  with np.load(run.episode_path) as arrays:
    fields = {'influence': None, **arrays}
  for name in ('agent_ids', 'action_names'):
    fields[name] = tuple(fields[name].tolist())
  fields['measures'] = json.loads(str(fields.get('measures', '{}')))
  fields.pop('reliability', None)  # Of older files.
  return EpisodeRecord(frames=(), **fields)


def measure(
  rewards: np.ndarray,
  chosen: Any,
  influence: np.ndarray | None,
  *,
  agent_ids: Sequence[types.AgentId],
  num_choices: tuple[int, int],
  events: Mapping[str, np.ndarray],
) -> dict[str, float]:
  """Measures an episode as a training run does, and the controls.

  Args:
    rewards: float32 [T, N], the environment's.
    chosen: int32 [T, N], actions; or 'action' and 'message', such arrays.
    influence: float32 [T, N, N], as of `EpisodeRecord`.
    agent_ids: N names.
    num_choices: how many actions there are, and how many symbols; 0 of what is
      not discrete.
    events: of the episode, see `environments`.

  Returns:
    Name in a run's logs -> value.
  """
  measured = episode.of_group(episode.make_totals(rewards, events), agent_ids)
  on_all = None
  if influence is not None:
    on_all = np.nansum(influence, axis=-1)  # [T, N]
    measured |= episode.of_influence(on_all)
  if num_choices[0]:
    choices = coordination.make_choices(chosen, *num_choices)
    measured |= coordination.of_choices(choices, on_all)
    measured |= coordination.of_scrambled(choices, on_all)
  flat = loggers.flatten(measured, loggers.STEPS_KEY)
  return {k: float(v) for k, v in flat.items() if k != loggers.STEPS_KEY}
