"""Units of values, and the size of influence: by hand, and over updates."""

import dataclasses
import functools
from typing import Any

import jax
import numpy as np
import pytest
import tabular

from influence_acme.system import config as config_lib
from influence_acme.system import normalisation, summary, update

CONFIG = config_lib.InfluenceConfig(
  normalise_returns=True, normalise_influence=True
)


def _column(*values):
  return np.array([values], np.float32).T


def _track(scale, targets, extrinsic=None, influence=None, **options):
  zeros = np.zeros_like(targets)
  return normalisation.track(
    scale,
    [targets],
    zeros if extrinsic is None else extrinsic,
    zeros if influence is None else influence,
    options.get('discounts', zeros),
    options.get('weights', np.ones_like(targets)),
  )


def test_units_before_any_data_are_one():
  for num_heads in (1, 2):
    scale = normalisation.init(num_heads)
    np.testing.assert_array_equal(
      normalisation.units(scale, CONFIG), np.ones(num_heads)
    )


def test_units_are_fixed_where_returns_are_not_normalised():
  config = config_lib.InfluenceConfig(reward_scale=0.1)
  scale = _track(normalisation.init(1), _column(100.0, 300.0))
  np.testing.assert_allclose(normalisation.units(scale, config), [10.0])


@pytest.mark.parametrize('sign', [1, -1])
def test_units_of_the_first_two_updates_by_hand(sign):
  # abs(mean) + deviation: 3 + 1 of 2 and 4, and 10 + 0 of 10 and 10. Each new
  # one counts a twentieth: after the first there is nothing but it.
  scale = _track(normalisation.init(1), sign * _column(2.0, 4.0))
  np.testing.assert_allclose(normalisation.units(scale, CONFIG), [4.0], 1e-5)
  scale = _track(scale, sign * _column(10.0, 10.0))
  expected = (0.95 * 0.05 * 4 + 0.05 * 10) / (0.95 * 0.05 + 0.05)
  np.testing.assert_allclose(
    normalisation.units(scale, CONFIG), [expected], rtol=1e-5
  )


def test_units_are_no_less_than_the_minimum():
  scale = _track(normalisation.init(1), _column(0.1, 0.1))
  for least, expected in ((0.5, 0.5), (0.01, 0.1)):
    config = dataclasses.replace(CONFIG, min_return_scale=least)
    np.testing.assert_allclose(
      normalisation.units(scale, config), [expected], rtol=1e-5
    )


def test_padding_does_not_count():
  # Two steps of weight 3/2, and padding with anything in it.
  scale = _track(
    normalisation.init(1),
    _column(2.0, 1e6, 4.0),
    weights=_column(1.5, 0.0, 1.5),
  )
  np.testing.assert_allclose(normalisation.units(scale, CONFIG), [4.0], 1e-5)


def test_each_head_has_its_own_unit():
  zeros = _column(0.0, 0.0)
  scale = normalisation.track(
    normalisation.init(2),
    [_column(2.0, 4.0), _column(-20.0, -20.0)],
    zeros,
    zeros,
    zeros,
    np.ones_like(zeros),
  )
  np.testing.assert_allclose(
    normalisation.units(scale, CONFIG), [4.0, 20.0], rtol=1e-5
  )


def test_the_factor_of_influence_by_hand():
  # Discounted by 1/2, extrinsic rewards of 1 and 1 sum to 3/2 and 1, of the
  # size 5/4 + 1/4; influence of 0 and 2 to 1 and 2, of the deviation 1/2.
  scale = _track(
    normalisation.init(1),
    _column(7.0, 7.0),
    _column(1.0, 1.0),
    _column(0.0, 2.0),
    discounts=_column(0.5, 0.5),
  )
  np.testing.assert_allclose(
    normalisation.influence_factor(scale, CONFIG), 3.0, rtol=1e-5
  )
  # With an end between them the sums are 1 and 1, and 0 and 2.
  scale = _track(
    normalisation.init(1),
    _column(7.0, 7.0),
    _column(1.0, 1.0),
    _column(0.0, 2.0),
    discounts=_column(0.0, 0.5),
  )
  np.testing.assert_allclose(
    normalisation.influence_factor(scale, CONFIG), 1.0, rtol=1e-5
  )


def test_the_factor_is_one_before_any_data_and_where_it_is_not_asked_for():
  first = normalisation.init(1)
  assert normalisation.influence_factor(first, CONFIG) == 1.0
  scale = _track(first, _column(7.0, 9.0), _column(5.0, 5.0), _column(0.0, 1.0))
  config = dataclasses.replace(CONFIG, normalise_influence=False)
  assert normalisation.influence_factor(scale, config) == 1.0


@pytest.mark.parametrize('weight', [0.1, 0.62, 3.0])
def test_normalised_influence_is_a_share_of_the_extrinsic_return(weight):
  # Influence whose mean is far above its deviation, as a KL's is. Were it
  # brought to the size of targets that hold it, these would grow for ever.
  rng = np.random.default_rng(0)
  shape = num_steps, _ = 32, 16
  ones = np.ones(shape, np.float32)
  track = jax.jit(normalisation.track)
  scale, sizes = normalisation.init(1), []
  for _ in range(200):
    extrinsic = rng.normal(1.0, 0.1, shape).astype(np.float32)
    influence = rng.uniform(0.04, 0.06, shape).astype(np.float32)
    factor = normalisation.influence_factor(scale, CONFIG)
    target = np.array(extrinsic + weight * factor * influence)
    for t in reversed(range(num_steps - 1)):
      target[t] += 0.9 * target[t + 1]
    scale = track(scale, [target], extrinsic, influence, 0.9 * ones, ones)
    sizes.append(normalisation.units(scale, CONFIG)[0])
  np.testing.assert_allclose(sizes[-1], sizes[-50], rtol=0.02)
  factor = normalisation.influence_factor(scale, CONFIG)
  extrinsic_size = scale.extrinsic / scale.weight
  np.testing.assert_allclose(
    factor * scale.influence / scale.weight, extrinsic_size, rtol=1e-3
  )


NUM_ROWS, B = 9, 4
STARTS = tabular.make_starts((3, 9), (9,), (5, 9), (9,), num_rows=NUM_ROWS)


def _config(method, **options):
  fields: dict[str, Any] = {'update': method, **options}
  if method == 'ppo':
    fields['ppo'] = config_lib.PPOConfig(num_epochs=2, num_minibatches=2)
  return config_lib.InfluenceConfig(
    variant='baseline', normalise_returns=True, batch_size=B, **fields
  )


@functools.cache
def _compiled(config):
  update_one = update.make_update(tabular.AGENT, config)
  return jax.jit(jax.vmap(update_one, in_axes=(0, 0, 0, None, None)))


def _run(config, rewards, num_updates, learning_rate):
  """Updates two agents on a batch again and again; rewards [2, T + 1, B]."""
  rng = np.random.default_rng(0)
  params = jax.tree_util.tree_map(
    lambda *x: np.stack(x),
    *[tabular.make_params(NUM_ROWS, B, rng=rng) for _ in range(2)],
  )
  sequences = jax.tree_util.tree_map(
    lambda *x: np.stack(x),
    *[
      tabular.make_sequences(STARTS, reward=reward, extrinsic=reward)
      for reward in rewards
    ],
  )
  state = update.init(params, config)
  rates = update.Rates(np.float32(learning_rate), np.float32(0.01))
  for _ in range(num_updates):
    state, metrics = _compiled(config)(
      state, sequences, np.arange(2), rates, jax.random.PRNGKey(0)
    )
  return state, metrics, sequences


def _rewards():
  rng = np.random.default_rng(1)
  steps = ~tabular.is_padding(STARTS)
  return (rng.normal(1, 1, (2, NUM_ROWS, B)) * steps).astype(np.float32)


@pytest.mark.parametrize('method', ['vtrace', 'ppo'])
def test_a_thousand_times_the_rewards_is_learned_from_in_the_same_way(method):
  # At a learning rate of 0 the policy and the values stay the same, in their
  # units: so do advantages and errors, once the first unit of 1 is forgotten.
  config = _config(method)
  _, small, _ = _run(config, _rewards(), 300, 0.0)
  _, large, _ = _run(config, 1000 * _rewards(), 300, 0.0)
  for name in ('policy_loss', 'value_loss', 'loss', 'gradient_norm'):
    np.testing.assert_allclose(
      large[name], small[name], rtol=1e-3, atol=1e-5, err_msg=name
    )
  # And is told in units of reward.
  np.testing.assert_allclose(large['value'], 1000 * small['value'], rtol=1e-3)


@pytest.mark.parametrize('method', ['vtrace', 'ppo'])
def test_the_rewards_of_one_agent_scale_nothing_of_another(method):
  config = _config(method)
  rewards = _rewards()
  plain, of_plain, _ = _run(config, rewards, 3, 1e-3)
  rewards[0] *= 1e6
  scaled, of_scaled, _ = _run(config, rewards, 3, 1e-3)
  assert scaled.return_scale.returns[0] > 1e3 * plain.return_scale.returns[0]
  for before, after in ((plain, scaled), (of_plain, of_scaled)):
    jax.tree_util.tree_map(
      lambda x, y: np.testing.assert_array_equal(x[1], y[1]), before, after
    )


def test_reported_rewards_are_not_scaled():
  config = _config('ppo')
  rewards = 1000 * _rewards()
  _, metrics, sequences = _run(config, rewards, 2, 1e-3)
  row = summary.summarise(metrics, sequences, ('x', 'y'), config, 0)
  steps = ~tabular.is_padding(STARTS)[:-1]
  for i, agent_id in enumerate(('x', 'y')):
    np.testing.assert_allclose(
      row['extrinsic'][agent_id], rewards[i, :-1][steps].mean(), rtol=1e-5
    )
