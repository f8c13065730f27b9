import dm_env
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from influence_acme.environments import matrix
from influence_acme.testing import conformance

FIRST, MID, LAST = dm_env.StepType

GAMES = [
  matrix.MatrixGame(num_agents=11, payoff=((0, 2), (3, 1)), episode_length=3),
  matrix.MatrixGame(
    num_agents=3, payoff=np.arange(24).reshape(2, 2, 2, 3), episode_length=1
  ),
  matrix.Coordination(num_agents=6, num_actions=7, episode_length=4),
]


@pytest.mark.parametrize('game', GAMES, ids=range(len(GAMES)))
def test_keeps_the_contract(game):
  conformance.check_functional(game, num_steps=100)


def test_general_payoff_of_two():
  # Matching pennies: agent_0 wants to match, agent_1 to differ.
  game = matrix.MatrixGame(
    payoff=(((1, -1), (-1, 1)), ((-1, 1), (1, -1))), num_agents=2
  )
  np.testing.assert_array_equal(game.rewards(jnp.array([0, 0])), [1, -1])
  np.testing.assert_array_equal(game.rewards(jnp.array([0, 1])), [-1, 1])
  np.testing.assert_array_equal(game.rewards(jnp.array([1, 0])), [-1, 1])


def test_general_payoff_of_three_against_numpy():
  payoff = np.random.default_rng(0).normal(size=(4, 4, 4, 3))
  game = matrix.MatrixGame(payoff=payoff, num_agents=3, num_actions=4)
  for joint in np.ndindex(4, 4, 4):
    np.testing.assert_allclose(
      game.rewards(jnp.array(joint)), payoff[joint], rtol=1e-6
    )


def test_symmetric_payoff_sums_over_the_others():
  # Prisoner's dilemma of three, agent_1 defects: the others get 3 from each
  # other and 0 from it, it gets 4 from both.
  game = matrix.MatrixGame(payoff=((3, 0), (4, 1)), num_agents=3)
  np.testing.assert_array_equal(game.rewards(jnp.array([0, 1, 0])), [3, 8, 3])


def test_symmetric_payoff_against_numpy():
  rng = np.random.default_rng(0)
  payoff = rng.normal(size=(5, 5))
  game = matrix.MatrixGame(payoff=payoff, num_agents=12, num_actions=5)
  actions = rng.integers(5, size=12)
  expected = [
    sum(payoff[own, other] for j, other in enumerate(actions) if j != i)
    for i, own in enumerate(actions)
  ]
  np.testing.assert_allclose(
    game.rewards(jnp.asarray(actions)), expected, rtol=1e-5
  )


def test_equal_games_are_equal_and_hash_alike():
  as_array = matrix.MatrixGame(payoff=np.array([[3, 0], [4, 1]]))
  as_lists = matrix.MatrixGame(payoff=[[3, 0], [4, 1]])
  assert as_array == as_lists == matrix.MatrixGame()
  assert hash(as_array) == hash(as_lists)
  assert as_array != matrix.MatrixGame(payoff=[[3, 0], [5, 1]])


def test_coordination_pays_when_all_agree():
  game = matrix.Coordination(num_agents=3)
  np.testing.assert_array_equal(game.rewards(jnp.array([2, 2, 2])), [1, 1, 1])
  np.testing.assert_array_equal(game.rewards(jnp.array([2, 2, 0])), [0, 0, 0])


def test_an_episode_step_by_step():
  game = matrix.Coordination(episode_length=2)
  state, step = game.reset(jax.random.PRNGKey(0))
  assert (step.step_type, step.discount, step.reward.tolist()) == (
    FIRST,
    1,
    [0, 0],
  )
  assert not step.observation.any()
  state, step = game.step(state, jnp.array([1, 1]))
  assert (step.step_type, step.discount, step.reward.tolist()) == (
    MID,
    1,
    [1, 1],
  )
  state, step = game.step(state, jnp.array([1, 0]))
  assert (step.step_type, step.discount, step.reward.tolist()) == (
    LAST,
    1,
    [0, 0],
  )
  # The next call starts an episode, whatever the actions.
  state, step = game.step(state, jnp.array([1, 1]))
  assert (step.step_type, step.discount, step.reward.tolist()) == (
    FIRST,
    1,
    [0, 0],
  )
  assert not step.observation.any()
  _, step = game.step(state, jnp.array([2, 2]))
  assert (step.step_type, step.reward.tolist()) == (MID, [1, 1])


def test_world_shows_the_last_joint_action():
  game = matrix.MatrixGame(num_agents=2, payoff=np.zeros((3, 3)), num_actions=3)
  state, _ = game.reset(jax.random.PRNGKey(0))
  _, step = game.step(state, jnp.array([1, 0]))
  expected = np.zeros((2, 5, 5, 3), np.uint8)
  expected[0, 0, 1] = expected[1, 1, 0] = matrix.OWN
  expected[0, 1, 0] = expected[1, 0, 1] = matrix.OTHER
  np.testing.assert_array_equal(step.observation, expected)


def test_world_grows_with_agents_and_actions():
  game = matrix.Coordination(num_agents=12, num_actions=9)
  assert game.observation_shape == (12, 9, 3)
  state, _ = game.reset(jax.random.PRNGKey(0))
  _, step = game.step(state, jnp.full(12, 8))
  observation = np.asarray(step.observation)
  np.testing.assert_array_equal(observation[11, 11, 8], matrix.OWN)


def test_everyone_sees_everyone_else():
  game = matrix.Coordination(num_agents=3)
  state, _ = game.reset(jax.random.PRNGKey(0))
  np.testing.assert_array_equal(game.visible(state), ~np.eye(3, dtype=bool))


def test_render_enlarges_a_view():
  game = matrix.Coordination()
  state, _ = game.reset(jax.random.PRNGKey(0))
  state, step = game.step(state, jnp.array([2, 0]))
  picture = game.render(state)
  assert picture.dtype == np.uint8
  view = np.asarray(step.observation)[0]
  np.testing.assert_array_equal(picture[::16, ::16], view)


@pytest.mark.parametrize(
  'field, value',
  [
    ('num_agents', 1),
    ('num_agents', 2.0),
    ('num_actions', 1),
    ('episode_length', 0),
    ('episode_length', None),
  ],
)
def test_bad_fields_raise(field, value):
  for game in (matrix.MatrixGame, matrix.Coordination):
    with pytest.raises(ValueError, match=f'{field} is {value}: it must be'):
      game(**{field: value})


@pytest.mark.parametrize(
  'payoff',
  [
    None,
    1.0,
    'abc',
    ((1, 2), (3,)),
    ((1, 2, 3), (4, 5, 6)),
    np.zeros((3, 3)),
    np.zeros((2, 2, 3)),
    ((np.nan, 0), (0, 1)),
    ((np.inf, 0), (0, 1)),
  ],
  ids=str,
)
def test_bad_payoffs_raise(payoff):
  with pytest.raises(
    ValueError, match=r'(?s)payoff is .*\(2, 2\) or \(2, 2, 2\)'
  ):
    matrix.MatrixGame(payoff=payoff)


def test_coordination_is_learnable_by_independent_actor_critics():
  game = matrix.Coordination()
  batch, updates, learning_rate = 32, 300, 0.3
  size = int(np.prod(game.observation_shape))

  def outputs(params, observation):
    features = observation.reshape(observation.shape[0], -1) / 255
    hidden = jnp.einsum('nf,nfo->no', features, params['w']) + params['b']
    return hidden[:, :-1], hidden[:, -1]  # Logits and value.

  def play(params, key):
    def one_step(carry, key):
      state, observation = carry
      logits, _ = outputs(params, observation)
      actions = jax.random.categorical(key, logits)
      state, step = game.step(state, actions)
      return (state, step.observation), (observation, actions, step.reward)

    state, step = game.reset(key)
    keys = jax.random.split(key, game.episode_length)
    return jax.lax.scan(one_step, (state, step.observation), keys)[1]

  def loss(params, observations, actions, rewards):
    # Joint actions change nothing later: the return is the reward at hand.
    logits, values = jax.vmap(lambda o: outputs(params, o))(observations)
    log_probs = jax.nn.log_softmax(logits)
    chosen = jnp.take_along_axis(log_probs, actions[..., None], -1)[..., 0]
    advantage = rewards - values
    entropy = -(jnp.exp(log_probs) * log_probs).sum(-1)
    actor = -chosen * jax.lax.stop_gradient(advantage) - 0.01 * entropy
    return (actor + 0.5 * advantage**2).mean(0).sum()

  def update(params, key):
    keys = jax.random.split(key, batch)
    data = jax.vmap(play, in_axes=(None, 0))(params, keys)
    grads = jax.grad(
      lambda p: jax.vmap(loss, in_axes=(None, 0, 0, 0))(p, *data).mean()
    )(params)
    params = jax.tree_util.tree_map(
      lambda p, g: p - learning_rate * g, params, grads
    )
    return params, data[2].sum(1).mean(0)

  params = {
    'w': jnp.zeros((game.num_agents, size, game.num_actions + 1)),
    'b': jnp.zeros((game.num_agents, game.num_actions + 1)),
  }
  keys = jax.random.split(jax.random.PRNGKey(0), updates)
  _, returns = jax.jit(lambda p, k: jax.lax.scan(update, p, k))(params, keys)
  chance = game.episode_length / game.num_actions
  assert returns[0].mean() < 1.5 * chance
  assert (returns[-10:].mean(0) > 0.95 * game.episode_length).all()
