"""The configuration checks itself, and the curriculum is the paper's."""

import dataclasses
import re

import numpy as np
import pytest

from influence_acme.system import config as config_lib
from influence_acme.system import schedules


@pytest.mark.parametrize(
  ('field', 'value'),
  [
    ('influence_measure', 'mi'),
    ('influence_weight', -1.0),
    ('influence_weight', ()),
    ('influence_weight', (1.0, -1.0)),
    ('discount', 1.5),
    ('vtrace_lambda', -0.1),
    ('learning_rate', 0.0),
    ('learning_rate', float('nan')),
    ('max_gradient_norm', float('inf')),
    ('unroll_length', 0),
    ('entropy_cost_start', -0.1),
    ('entropy_cost_steps', 0),
    ('batch_size', 2.5),
    ('max_queue_size', 8),
    ('influence_curriculum_steps', 0),
    ('moa_loss_weight', float('nan')),
    ('influence_weight', float('inf')),
    ('discount', 'a'),
    ('unroll_length', True),
    ('moa_only_visible', 'no'),
    ('num_influencers', 0),
    ('influencee_reward', 1),
    ('num_symbols', 0),
    ('message_extrinsic_weight', -0.5),
    ('message_loss_weight', float('inf')),
    ('message_entropy_cost', 'low'),
    ('message_embedding_size', 1.5),
    ('prosocial_weight', -1.0),
    ('inequity_behind', float('nan')),
    ('inequity_ahead', -0.05),
    ('inequity_smoothing', 1.5),
  ],
)
def test_a_bad_value_is_refused_by_name(field, value):
  with pytest.raises(ValueError, match=f'{field} is {re.escape(repr(value))}'):
    config_lib.InfluenceConfig(**{field: value})


@pytest.mark.parametrize(
  ('variant', 'field', 'value', 'heed'),
  [
    ('moa', 'num_influencers', 2, 'visible_actions, basic_influence'),
    ('visible_actions', 'influencee_reward', True, 'basic_influence'),
    ('baseline', 'moa_only_visible', False, 'moa_baseline, moa'),
    ('basic_influence', 'moa_loss_weight', 1.0, 'moa_baseline, moa'),
    ('moa', 'num_symbols', 7, 'comm_baseline, communication'),
    ('comm_baseline', 'message_extrinsic_weight', 0.0, 'communication'),
    ('inequity_aversion', 'prosocial_weight', 1.0, 'prosocial'),
    ('prosocial', 'inequity_ahead', 1.0, 'inequity_aversion'),
  ],
)
def test_an_option_that_the_variant_does_not_heed(variant, field, value, heed):
  with pytest.raises(
    ValueError, match=f"{field} is {value}: .*'{variant}'; only {heed} heed"
  ):
    config_lib.InfluenceConfig(variant=variant, **{field: value})


@pytest.mark.parametrize('variant', [(), ('moa', 'a3c'), {'moa': 1}, 'a3c'])
def test_variants_that_nobody_knows(variant):
  with pytest.raises(ValueError, match=r'variant is .*: it must be one of bas'):
    config_lib.InfluenceConfig(variant=variant)


def test_a_mixed_population_heeds_what_any_of_its_agents_does():
  config = config_lib.InfluenceConfig(
    variant=('moa', 'prosocial'), prosocial_weight=0.5, moa_loss_weight=1.0
  )
  assert (
    config.has_moa and not config.has_messages and not config.has_influencers
  )
  all_three = config_lib.InfluenceConfig(
    variant=('moa', 'visible_actions', 'communication'), num_symbols=4
  )
  assert all_three.has_moa and all_three.has_messages
  assert all_three.has_influencers
  with pytest.raises(ValueError, match='inequity_ahead is 1.0: leave it'):
    dataclasses.replace(config, inequity_ahead=1.0)


def test_who_is_not_paid_has_weight_zero():
  config = config_lib.InfluenceConfig(
    variant=('moa', 'moa_baseline', 'baseline', 'moa'),
    influence_weight=(2.0, 2.0, 2.0, 1.0),
    influence_curriculum_steps=100,
  )
  weights = schedules.influence_weight(config, 50)
  np.testing.assert_array_equal(weights, [1.0, 0.0, 0.0, 0.5])
  same = dataclasses.replace(config, influence_weight=2.0)
  weights = schedules.influence_weight(same, 100)
  np.testing.assert_array_equal(weights, [2.0, 0.0, 0.0, 2.0])


def test_it_is_frozen():
  with pytest.raises(dataclasses.FrozenInstanceError):
    config_lib.InfluenceConfig().discount = 0.5  # type: ignore[misc]


def test_the_weight_rises_linearly_and_stays():
  config = config_lib.InfluenceConfig(
    influence_weight=2.0, influence_curriculum_steps=100
  )
  weights = [
    schedules.influence_weight(config, steps) for steps in (0, 25, 100, 1000)
  ]
  assert weights == [0.0, 0.5, 2.0, 2.0]


def test_each_agent_has_a_weight_of_its_own():
  config = config_lib.InfluenceConfig(
    influence_weight=(2.0, 0.0, 1.0), influence_curriculum_steps=100
  )
  weights = schedules.influence_weight(config, 25)
  np.testing.assert_array_equal(weights, [0.5, 0.0, 0.25])


@pytest.mark.parametrize('variant', ['moa', ('baseline', 'moa_baseline')])
def test_a_moa_needs_sequences_of_two_steps(variant):
  with pytest.raises(ValueError, match='unroll_length is 1: .*at least 2.*MOA'):
    config_lib.InfluenceConfig(variant=variant, unroll_length=1)
  config_lib.InfluenceConfig(variant=variant, unroll_length=2)
  config_lib.InfluenceConfig(variant='baseline', unroll_length=1)
