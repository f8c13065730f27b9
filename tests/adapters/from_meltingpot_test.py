"""Substrates of Melting Pot as ours; `make meltingpot` installs it."""

import re

import numpy as np
import pytest

from influence_acme import adapters, wrappers
from influence_acme.testing import conformance

pytestmark = pytest.mark.slow
SUBSTRATES = ('clean_up', 'commons_harvest__open')


def _play(environment, num_episodes=2, num_steps=30):
  """Returns time steps of episodes that are given up early."""
  rng = np.random.default_rng(0)
  timesteps = []
  for _ in range(num_episodes):
    timesteps.append(environment.reset())
    for _ in range(num_steps):
      actions = rng.integers(8, size=len(environment.agent_ids))
      named = dict(zip(environment.agent_ids, actions, strict=True))
      timesteps.append(environment.step(named))
  environment.close()
  return timesteps


def _seen(timestep):
  return [own['world'] for own in timestep.observation.values()]


def _worlds(timesteps):
  return np.stack([_seen(timestep) for timestep in timesteps])


@pytest.mark.parametrize('name', SUBSTRATES)
def test_it_keeps_the_contract(name):
  environment = adapters.MeltingPotEnvironment(name, ['default'] * 3)
  environment = wrappers.OthersActionsWrapper(environment)
  environment = wrappers.MessageChannelWrapper(environment, num_symbols=3)
  # An episode has 1,000 steps, and 100 more with probability .8, repeatedly.
  conformance.check_environment(environment, max_steps=6_000)
  environment.close()


@pytest.mark.parametrize(
  ('name', 'num_actions'), [('clean_up', 9), ('commons_harvest__open', 8)]
)
def test_agents_get_what_players_get(name, num_actions):
  """By default as many as Melting Pot trains; nobody sees everything."""
  environment = adapters.MeltingPotEnvironment(name)
  assert environment.agent_ids == tuple(f'agent_{i}' for i in range(7))
  for spec in environment.action_spec().values():
    assert (spec.num_values, spec.dtype) == (num_actions, np.int32)
  own = environment.observation_spec()['agent_6']
  assert (own['world'].shape, own['world'].dtype) == ((88, 88, 3), np.uint8)
  assert own['READY_TO_SHOOT'].dtype == np.float32
  assert 'WORLD.RGB' not in own
  environment.close()


def test_agents_get_what_the_substrate_gives(monkeypatch):
  """To the end of an episode, in which random players collect apples."""
  # Installed for slow tests alone.
  from meltingpot.utils.substrates.wrappers import multiplayer_wrapper

  given = []
  step = multiplayer_wrapper.Wrapper.step

  def spy(self, actions):
    given.append(step(self, actions))
    return given[-1]

  monkeypatch.setattr(multiplayer_wrapper.Wrapper, 'step', spy)
  environment = adapters.MeltingPotEnvironment(
    'commons_harvest__open', ['default'] * 3
  )
  timestep, returns = environment.reset(), np.zeros(3)
  rng = np.random.default_rng(0)
  while not timestep.last():
    actions = rng.integers(8, size=3)
    named = dict(zip(environment.agent_ids, actions, strict=True))
    timestep = environment.step(named)
    assert list(timestep.reward.values()) == given[-1].reward
    returns += given[-1].reward
    assert timestep.discount == given[-1].discount == (not timestep.last())
    for own, seen in zip(
      timestep.observation.values(), given[-1].observation, strict=True
    ):
      np.testing.assert_array_equal(own['world'], seen['RGB'])
      assert own['READY_TO_SHOOT'] == seen['READY_TO_SHOOT']
  assert given[-1].last() and len(given) >= 1_000
  assert len(set(returns)) == 3  # Each for itself.
  np.testing.assert_array_equal(environment.render(), seen['WORLD.RGB'])
  environment.close()


def test_what_is_not_as_its_spec_says_names_the_agent():
  environment = adapters.MeltingPotEnvironment('clean_up', ['default'] * 2)
  timestep = environment._substrate.reset()
  first, second = timestep.observation
  second = {**second, 'RGB': second['RGB'] / 255}
  with pytest.raises(ValueError, match="'RGB' of 'agent_1' is float64.*uint8"):
    environment._observe([first, second])
  environment.close()


def test_the_seed_decides():
  """Of substrates of one seed about half begin otherwise, in Melting Pot."""
  first, other, *others = (
    _worlds(
      _play(
        adapters.MeltingPotEnvironment('clean_up', ['default'] * 2, seed), 1
      )
    )
    for seed in (3, 4, *[3] * 10)
  )
  assert any(np.array_equal(first, again) for again in others)
  assert not np.array_equal(first, other)


def test_seeds_in_a_row_share_no_episode():
  """As episodes of Melting Pot do, whose seeds are counted up."""
  first, second = (
    _worlds(
      _play(adapters.MeltingPotEnvironment('clean_up', ['default'] * 2, seed))
    )
    for seed in (3, 4)
  )
  assert not np.array_equal(first[31], second[0])


def test_it_is_drawn_whole():
  environment = adapters.MeltingPotEnvironment('clean_up', ['default'] * 2)
  with pytest.raises(ValueError, match='call reset first'):
    environment.render()
  environment.reset()
  picture = environment.render()
  assert (picture.shape, picture.dtype) == ((168, 240, 3), np.uint8)
  environment.close()


@pytest.mark.parametrize(
  ('name', 'roles', 'message'),
  [
    ('cleanup', None, "Unknown substrate 'cleanup': choose from .*clean_up"),
    ('clean_up', ['boss'], re.escape("roles of 'clean_up' are ['boss']")),
    ('clean_up', [], 'one for each agent, each of default'),
    ('clean_up', 'default', 'give a sequence'),
  ],
)
def test_what_it_cannot_build_it_says(name, roles, message):
  with pytest.raises(ValueError, match=message):
    adapters.MeltingPotEnvironment(name, roles)
