"""Torsos: which one observations get, and how the agent calls each kind."""

import functools

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from influence_acme import networks

N, A, T, B, U = 3, 4, 5, 2, 8


class _Tower(hk.Module):
  """A torso of one's own, for vectors or grids of floats."""

  def __init__(self):
    super().__init__(name='tower')

  def __call__(self, world):
    return jnp.tanh(hk.Linear(7, name='first')(hk.Flatten()(world)))


def _inputs(world):
  """Returns the arguments of `unroll` after the parameters."""
  random = np.random.default_rng(1)
  observation = {
    'world': world,
    'actions': random.integers(-1, A, (T, B, N)).astype(np.int32),
  }
  actions = random.integers(0, A, (T, B, N)).astype(np.int32)
  start = random.random((T, B)) < 0.3
  state = hk.LSTMState(*random.normal(size=(2, B, U)).astype(np.float32))
  return observation, actions, start, networks.CoreState(state, state)


def _pixels(*view):
  random = np.random.default_rng(0)
  return random.integers(0, 256, (T, B, *view), dtype=np.uint8)


def _vectors(*shape):
  random = np.random.default_rng(0)
  return random.normal(size=(T, B, *shape)).astype(np.float32)


def _make(torso, world, **sizes):
  """Returns an agent, and parameters of which none is 0."""
  agent = networks.make_agent_networks(N, A, U, torso=torso, **sizes)
  shapes = jax.eval_shape(
    agent.init, jax.random.PRNGKey(0), _row(_inputs(world)[0], 0)
  )
  random = np.random.default_rng(2)
  return agent, jax.tree_util.tree_map(
    lambda x: random.normal(0, 0.3, x.shape).astype(np.float32), shapes
  )


def _row(observation, t):
  return {k: v[t] for k, v in observation.items()}


def _assert_close(tolerance, actual, expected):
  jax.tree_util.tree_map(
    lambda x, y: np.testing.assert_allclose(
      x, y, rtol=tolerance, atol=tolerance
    ),
    actual,
    expected,
  )


@pytest.mark.parametrize(
  'shape, dtype, torso',
  [
    ((15, 15, 3), np.uint8, networks.PixelConv),
    ((3, 3, 1), 'uint8', networks.PixelConv),
    ((1,), np.float32, networks.Identity),
    ((40,), 'float32', networks.Identity),
  ],
)
def test_the_default_follows_from_shape_and_dtype(shape, dtype, torso):
  assert networks.default_torso(shape, dtype) is torso


@pytest.mark.parametrize(
  'shape, dtype',
  [
    ((15, 15, 3), np.float32),
    ((2, 15, 3), np.uint8),
    ((5, 5, 0), np.uint8),
    ((5, 5), np.uint8),
    ((40,), np.uint8),
    ((40,), np.float64),
    ((0,), np.float32),
    ((), np.float32),
    ((5, 5, 5, 3), np.uint8),
  ],
)
def test_observations_without_a_default_are_refused_by_name(shape, dtype):
  with pytest.raises(ValueError) as refused:
    networks.default_torso(shape, dtype)
  message = str(refused.value)
  assert f'{np.dtype(dtype)} {shape}' in message
  for allowed in ('uint8 [H, W, C]', 'at least 3', 'float32 [D]', 'torso='):
    assert allowed in message


def test_vectors_where_pixels_were_are_refused():
  agent = networks.make_agent_networks(N, A, U)
  observation, *_ = _inputs(_vectors(6))
  with pytest.raises(ValueError, match=r'uint8 views .* not float32 \(2, 6\)'):
    agent.init(jax.random.PRNGKey(0), _row(observation, 0))


@pytest.mark.parametrize(
  'torso, world',
  [
    (functools.partial(networks.PixelConv, shifted_planes=True), _pixels),
    (functools.partial(networks.PixelConv, shifted_planes=False), _pixels),
    (_Tower, functools.partial(_vectors, 3)),
    (networks.Identity, lambda *view: _vectors(int(np.prod(view)))),
  ],
  ids=['shifted planes', 'convolution', 'own', 'vectors'],
)
def test_an_unroll_equals_its_steps_with_resets(torso, world):
  world = world(4, 5, 2)
  agent, params = _make(torso, world)
  observation, actions, start, state = _inputs(world)
  output = jax.jit(agent.unroll)(params, observation, actions, start, state)
  for t in range(T):
    keep = 1.0 - start[t][:, None]
    state = jax.tree_util.tree_map(lambda x, keep=keep: x * keep, state)
    step, policy_state = agent.step(params, _row(observation, t), state.policy)
    logits, moa_state = agent.counterfactuals(
      params, step.moa_features, actions[t], state.moa, 0
    )
    np.testing.assert_allclose(output.logits[t], step.logits, atol=1e-5)
    np.testing.assert_allclose(output.value[t], step.value, atol=1e-5)
    taken = logits[np.arange(B), actions[t][:, 0]]
    np.testing.assert_allclose(output.moa_logits[t], taken, atol=1e-5)
    state = networks.CoreState(policy_state, moa_state)


def test_both_forms_of_the_convolution_learn_the_same():
  """Stacked over agents, as a learner on an accelerator has them."""
  world = _pixels(6, 5, 3)
  outputs, gradients, trees = [], [], []
  for shifted_planes in (True, False):
    torso = functools.partial(networks.PixelConv, shifted_planes=shifted_planes)
    agent, params = _make(torso, world)
    trees.append(params)
    params = jax.tree_util.tree_map(lambda x: np.stack([x, -0.5 * x]), params)

    def total(params, agent=agent):
      output = jax.vmap(agent.unroll, (0, None, None, None, None))(
        params, *_inputs(world)
      )
      leaves = jax.tree_util.tree_leaves(output)
      total = sum((i + 1) * jnp.sin(x).sum() for i, x in enumerate(leaves))
      return total, output

    gradient, output = jax.jit(jax.grad(total, has_aux=True))(params)
    outputs.append(output)
    gradients.append(gradient)
  jax.tree_util.tree_map(np.testing.assert_array_equal, *trees)
  _assert_close(1e-5, *outputs)
  _assert_close(1e-4, *gradients)
  for each in jax.tree_util.tree_leaves(gradients):
    assert np.abs(each).max() > 1e-3  # All parameters were learned from.


@pytest.mark.parametrize(
  'torso, world, size, modules',
  [
    (networks.PixelConv, _pixels(5, 4, 1), 3 * 2 * 6, {'pixel_conv'}),
    (networks.Identity, _vectors(9), 9, set()),
    (_Tower, _vectors(2, 3), 7, {'tower/first'}),
  ],
)
def test_the_moa_shares_the_torso_alone(torso, world, size, modules):
  _, params = _make(torso, world)
  # The first layers of both stacks side by side, on the same features.
  assert params['dense']['w'].shape == (size, 2 * 32)
  assert {'dense/stack_0/~/linear_0', 'dense/stack_1/~/linear_0'} < set(params)
  others = ('dense', 'policy_core', 'policy_value_head', 'moa_core')
  assert {n for n in params if not n.startswith(others)} == modules
  _, alone = _make(torso, world, models_others=False)
  assert alone['dense']['w'].shape == (size, 32)


@pytest.mark.parametrize(
  'returned, shape',
  [
    (lambda world: world, r'\(2, 4, 5\)'),
    (lambda world: world[0], r'\(4, 5\)'),
    (lambda world: world.reshape(2, 20) > 0, r'bool \(2, 20\)'),
  ],
)
def test_a_torso_that_returns_no_features_is_refused(returned, shape):
  with pytest.raises(ValueError, match=rf'{shape} for float32 .*\[B, F\]'):
    _make(lambda: returned, _vectors(4, 5))
