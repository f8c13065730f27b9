"""Influence of your own making in the rewards of any Acme adder.

  python examples/own_adder.py

Acme's SequenceAdder writes to a Reverb server, and is told a reward that is
larger where the other agent did next what this one does. No agent is trained.
It takes some seconds.
"""

from collections.abc import Sequence

import acme
import numpy as np
import reverb
from absl import app
from acme.adders import reverb as reverb_adders

from influence_acme import adders, environments, wrappers

NUM_ACTIONS = 3
LENGTH = 5  # Of a sequence.
WEIGHT = 0.5


def was_copied(
  step: adders.InfluenceStep, following: adders.InfluenceStep | None
) -> np.float32:
  """Returns 1 if the other did in the following step what I do in this one."""
  assert following is not None  # As it is with a delay.
  _, other = following.next_observation['actions']
  return np.float32(other == step.action)


def make_environment() -> wrappers.SingleAgentView:
  """Returns agent 0's view of a matrix game; agent 1 tends to copy it."""
  random = np.random.default_rng(0)

  def play(observation):
    mine = observation['actions'][0]
    copies = mine >= 0 and random.random() < 0.7
    return np.int32(mine) if copies else random.integers(NUM_ACTIONS)

  game = environments.make('coordination', num_actions=NUM_ACTIONS, seed=0)
  game = wrappers.OthersActionsWrapper(game)
  return wrappers.SingleAgentView(game, 'agent_0', {'agent_1': play})


def main(argv: Sequence[str]) -> None:
  """Plays an episode and prints what a learner would get of it."""
  if len(argv) > 1:
    raise app.UsageError(f'Unknown argument: {argv[1]}')
  environment = make_environment()
  signature = reverb_adders.SequenceAdder.signature(
    acme.make_environment_spec(environment),
    extras_spec=adders.InfluenceAdder.extras_spec(()),
    sequence_length=LENGTH,
  )
  table = reverb.Table.queue('samples', max_size=100, signature=signature)
  server = reverb.Server([table])
  client = reverb.Client(f'localhost:{server.port}')
  adder = adders.InfluenceAdder(
    reverb_adders.SequenceAdder(
      client, LENGTH, period=LENGTH - 1, priority_fns={'samples': None}
    ),
    was_copied,
    WEIGHT,
    delay=1,  # It takes the following step to know.
  )

  random = np.random.default_rng(1)
  timestep = environment.reset()
  adder.add_first(timestep)
  while not timestep.last():
    action = random.integers(NUM_ACTIONS, dtype=np.int32)
    timestep = environment.step(action)
    adder.add(action, timestep)

  samples = reverb.TrajectoryDataset.from_table_signature(
    client.server_address,
    'samples',
    max_in_flight_samples_per_worker=1,
    rate_limiter_timeout_ms=1000,  # Then there are no more.
  )
  print('action  extrinsic  influence  reward')
  for sample in samples.as_numpy_iterator():
    data = sample.data
    parts = data.extras['extrinsic'], data.extras['influence'], data.reward
    for action, *row in list(zip(data.action, *parts, strict=True))[:-1]:
      print(f'{action:6d}  {row[0]:9.1f}  {row[1]:9.1f}  {row[2]:6.1f}')
  server.stop()


if __name__ == '__main__':
  app.run(main)
