"""Makes the actor of a trained population, from a run's checkpoint."""

from typing import Any

import dm_env
from acme import core
from acme.utils.loggers import base as loggers_base

from influence_acme.multiagent import recording
from influence_acme.programs import experiment as experiment_lib
from influence_acme.programs import replays
from influence_acme.runs import checkpoint, config_file, random_keys
from influence_acme.system import specs as multiagent_specs


def make(
  experiment: experiment_lib.Experiment, environment: dm_env.Environment
) -> tuple[core.Actor, recording.RecordingAdder]:
  """Makes an actor with the parameters of a run, after a resume's checks.

  Returns:
    The actor, and the adder that records its steps; which stays empty if the
    builder has no `make_evaluator`.

  Raises:
    CheckpointError: there is no checkpoint, or none of this experiment.
    ValueError: the directory's `config.json` is none of a run.
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
