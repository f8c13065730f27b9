"""Acme's own test cases for its adders pass with an InfluenceAdder around."""

import jax
import numpy as np
import pytest
from absl.testing import parameterized
from acme.adders import reverb as adders
from acme.adders.reverb import test_cases, test_utils

from influence_acme.adders import InfluenceAdder


def _wrap(adder, delay):
  return InfluenceAdder(
    adder,
    lambda step, _: jax.tree_util.tree_map(np.zeros_like, step.reward),
    delay=delay,
    keep_parts=False,
  )


def _for_both_delays(cases):
  return [
    dict(
      case, testcase_name=f'{case["testcase_name"]}Delay{delay}', delay=delay
    )
    for case in cases
    for delay in (0, 1)
  ]


# Acme's harness calls the adder's destructor, and Python calls it once more.
@pytest.mark.filterwarnings('ignore::pytest.PytestUnraisableExceptionWarning')
class AcmeCasesTest(test_utils.AdderTestMixin, parameterized.TestCase):
  @parameterized.named_parameters(
    *_for_both_delays(test_cases.TEST_CASES_FOR_SEQUENCE_ADDER)
  )
  def test_sequence_adder(
    self,
    delay,
    sequence_length,
    period,
    first,
    steps,
    expected_sequences,
    end_behavior=adders.EndBehavior.ZERO_PAD,
    repeat_episode_times=1,
  ):
    adder = adders.SequenceAdder(
      self.client,
      sequence_length,
      period,
      end_of_episode_behavior=end_behavior,
    )
    self.run_test_adder(
      adder=_wrap(adder, delay),
      first=first,
      steps=steps,
      expected_items=expected_sequences,
      repeat_episode_times=repeat_episode_times,
      end_behavior=end_behavior,
      signature=adder.signature(*test_utils.get_specs(steps[0])),
    )

  @parameterized.named_parameters(
    *_for_both_delays(test_cases.TEST_CASES_FOR_TRANSITION_ADDER)
  )
  def test_transition_adder(
    self, delay, n_step, additional_discount, first, steps, expected_transitions
  ):
    adder = adders.NStepTransitionAdder(
      self.client, n_step, additional_discount
    )
    self.run_test_adder(
      adder=_wrap(adder, delay),
      first=first,
      steps=steps,
      expected_items=expected_transitions,
      stack_sequence_fields=False,
      signature=adder.signature(*test_utils.get_specs(steps[0])),
    )

  @parameterized.product(length=(2, 10, 50), padding=(0, 2), delay=(0, 1))
  def test_episode_adder(self, length, padding, delay):
    adder = adders.EpisodeAdder(
      self.client, length + padding, padding_fn=np.zeros
    )
    first, steps = test_utils.make_trajectory(range(length))
    expected = test_utils.make_sequence(range(length))
    expected += [(0, 0, 0.0, 0.0, False, ())] * padding
    self.run_test_adder(
      adder=_wrap(adder, delay),
      first=first,
      steps=steps,
      expected_items=[expected],
      signature=adder.signature(*test_utils.get_specs(steps[0])),
    )

  @parameterized.product(length=(2, 10, 50), delay=(0, 1))
  def test_episode_adder_refuses_too_long_an_episode(self, length, delay):
    adder = _wrap(adders.EpisodeAdder(self.client, length), delay)
    first, steps = test_utils.make_trajectory(range(length + 1))
    adder.add_first(first)
    for action, timestep in steps[:-1]:
      adder.add(action, timestep)
    with self.assertRaisesRegex(ValueError, 'max_sequence_length'):
      adder.add(*steps[-1])
    self.assertEqual(self.num_items(), 0)
