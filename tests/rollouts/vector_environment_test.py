"""Many environments in one call go the way that each goes as a dm_env."""

from typing import Any

import jax
import numpy as np
import pytest

from influence_acme import environments, wrappers
from influence_acme.rollouts import host_environments, vector_environment

SEEDS, NUM_STEPS = (11, 2**32 - 5), 40
SLOW = pytest.mark.slow
LARGE = ('cleanup', 'harvest')  # Their small maps have the same rules.
# Episodes of all copies end at once; more than three of them are played.
OPTIONS: dict[str, dict[str, Any]] = {
  'box_trapped': {'episode_length': 12},
  'cleanup': {'num_agents': 5, 'episode_length': 12},
  'cleanup_small': {'episode_length': 12},
  'coordination': {'num_agents': 3, 'episode_length': 12},
  'harvest': {'num_agents': 3, 'episode_length': 12},
  'harvest_small': {'episode_length': 12},
  'matrix': {
    'num_agents': 3,
    'num_actions': 3,
    'episode_length': 12,
    'payoff': ((3.0, 0.0, 1.0), (4.0, 1.0, 0.0), (0.0, 2.0, 2.0)),
  },
}


def _make_dm_env(name, num_symbols, seed):
  environment = environments.make(name, seed=seed, **OPTIONS[name])
  wrapped = wrappers.OthersActionsWrapper(environment)
  if num_symbols:
    return wrappers.MessageChannelWrapper(wrapped, num_symbols)
  return wrapped


@pytest.mark.parametrize(
  ('name', 'num_symbols'),
  [
    *(
      pytest.param(name, 0, marks=SLOW if name in LARGE else ())
      for name in environments.names()
    ),
    ('coordination', 5),
    ('cleanup_small', 5),
  ],
)
def test_copies_equal_the_wrapped_dm_env(name, num_symbols):
  game = environments.functional(name, **OPTIONS[name])
  copies = vector_environment.VectorEnvironment(game, num_symbols > 0)
  plain = host_environments.HostEnvironments(
    [_make_dm_env(name, num_symbols, seed) for seed in SEEDS], game.agent_ids
  )
  step = jax.jit(copies.step)
  state, actual = copies.reset(np.stack([*map(jax.random.PRNGKey, SEEDS)]))
  expected = plain.reset()
  rng = np.random.default_rng(0)
  num_episodes = np.zeros(len(SEEDS), int)
  worlds = set()
  for _ in range(NUM_STEPS):
    jax.tree_util.tree_map(np.testing.assert_array_equal, actual, expected)
    num_episodes += expected.is_first
    worlds.add(expected.observation['world'].tobytes())
    shape = (game.num_agents, len(SEEDS))
    choices: Any = rng.integers(game.num_actions, size=shape, dtype=np.int32)
    if num_symbols:
      messages = rng.integers(num_symbols, size=shape, dtype=np.int32)
      choices = {'action': choices, 'message': messages}
    state, actual = step(state, choices)
    expected = plain.step(choices)
  plain.close()
  assert (num_episodes > 3).all()
  assert len(worlds) > 10 or name in ('coordination', 'matrix')
