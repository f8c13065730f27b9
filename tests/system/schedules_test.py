"""Schedules beyond what 32 bits count."""

import numpy as np
import pytest

from influence_acme.system import config as config_lib
from influence_acme.system import schedules

_CONFIG = config_lib.InfluenceConfig(
  influence_weight=2.0,
  influence_curriculum_steps=2**32,
  learning_rate=1e-3,
  learning_rate_end=2e-4,
  learning_rate_steps=2**33,
  entropy_cost=0.01,
  entropy_cost_start=0.09,
  entropy_cost_steps=2**32,
)


@pytest.mark.parametrize('count', [int, np.int64])
@pytest.mark.parametrize(
  'steps, weight, learning_rate, entropy_cost',
  [
    (0, 0.0, 1e-3, 0.09),
    (2**31 - 1, 1 - 2**-31, 8e-4 + 0.8e-3 / 2**33, 0.05 + 0.08 / 2**32),
    (2**31, 1.0, 8e-4, 0.05),
    (2**32, 2.0, 6e-4, 0.01),
    (2**33, 2.0, 2e-4, 0.01),
    (2**40, 2.0, 2e-4, 0.01),
  ],
)
def test_schedules_go_on_past_32_bits(
  count, steps, weight, learning_rate, entropy_cost
):
  steps = count(steps)
  np.testing.assert_allclose(
    schedules.influence_weight(_CONFIG, steps), weight, rtol=1e-13
  )
  rates = schedules.rates(_CONFIG, steps)
  np.testing.assert_allclose(rates.learning_rate, learning_rate, rtol=1e-13)
  np.testing.assert_allclose(rates.entropy_cost, entropy_cost, rtol=1e-13)


def test_each_agent_has_its_own_weight_and_that_of_the_unrewarded_is_zero():
  config = config_lib.InfluenceConfig(
    variant=('moa', 'moa_baseline', 'moa'),
    influence_weight=(2.0, 3.0, 0.5),
    influence_curriculum_steps=2**32,
  )
  np.testing.assert_allclose(
    schedules.influence_weight(config, 2**31), [1.0, 0.0, 0.25]
  )


def test_without_a_start_the_entropy_cost_is_constant():
  config = config_lib.InfluenceConfig(entropy_cost=0.02)
  for steps in (0, 1, 2**33):
    assert schedules.rates(config, steps).entropy_cost == 0.02


@pytest.mark.parametrize(
  ('counts', 'steps'),
  [
    ({}, 0),
    ({'learner_steps': 9, 'evaluator_episodes': 1, 'evaluator_steps': 7}, 0),
    ({'environment_steps': 5}, 5),
    ({'actor_steps': 2**33, 'actor_episodes': 3}, 2**33),  # Acme's layouts.
    ({'environment_steps': 5, 'actor_steps': 4}, 5),  # Our programs.
    ({'actor_steps': 7.0}, 7),
  ],
)
def test_environment_steps_have_two_names(counts, steps):
  assert schedules.environment_steps(counts) == steps


@pytest.mark.parametrize(
  ('counts', 'message'),
  [
    (None, 'counter is None'),
    ({'steps': 3, 'episodes': 1}, r"counts \['episodes', 'steps'\].*'actor'"),
    ({'train_steps': 3, 'train_episodes': 1}, 'train_episodes.*actor_steps'),
  ],
)
def test_counts_that_schedules_cannot_read_are_refused(counts, message):
  with pytest.raises(ValueError, match=message):
    schedules.environment_steps(counts)


@pytest.mark.parametrize(
  ('change', 'expected'),
  [
    ({}, True),
    ({'influence_curriculum_steps': 5}, False),
    ({'variant': 'baseline', 'influence_curriculum_steps': 5}, True),
    ({'learning_rate_end': 1e-6, 'learning_rate_steps': 5}, False),
    ({'entropy_cost_start': 0.5, 'entropy_cost_steps': 5}, False),
  ],
)
def test_schedules_that_never_change_are_constant(change, expected):
  flat = {
    'variant': 'moa',
    'influence_curriculum_steps': 1,
    'learning_rate': 1e-3,
    'learning_rate_end': 1e-3,
  }
  config = config_lib.InfluenceConfig(**{**flat, **change})
  assert schedules.are_constant(config) == expected
