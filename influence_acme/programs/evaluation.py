"""An episode of a trained population: its video, and who influenced whom.

The actor is the one that trains, with an adder that keeps what it is given:

    evaluation.write(run, evaluation.evaluate(experiment))

Letters: T steps, N agents.
"""

import contextlib
from collections.abc import Generator, Mapping, Sequence
from typing import Any

import dm_env
import jax
import numpy as np
from absl import logging
from acme import core
from acme.utils.loggers import base as loggers_base

from influence_acme import types
from influence_acme.multiagent import observers, recording
from influence_acme.programs import experiment as experiment_lib
from influence_acme.programs import replays
from influence_acme.runs import (
  checkpoint,
  config_file,
  episode_record,
  random_keys,
)
from influence_acme.system import specs as multiagent_specs
from influence_acme.system import types as system_types

EpisodeRecord = episode_record.EpisodeRecord
read, write = episode_record.read, episode_record.write


def evaluate(experiment: experiment_lib.Experiment) -> EpisodeRecord:
  """Plays one episode with what a run has learned; see `episodes`."""
  with contextlib.closing(episodes(experiment)) as played:
    return next(played)


def episodes(
  experiment: experiment_lib.Experiment,
) -> Generator[EpisodeRecord, None, None]:
  """Plays episodes with what a run has learned, without end.

  Influence is recorded if the experiment's builder has `make_evaluator`, as
  `InfluenceBuilder` has.

  Raises:
    CheckpointError: there is no checkpoint, or none of this experiment.
  """
  environment = experiment.environment_factory(experiment.seed)
  with contextlib.closing(environment):
    actor, adder = _make_actor(experiment, environment)
    while True:
      yield record_episode(environment, actor, adder)


def _make_actor(
  experiment: experiment_lib.Experiment, environment: dm_env.Environment
) -> tuple[core.Actor, recording.RecordingAdder]:
  """Makes an actor with the parameters of a run, after a resume's checks.

  The adder, which comes with it, records its steps; it stays empty if the
  builder has no `make_evaluator`.
  """
  spec = multiagent_specs.make_environment_spec(environment)
  directory = experiment.directory
  path = directory.checkpoint_path
  saved = checkpoint.load(
    path, experiment.make_identity(spec), experiment.allow_changes
  )
  functional = getattr(
    environment, 'functional', experiment.functional_environment
  )
  config_file.check(
    directory.config_path,
    experiment.settings(spec, functional),
    experiment.allow_changes,
  )
  builder: Any = experiment.builder_factory(loggers_base.NoOpLogger())
  networks = experiment.network_factory(spec)
  names = list(replays.make_tables(experiment, spec))
  learner = builder.make_learner(
    experiment.learner_key(),
    networks,
    replays.for_builder({name: iter(()) for name in names}),
    replays.for_builder(dict.fromkeys(names)),
  )
  learner.restore(checkpoint.restore(path, saved.learner, learner.save()))
  adder = recording.RecordingAdder()
  key = random_keys.evaluator_key(experiment.seed)
  if hasattr(builder, 'make_evaluator'):
    return builder.make_evaluator(key, networks, adder, learner), adder
  return builder.make_actor(key, networks, None, learner), adder


def record_episode(
  environment: dm_env.Environment,
  actor: core.Actor,
  adder: recording.RecordingAdder,
  max_steps: int = 100_000,
) -> EpisodeRecord:
  """Plays one episode, with the parameters that the actor can fetch now.

  A multi-agent environment with `render()` is filmed. An episode that has not
  ended by `max_steps` is broken off with a warning.
  """
  agent_ids = tuple(environment.agent_ids)
  shot = Film(environment)
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
    measures=episode_record.measure(
      paid,
      did,
      influence,
      agent_ids=agent_ids,
      num_choices=observers.num_choices(environment.action_spec()),
      events=getattr(environment, 'events', dict)(),
    ),
  )


def _views(
  timestep: dm_env.TimeStep, agent_ids: Sequence[types.AgentId]
) -> np.ndarray | None:
  """Returns uint8 [N, H', W', 3], None if what agents see is no picture."""
  views = [timestep.observation[i].get('world') for i in agent_ids]
  shape = np.shape(views[0])
  is_picture = len(shape) == 3 and shape[-1] == 3
  return np.stack(views) if is_picture else None


class Film:
  """Collects frames; one that is no picture ends the film, not the episode.

  Attributes:
    frames: uint8 [H, W, 3] each, all of one size; none after a failure.
    failure: a sentence on it; '' without any.
  """

  def __init__(self, environment: Any):
    """Starts without frames; films the environment if it has `render()`."""
    self.frames: list[np.ndarray] = []
    self.failure = ''
    self._render = getattr(environment, 'render', None)

  def take(self) -> None:
    """Adds the environment's picture of now."""
    if self._render is None or self.failure:
      return
    try:
      picture = self._render()
      frame = np.asarray(picture)
    except Exception as error:  # noqa: BLE001  An episode needs no film.
      self._fail(f'render() raises {type(error).__name__}: {error}')
      return
    shape = self.frames[0].shape if self.frames else frame.shape
    is_picture = len(shape) == 3 and shape[-1] == 3 and 0 not in shape
    if is_picture and frame.shape == shape and frame.dtype == np.uint8:
      self.frames.append(np.array(frame))
      return
    found = type(picture).__name__
    if hasattr(picture, 'dtype'):
      found = f'{frame.dtype}{list(frame.shape)}'
    size = f'of the size {list(shape)}' if self.frames else '[H, W, 3]'
    self._fail(f'render() returns {found}: it must be uint8 {size}')

  def _fail(self, reason: str) -> None:
    self.frames = []
    self.failure = f'There is no film, as {reason}.'
