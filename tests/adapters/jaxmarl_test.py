"""JaxMARL's API, from and to it; no part of JaxMARL is needed."""

from typing import Any, NamedTuple

import dm_env
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from influence_acme import adapters, environments
from influence_acme.adapters import jaxmarl_arrays
from influence_acme.testing import conformance, fakes

LENGTH = 3
KEY = jax.random.PRNGKey(3)


class _Space(NamedTuple):
  """A space, as far as it is read."""

  n: int


class _State(NamedTuple):
  """State of `Game`."""

  secret: Any
  time: Any


class Game:
  """An environment as JaxMARL's are: by name of the agent, with a reset.

  Everyone observes its own number, a secret number of the episode, and the
  time. The reward is ten times the own action, and the time.
  """

  agents = ('seeker', 'hider')  # Not sorted.

  def __init__(self, actions=(4, 4), sizes=(1, 1), dtype=jnp.int32):
    self._spaces = dict(zip(self.agents, map(_Space, actions), strict=True))
    self._sizes, self._dtype = sizes, dtype

  def action_space(self, agent):
    return self._spaces[agent]

  def reset(self, key):
    secret = jax.random.randint(key, (), 1, 1000)
    state = _State(secret, 0)  # No array, as JaxMARL's states may have.
    return self._observe(state), state

  def step_env(self, key, state, actions):
    state = state._replace(time=state.time + 1)
    reward = {k: 10 * actions[k] + state.time for k in self.agents}
    done = state.time >= LENGTH
    dones = {**dict.fromkeys(self.agents, done), '__all__': done}
    return self._observe(state), state, reward, dones, {'noise': key}

  def step(self, key, state, actions):
    """The end of an episode is seen by its flag alone."""
    played = self.step_env(key, state, actions)
    after = jax.tree_util.tree_map(
      lambda x, y: jnp.where(played[3]['__all__'], x, y),
      self.reset(key),
      played[:2],
    )
    return (*after, *played[2:])

  def _observe(self, state):
    return {
      agent: {
        'b': jnp.array([[state.secret, state.time]], self._dtype),
        'a': jnp.full(size, i, self._dtype),
      }
      for i, (agent, size) in enumerate(
        zip(self.agents, self._sizes, strict=True)
      )
    }


class Pixels(Game):
  """Shows the time as pixels."""

  def _observe(self, state):
    picture = jnp.zeros((5, 5, 2), jnp.uint8) + jnp.uint8(state.time)
    return dict.fromkeys(self.agents, picture)


def _adapt(game, **options):
  return adapters.JaxMARLEnvironment(environment=game, **options)


def test_it_keeps_the_contract():
  conformance.check_functional(_adapt(Game()), num_steps=10)


@pytest.mark.parametrize('last_discount', [0.0, 1.0])
def test_an_episode_is_the_adapted_one(last_discount):
  """The last observation is of its own episode; the next step starts anew."""
  environment = _adapt(Game(), last_discount=last_discount)
  assert environment.agent_ids == ('seeker', 'hider')
  assert (environment.num_agents, environment.num_actions) == (2, 4)
  state, first = environment.reset(KEY)
  step = jax.jit(environment.step)
  steps = [first]
  for _ in range(LENGTH + 1):
    state, output = step(state, jnp.array([1, 2]))
    steps.append(output)
  secret, following = (steps[i].observation[0, 1] for i in (0, -1))
  assert secret != following
  for time, output in enumerate(steps[:-1]):
    # 'a', the own number, goes before 'b'.
    expected = [[i, secret, time] for i in range(2)]
    np.testing.assert_array_equal(output.observation, expected)
  rewards = [[0, 0], [11, 21], [12, 22], [13, 23], [0, 0]]
  np.testing.assert_array_equal([x.reward for x in steps], rewards)
  assert [x.discount for x in steps] == [1, 1, 1, last_discount, 1]
  kinds = dm_env.StepType
  assert [x.step_type for x in steps] == [
    kinds.FIRST,
    kinds.MID,
    kinds.MID,
    kinds.LAST,
    kinds.FIRST,
  ]
  np.testing.assert_array_equal(steps[-1].observation[:, 2], [0, 0])


def test_its_dm_env_has_the_agents_names():
  environment = environments.MultiAgentEnvironment(_adapt(Game()), seed=0)
  conformance.check_environment(environment)
  environment.reset()
  timestep = environment.step({'hider': 3, 'seeker': 0})
  assert timestep.reward == {'seeker': 1.0, 'hider': 31.0}


def test_pixels_stay_pixels():
  environment = _adapt(Pixels())
  assert environment.observation_shape == (5, 5, 2)
  assert environment.observation_dtype == np.uint8
  state, step = environment.reset(KEY)
  assert step.observation.shape == (2, 5, 5, 2)
  assert environment.render(state).shape == (80, 80, 3)


@pytest.mark.parametrize(
  ('make', 'message'),
  [
    (lambda: Game(actions=(4, 5)), "actions of 'seeker', 4, differ .* 5:"),
    (lambda: Game(actions=(None, 4)), "actions of 'seeker' must be discrete"),
    (lambda: Game(sizes=(1, 2)), "observations of 'seeker', .* of 'hider'"),
    (lambda: 'spread', "environment is 'spread': .* no 'reset' of its own"),
  ],
)
def test_other_environments_are_refused(make, message):
  with pytest.raises(ValueError, match=message):
    _adapt(make())


def test_other_discounts_are_refused():
  with pytest.raises(ValueError, match='last_discount is 0.99: it must be 0'):
    _adapt(Game(), last_discount=0.99)


def test_our_environment_plays_as_jaxmarls():
  """Rewards and ends are those of the functions; episodes follow at once."""
  functional = environments.functional('coordination', episode_length=2)
  environment = adapters.MultiAgentEnv(functional)
  assert environment.agents == ['agent_0', 'agent_1']
  assert environment.action_space('agent_1').n == 3
  step = jax.jit(environment.step)
  first, state = environment.reset(KEY)
  assert environment.observation_space('agent_0').contains(first['agent_0'])
  agree = {'agent_1': 2, 'agent_0': 2}
  views, state, reward, done, infos = step(KEY, state, agree)
  assert reward == {'agent_0': 1, 'agent_1': 1} and not done['__all__']
  assert views['agent_1'].any()
  views, state, reward, done, infos = step(KEY, state, {**agree, 'agent_0': 1})
  assert reward == {'agent_0': 0, 'agent_1': 0}
  assert done == {'agent_0': True, 'agent_1': True, '__all__': True}
  np.testing.assert_array_equal(infos['discount'], [1, 1])  # A time limit.
  assert not views['agent_1'].any()  # Of the next episode, before its actions.
  _, _, reward, done, _ = step(KEY, state, agree)
  assert reward == {'agent_0': 1, 'agent_1': 1} and not done['__all__']


def test_there_and_back_is_the_same_environment():
  """Through both adapters all but the random draws is as it was."""
  functional = fakes.FakeVectorEnvironment(episode_length=4)
  both = _adapt(adapters.MultiAgentEnv(functional), last_discount=1.0)
  assert both.agent_ids == functional.agent_ids
  assert both.observation_shape == functional.observation_shape
  play = jax.jit(both.step)
  state, step = both.reset(KEY)
  for time in [1, 2, 3, 4, 0, 1]:
    wanted = jnp.argmax(step.observation[:, :3], axis=-1)
    is_right = jnp.array([0, 1]) == wanted if time else jnp.zeros(2)
    state, step = play(state, jnp.array([0, 1]))
    np.testing.assert_array_equal(step.reward, is_right)
    np.testing.assert_array_equal(step.observation[:, 3], [time, time])


def test_spaces_sample_what_they_contain():
  environment = adapters.MultiAgentEnv(fakes.FakeVectorEnvironment())
  space = environment.action_space('agent_0')
  assert all(space.contains(space.sample(key)) for key in jax.random.split(KEY))
  assert not space.contains(jnp.array(3))
  available = environment.get_avail_actions(None)['agent_1']
  np.testing.assert_array_equal(available, [True] * 3)


@pytest.mark.slow
def test_an_environment_of_jaxmarls():
  jaxmarl = pytest.importorskip('jaxmarl')
  spread = jaxmarl.make('MPE_simple_spread_v3', max_steps=4)
  environment = _adapt(spread, last_discount=1.0)
  assert environment.observation_shape == (18,)
  conformance.check_functional(environment, num_steps=20)


def test_a_state_that_becomes_a_float_is_refused():
  state = jnp.zeros((), jnp.int32)
  kept = jaxmarl_arrays.keep_dtype(state + 1, state)
  assert (kept.dtype, int(kept)) == (jnp.int32, 1)
  with pytest.raises(ValueError, match='float32 after a step where it had int'):
    jaxmarl_arrays.keep_dtype(state + 0.5, state)
