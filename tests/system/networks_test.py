"""The population's networks take what the environment's spec says."""

import functools

import dm_env
import haiku as hk
import jax
import numpy as np
import pytest
from dm_env import specs as dm_env_specs

from influence_acme import environments
from influence_acme.system import config as config_lib
from influence_acme.system import networks, specs, variants, wrap
from influence_acme.testing import fakes

CONFIG = config_lib.InfluenceConfig(hidden_size=4)


class _Tower(hk.Module):
  """A torso of one's own."""

  def __init__(self):
    super().__init__(name='tower')

  def __call__(self, world):
    return hk.Linear(5)(hk.Flatten()(world.astype(np.float32)))


class _Shows(fakes.FakeMultiAgentEnvironment):
  """Shows 'world' of any shape and dtype."""

  def __init__(self, shape, dtype):
    super().__init__(observation_shape=shape)
    self._dtype = dtype

  def observation_spec(self):
    return {
      agent_id: {'world': spec['world'].replace(dtype=self._dtype)}
      for agent_id, spec in super().observation_spec().items()
    }


def _spec(environment: dm_env.Environment):
  return specs.make_environment_spec(wrap.wrap_environment(environment, CONFIG))


def _shapes(made):
  params = jax.eval_shape(made.init, jax.random.PRNGKey(0))
  return {name: module['w'].shape for name, module in params.items()}


def test_pixels_get_the_papers_convolution():
  made = networks.from_spec(_spec(_Shows((4, 5, 2), np.uint8)), CONFIG)
  shapes = _shapes(made)
  assert shapes['pixel_conv'] == (2, 3 * 3 * 2, 6)  # Of both agents.
  assert shapes['dense'] == (2, 2 * 3 * 6, 2 * 32)


def test_vectors_go_to_the_dense_layers():
  game = environments.MultiAgentEnvironment(fakes.FakeVectorEnvironment())
  shapes = _shapes(networks.from_spec(_spec(game), CONFIG))
  assert 'pixel_conv' not in shapes
  assert shapes['dense'] == (2, 4, 2 * 32)


@pytest.mark.parametrize(
  'shape, dtype',
  [((4, 5, 2), np.uint8), ((9,), np.float32), ((2, 2), np.int32)],
)
def test_a_torso_of_ones_own_takes_anything(shape, dtype):
  made = networks.from_spec(_spec(_Shows(shape, dtype)), CONFIG, _Tower)
  shapes = _shapes(made)
  assert 'pixel_conv' not in shapes
  assert shapes['tower/linear'] == (2, np.prod(shape), 5)
  assert shapes['dense'] == (2, 5, 2 * 32)


@pytest.mark.parametrize(
  'shape, dtype', [((2, 5, 3), np.uint8), ((9,), np.uint8), ((3, 3, 3), float)]
)
def test_what_fits_no_torso_is_refused(shape, dtype):
  spec = _spec(_Shows(shape, dtype))
  with pytest.raises(ValueError) as refused:
    networks.from_spec(spec, CONFIG)
  assert f'{np.dtype(dtype)} {shape}: it must be' in str(refused.value)


def test_agents_that_observe_differently_are_refused():
  environment = _Shows((9,), np.float32)
  both = environment.observation_spec()
  both['agent_1']['world'] = dm_env_specs.Array((5, 5, 3), np.uint8)
  environment.observation_spec = functools.partial(  # type: ignore[method-assign]
    dict, both
  )
  with pytest.raises(ValueError, match=r'differ: agent_1 \(observations\)'):
    networks.from_spec(_spec(environment), CONFIG)


@pytest.mark.parametrize('variant', ['baseline', ('baseline',)])
def test_one_agent_alone_is_a_baseline(variant):
  spec = _spec(environments.make('cleanup_small', num_agents=1))
  config = config_lib.InfluenceConfig(variant=variant, hidden_size=4)
  made = networks.from_spec(spec, config)
  params = jax.eval_shape(made.init, jax.random.PRNGKey(0))
  assert all(x.shape[0] == 1 for x in jax.tree_util.tree_leaves(params))


@pytest.mark.parametrize(
  'variant', sorted(set(variants.VARIANTS) - {'baseline'})
)
def test_one_agent_alone_is_nothing_else(variant):
  config = config_lib.InfluenceConfig(variant=variant)
  with pytest.raises(ValueError, match=f'{variant}.*needs others: .* baseline'):
    networks.make_networks(
      ('agent_0',), 9, 5, jax.ShapeDtypeStruct((4,), np.float32), config
    )
