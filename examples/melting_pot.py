"""Trains influential agents in a substrate of Melting Pot.

  make meltingpot
  python examples/melting_pot.py --substrate=clean_up

Too short to learn more than not to fire; it takes about two minutes.
"""

import functools
import tempfile

from absl import app, flags, logging

from influence_acme import adapters, programs
from influence_acme.agents import influence

_SUBSTRATE = flags.DEFINE_string(
  'substrate', 'commons_harvest__open', 'One of Melting Pot, by name.'
)
_NUM_AGENTS = flags.DEFINE_integer('num_agents', 3, 'All in the default role.')
_NUM_STEPS = flags.DEFINE_integer('num_steps', 6_000, 'Of the environment.')


def main(_: list[str]) -> None:
  """Trains, and tells what was collected."""
  logging.set_verbosity(logging.WARNING)  # Progress has the terminal.
  config = influence.InfluenceConfig(
    batch_size=4,
    unroll_length=20,
    influence_weight=0.1,
    influence_curriculum_steps=1,
  )
  roles = ['default'] * _NUM_AGENTS.value

  def make_environment(seed: int):
    environment = adapters.MeltingPotEnvironment(
      _SUBSTRATE.value, roles, seed=seed
    )
    return influence.wrap_environment(environment, config)

  experiment = programs.Experiment(
    builder_factory=functools.partial(influence.InfluenceBuilder, config),
    environment_factory=make_environment,
    network_factory=functools.partial(influence.make_networks, config=config),
    num_steps=_NUM_STEPS.value,
    run_dir=tempfile.mkdtemp(prefix='melting_pot_'),
  )
  if code := programs.launch(programs.make_program(experiment), 'threads'):
    raise SystemExit(code)
  log = programs.read_log(experiment.directory.path / 'logs' / 'actor_0.csv')
  # Some substrates end by chance: there may be no episode in few steps.
  for episode, steps in enumerate(log.get('episode_length', ())):
    print(
      f'Episode {episode}, {steps:.0f} steps: collective return '
      f'{log["collective_return"][episode]:.0f}'
    )
  print(f'Curves and more: {experiment.run_dir}')


if __name__ == '__main__':
  app.run(main)
