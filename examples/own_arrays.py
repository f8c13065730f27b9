"""Computes the influence between agents from NumPy arrays of your own.

  python examples/own_arrays.py

Of a record of what three players did: the first plays as it likes, the second
mostly copies it, the third heeds nobody. It needs JAX and chex alone,
and takes some seconds.
"""

from collections.abc import Sequence

import numpy as np
from absl import app

from influence_acme import ops

NUM_ACTIONS = 3
POLICY = np.array([0.5, 0.3, 0.2])  # Of the first player.


def play(num_steps: int, seed: int) -> np.ndarray:
  """Returns everyone's actions, int [T, N]."""
  random = np.random.default_rng(seed)
  first = random.choice(NUM_ACTIONS, num_steps, p=POLICY)
  second, third = random.integers(NUM_ACTIONS, size=(2, num_steps))
  copies = random.random(num_steps) < 0.8
  copies[0] = False
  second = np.where(copies, np.roll(first, 1), second)
  return np.stack([first, second, third], axis=1)


def count(actions: np.ndarray) -> np.ndarray:
  """Returns how often the others do what after what I do, [K, J, A]."""
  counts = np.zeros((NUM_ACTIONS, 2, NUM_ACTIONS))
  for j in range(2):
    np.add.at(counts[:, j], (actions[:-1, 0], actions[1:, j + 1]), 1)
  return counts / counts.sum(axis=-1, keepdims=True)


def main(argv: Sequence[str]) -> None:
  """Prints the influence of each action of the first player."""
  if len(argv) > 1:
    raise app.UsageError(f'Unknown argument: {argv[1]}')
  actions = play(num_steps=100_000, seed=0)
  # Any model of others does; here it is a table, the same at every step.
  conditional_logits = np.log(count(actions))  # [K, J, A]
  for measure in ('kl', 'jsd'):
    for action in range(NUM_ACTIONS):
      influence = ops.influence_reward(
        conditional_logits,
        np.log(POLICY),
        np.array(action),
        measure=measure,
      )
      second, third = np.asarray(influence.per_agent)
      print(f'{measure} of action {action}: {second:.3f} {third:.3f} nats')

  pairs = ops.instantaneous_coordination(
    actions, actions, num_sources=NUM_ACTIONS, num_targets=NUM_ACTIONS
  ).pairs
  # The mean of the KL over what the first does.
  print(f'mutual information: {pairs[0, 1]:.3f} {pairs[0, 2]:.3f} nats')
  equality = ops.equality(np.array([30.0, 10.0, 20.0]))
  print(f'equality of returns of 30, 10 and 20: {equality:.3f}')


if __name__ == '__main__':
  app.run(main)
