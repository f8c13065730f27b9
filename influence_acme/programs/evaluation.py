"""An episode of a trained population: its video, and who influenced whom.

The actor is the one that trains, with an adder that keeps what it is given:

    evaluation.write(run, evaluation.evaluate(experiment))

Letters: T steps, N agents, J = N - 1 others, K own choices, A others' actions.
"""

import contextlib
import dataclasses
import json
import sys
from collections.abc import Generator, Mapping, Sequence
from typing import Any

import dm_env
import jax
import numpy as np
from absl import logging
from acme import core
from acme.utils.loggers import base as loggers_base

from influence_acme import ops, types
from influence_acme.multiagent import recording
from influence_acme.programs import experiment as experiment_lib
from influence_acme.programs import film, recorded, trained_actor
from influence_acme.runs import failures, pictures, run_dir
from influence_acme.system import specs as multiagent_specs
from influence_acme.system import types as system_types

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
    reliability: float32 [3, G], the mean confidence, the accuracy and the
      number of predictions in G bins; see `ops.calibration`. None if the agents
      have no models of each other.
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
  reliability: np.ndarray | None = None

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


def evaluate(experiment: experiment_lib.Experiment) -> EpisodeRecord:
  """Plays one episode with what a run has learned; see `episodes`."""
  with contextlib.closing(episodes(experiment)) as played:
    return next(played)


def episodes(
  experiment: experiment_lib.Experiment,
) -> Generator[EpisodeRecord, None, None]:
  """Plays episodes with what a run has learned, one after the other.

  Args:
    experiment: as it was run; its checkpoint is read. Influence is recorded if
      its builder has `make_evaluator`, as `InfluenceBuilder` has.

  Yields:
    Each episode, without end.

  Raises:
    CheckpointError: there is no checkpoint, or none of this experiment.
  """
  environment = experiment.environment_factory(experiment.seed)
  with contextlib.closing(environment):
    actor, adder = trained_actor.make(experiment, environment)
    builder: Any = experiment.builder_factory(loggers_base.NoOpLogger())
    has_moa = getattr(getattr(builder, 'config', None), 'has_moa', False)
    while True:
      record = record_episode(environment, actor, adder)
      yield with_foresight(record, adder) if has_moa else record


def record_episode(
  environment: dm_env.Environment,
  actor: core.Actor,
  adder: recording.RecordingAdder,
  max_steps: int = 100_000,
) -> EpisodeRecord:
  """Plays one episode, with the parameters that the actor can fetch now.

  Args:
    environment: multi-agent; filmed if it has `render()`.
    actor: of all agents.
    adder: the actor's.
    max_steps: at which the episode is broken off with a warning, if it has not
      ended.

  Returns:
    The episode.
  """
  agent_ids = tuple(environment.agent_ids)
  shot = film.Film(environment)
  rewards: list[list[Any]] = []
  actions: list[Any] = []
  actor.update(wait=True)
  timestep = environment.reset()
  actor.observe_first(timestep)
  views: list[Any] = [_views(timestep, agent_ids)]
  shot.take()
  while not timestep.last() and len(rewards) < max_steps:
    action = actor.select_action(timestep.observation)
    timestep = environment.step(action)
    actor.observe(action, next_timestep=timestep)
    rewards.append([timestep.reward[agent_id] for agent_id in agent_ids])
    actions.append(multiagent_specs.stack_actions(action, agent_ids))
    views.append(_views(timestep, agent_ids))
    shot.take()
  if not timestep.last():
    logging.warning('The episode was broken off at %d steps.', max_steps)
  did = jax.tree_util.tree_map(lambda *x: np.stack(x), *actions)
  speaks = isinstance(did, Mapping)
  paid = np.asarray(rewards, np.float32)
  influence = recording.influence(adder)
  return EpisodeRecord(
    agent_ids=agent_ids,
    rewards=paid,
    actions=system_types.actions_of(did),
    influence=influence,
    frames=shot.frames,
    film_failure=shot.failure,
    views=None if views[0] is None else np.stack(views),
    action_names=getattr(environment, 'action_names', ()),
    messages=did['message'] if speaks else None,
    measures=recorded.measure(paid, did, environment, influence),
  )


def with_foresight(
  record: EpisodeRecord, adder: recording.RecordingAdder
) -> EpisodeRecord:
  """Returns a record that says how well models of others foresaw them.

  Args:
    record: of an episode of agents with such models.
    adder: has the same episode.
  """
  found = recorded.foresight(adder, len(record.agent_ids))
  if found is None:
    return record
  accuracy, calibration = found
  more = {
    'moa_accuracy': accuracy,
    'moa_calibration_error': float(calibration.error),
  }
  return dataclasses.replace(
    record,
    measures={**record.measures, **more},
    reliability=np.stack(calibration[1:]),
  )


def _views(
  timestep: dm_env.TimeStep, agent_ids: Sequence[types.AgentId]
) -> np.ndarray | None:
  """Returns uint8 [N, H', W', 3], None if what agents see is no picture."""
  views = [timestep.observation[i].get('world') for i in agent_ids]
  shape = np.shape(views[0])
  is_picture = len(shape) == 3 and shape[-1] == 3
  return np.stack(views) if is_picture else None


def write(run: run_dir.RunDirectory, record: EpisodeRecord) -> None:
  """Writes an episode's video, influence matrix and arrays.

  Args:
    run: where to write; what the record does not have is left out.
    record: of the episode.
  """
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
  arrays = {
    name: x
    for name, x in vars(record).items()
    if x is not None and name not in _OF_FILM
  }
  arrays['measures'] = json.dumps(dict(record.measures))
  np.savez_compressed(run.episode_path, **arrays)


def read(run: run_dir.RunDirectory) -> EpisodeRecord | None:
  """Reads what `write` wrote, without frames and views; None if it did not."""
  if not run.episode_path.exists():
    return None
  with np.load(run.episode_path) as arrays:
    fields = {'influence': None, **arrays}
  for name in ('agent_ids', 'action_names'):
    fields[name] = tuple(fields[name].tolist())
  fields['measures'] = json.loads(str(fields.get('measures', '{}')))
  return EpisodeRecord(frames=(), **fields)
