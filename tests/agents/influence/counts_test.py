"""Counts of more than 32 bits, as an actor reads them."""

import numpy as np
import pytest

from influence_acme.agents import influence


@pytest.mark.parametrize('steps', [2**31 - 1, 2**31, 2**33])
def test_an_actor_reads_counts_of_64_bits(steps):
  class Source:
    def get_variables(self, names):
      counts = {'learner_steps': 1, 'environment_steps': np.int64(steps)}
      return [{'w': np.zeros(1, np.float32)}, counts]

  config = influence.InfluenceConfig(
    influence_weight=2.0, influence_curriculum_steps=2**32
  )
  builder = influence.InfluenceBuilder(config)
  variables = builder.make_variables(Source())
  variables.take()
  assert variables.environment_steps == steps
  weight = builder.influence_weight(variables.environment_steps)
  assert weight == min(2 * steps / 2**32, 2)
