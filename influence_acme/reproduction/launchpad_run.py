"""Makes a run of a sweep a Launchpad program; needs Acme."""

import functools

from influence_acme import environments, programs
from influence_acme.agents import influence
from influence_acme.reproduction import sweep as sweep_lib


def make_experiment(
  sweep: sweep_lib.Sweep, run: sweep_lib.Run, *, resume: bool = False
) -> programs.Experiment:
  """Returns what a run of a sweep is."""
  game = {
    name: getattr(sweep, name)
    for name in ('num_agents', 'episode_length')
    if getattr(sweep, name) is not None
  }
  return programs.Experiment(
    builder_factory=functools.partial(influence.InfluenceBuilder, run.config),
    environment_factory=functools.partial(
      influence.make_environment, sweep.game, run.config, **game
    ),
    functional_environment=environments.functional(sweep.game, **game),
    network_factory=functools.partial(
      influence.make_networks, config=run.config
    ),
    num_steps=sweep.num_steps,
    num_environments=0
    if sweep.num_environments == 0
    else run.config.batch_size,
    seed=run.seed,
    run_dir=run.directory.path,
    resume=resume,
    identity={'environment': sweep.game},
  )
