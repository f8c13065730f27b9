"""An episode of a trained population: its video, and who influenced whom.

The actor is the one that trains, with an adder that keeps what it is given:

    evaluation.write(run, evaluation.evaluate(experiment))

Letters: T steps, N agents, J = N - 1 others, K own choices, A others' actions.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dm_env
import jax
import numpy as np
from acme import adders, core, specs
from acme.utils.loggers import base as loggers_base

from influence_acme import ops, types
from influence_acme.multiagent import specs as multiagent_specs
from influence_acme.programs import checkpoint, pictures, run_dir
from influence_acme.programs import experiment as experiment_lib


@dataclasses.dataclass(frozen=True)
class EpisodeRecord:
  """What happened in one episode.

  Attributes:
    agent_ids: the agents' names, in the order of every axis N.
    rewards: float32 [T, N], what the environment paid.
    actions: int32 [T, N].
    influence: float32 [T, N, N], nats: of the row's agent on the column's, by
      whoever answers for the others, and by KL whatever the reward's measure
      is; the diagonal is NaN. None if the agents measure no influence.
    frames: uint8 [H, W, 3] each, T + 1 of them; none if the environment cannot
      be rendered.
    views: uint8 [T + 1, N, H', W', 3], what each agent saw; None if agents see
      no pictures.
    action_names: what people call the actions; none if they have no names.
    messages: int32 [T, N], what was said; None if the agents say nothing.
  """

  agent_ids: tuple[types.AgentId, ...]
  rewards: np.ndarray
  actions: np.ndarray
  influence: np.ndarray | None
  frames: Sequence[np.ndarray]
  views: np.ndarray | None = None
  action_names: tuple[str, ...] = ()
  messages: np.ndarray | None = None

  @property
  def influence_matrix(self) -> np.ndarray | None:
    """float32 [N, N], the mean influence in nats per step; None as above."""
    return None if self.influence is None else self.influence.mean(axis=0)

  @property
  def influential_share(self) -> float | None:
    """The share of influential steps, all agents'; None as above."""
    if self.influence is None:
      return None
    # [T, N]: on all others together; the diagonal is NaN.
    total = np.nansum(self.influence, axis=-1)
    return float(ops.influential_steps(total).mean())


class RecordingAdder(adders.Adder):
  """Keeps the steps of the current episode in memory.

  Attributes:
    actions: T of them, int32 [N] each, or dicts of such.
    extras: T of them, as the actor gave them.
  """

  def __init__(self) -> None:
    self.reset()

  def add_first(self, timestep: dm_env.TimeStep) -> None:
    """Begins an episode; the last one is forgotten."""
    del timestep
    self.reset()

  def add(
    self, action: Any, next_timestep: dm_env.TimeStep, extras: Any = ()
  ) -> None:
    """Keeps one step."""
    del next_timestep
    self.actions.append(action)
    self.extras.append(extras)

  def reset(self) -> None:
    """Forgets all steps."""
    self.actions: list[Any] = []
    self.extras: list[Any] = []


def evaluate(experiment: experiment_lib.Experiment) -> EpisodeRecord:
  """Plays one episode with what a run has learned; see `episodes`."""
  return next(episodes(experiment))


def episodes(
  experiment: experiment_lib.Experiment,
) -> Iterator[EpisodeRecord]:
  """Plays episodes with what a run has learned, one after the other.

  Args:
    experiment: as it was run; its checkpoint is read. Its builder must have
      `make_evaluator`, as `InfluenceBuilder` has.

  Yields:
    Each episode, without end.

  Raises:
    CheckpointError: there is no checkpoint, or none of this experiment.
  """
  environment = experiment.environment_factory(experiment.seed)
  spec = specs.make_environment_spec(environment)
  saved = checkpoint.load(
    experiment.directory.checkpoint_path, experiment.make_identity(spec)
  )
  builder: Any = experiment.builder_factory(loggers_base.NoOpLogger())
  networks = experiment.network_factory(spec)
  key = experiment.learner_key()
  learner = builder.make_learner(key, networks, iter(()))
  learner.restore(saved.learner)
  adder = RecordingAdder()
  actor = builder.make_evaluator(key, networks, adder, learner)
  while True:
    yield record_episode(environment, actor, adder)


def record_episode(
  environment: dm_env.Environment,
  actor: core.Actor,
  adder: RecordingAdder,
  max_steps: int = 1000,
) -> EpisodeRecord:
  """Plays one episode, with the parameters that the actor can fetch now.

  Args:
    environment: multi-agent; filmed if it has `render()`.
    actor: of all agents.
    adder: the actor's.
    max_steps: at which the episode is broken off, if it has not ended.

  Returns:
    The episode.
  """
  agent_ids = tuple(environment.agent_ids)
  render = getattr(environment, 'render', None)
  frames: list[np.ndarray] = []
  rewards: list[list[Any]] = []
  actions: list[Any] = []
  actor.update(wait=True)
  timestep = environment.reset()
  actor.observe_first(timestep)
  views: list[Any] = [_views(timestep, agent_ids)]
  if render is not None:
    frames.append(render())
  while not timestep.last() and len(rewards) < max_steps:
    action = actor.select_action(timestep.observation)
    timestep = environment.step(action)
    actor.observe(action, next_timestep=timestep)
    rewards.append([timestep.reward[agent_id] for agent_id in agent_ids])
    actions.append(multiagent_specs.stack_actions(action, agent_ids))
    views.append(_views(timestep, agent_ids))
    if render is not None:
      frames.append(render())
  did = jax.tree_util.tree_map(lambda *x: np.stack(x), *actions)
  speaks = isinstance(did, Mapping)
  return EpisodeRecord(
    agent_ids=agent_ids,
    rewards=np.asarray(rewards, np.float32),
    actions=did['action'] if speaks else did,
    influence=_influence(adder, len(agent_ids)),
    frames=frames,
    views=None if views[0] is None else np.stack(views),
    action_names=getattr(environment, 'action_names', ()),
    messages=did['message'] if speaks else None,
  )


def _views(
  timestep: dm_env.TimeStep, agent_ids: Sequence[types.AgentId]
) -> np.ndarray | None:
  """Returns uint8 [N, H', W', 3], None if what agents see is no picture."""
  views = [timestep.observation[i].get('world') for i in agent_ids]
  shape = np.shape(views[0])
  is_picture = len(shape) == 3 and shape[-1] == 3
  return np.stack(views) if is_picture else None


def _influence(adder: RecordingAdder, num_agents: int) -> np.ndarray | None:
  """Computes float32 [T, N, N] from what the actor gave its adder."""
  inputs = [
    extras['influence_inputs']
    for extras in adder.extras
    if (extras or {}).get('influence_inputs')
  ]
  if not inputs:
    return None
  stacked, choices = (
    jax.tree_util.tree_map(lambda *x: np.stack(x), *nests)
    for nests in (inputs, adder.actions)
  )
  answers, mask = stacked['conditional_logits'], stacked['mask']
  if isinstance(choices, Mapping):
    # Messages are answered one step late, and nobody answers to the last ones.
    choices = choices['message']
    answers = np.roll(answers, -1, axis=0)
    mask[-1] = False
  output = ops.influence_reward(
    answers,  # [T, N, K, J, A]
    stacked['policy_logits'],  # [T, N, K]
    choices,  # [T, N]
    mask=mask,  # [T, N, J]
  )
  per_agent = np.asarray(output.per_agent)  # [T, N, J]
  influence = np.full((len(inputs), num_agents, num_agents), np.nan, np.float32)
  for i in range(num_agents):
    influence[:, i, types.others(i, num_agents)] = per_agent[:, i]
  return influence


def write(run: run_dir.RunDirectory, record: EpisodeRecord) -> None:
  """Writes an episode's video, influence matrix and arrays.

  Args:
    run: where to write; what the record does not have is left out.
    record: of the episode.
  """
  if record.frames:
    pictures.write_video(
      run.video_path,
      pictures.with_views(record.frames, record.views, record.messages),
    )
  if record.influence_matrix is not None:
    pictures.write_influence_matrix(
      run.influence_matrix_path, record.influence_matrix, record.agent_ids
    )
  arrays = {
    name: x
    for name, x in vars(record).items()
    if x is not None and name not in ('frames', 'views')  # See the video.
  }
  np.savez_compressed(run.episode_path, **arrays)


def read(run: run_dir.RunDirectory) -> EpisodeRecord | None:
  """Reads what `write` wrote, without frames and views; None if it did not."""
  if not run.episode_path.exists():
    return None
  with np.load(run.episode_path) as arrays:
    fields = {'influence': None, **arrays}
  for name in ('agent_ids', 'action_names'):
    fields[name] = tuple(fields[name].tolist())
  return EpisodeRecord(frames=(), **fields)
