"""Which reward each head learns from."""

import numpy as np
import pytest
import tabular

from influence_acme import networks
from influence_acme.system import config as config_lib
from influence_acme.system import heads, normalisation

# The environment's reward is 1, and the weighted influence 2.
_STARTS = tabular.make_starts((9,), num_rows=3)
_EXTRINSIC = np.ones((3, 1), np.float32)
# Of which the discounted extrinsic rewards have the size 10, and the influence
# the deviation 2: a factor of 5. Returns of the heads have the sizes 4 and 8.
_SCALE = normalisation.ReturnScale(
  *(np.float32(0.5) * np.array(x, np.float32) for x in ([4, 8], 10, 2, 1))
)


def _heads(variant, own_index=0, *, speaks=False, **options):
  config = config_lib.InfluenceConfig(variant=variant, **options)
  sequences = tabular.make_sequences(
    _STARTS,
    speaks=speaks,
    reward=3 * _EXTRINSIC,
    extrinsic=_EXTRINSIC,
  )
  value = np.zeros((3, 1), np.float32)
  output = networks.UnrollOutput(
    np.zeros((3, 1, tabular.A), np.float32),
    value,
    None,
    networks.HeadOutput(np.zeros((3, 1, tabular.M), np.float32), value)
    if speaks
    else None,
  )
  scale = _SCALE
  if not speaks:
    scale = scale._replace(returns=scale.returns[:1])
  return heads.make_heads(output, own_index, sequences, scale, config)


def _rewards(*args, **options):
  return [float(head.reward[0, 0]) for head in _heads(*args, **options)]


@pytest.mark.parametrize('variant', ['moa', 'basic_influence'])
def test_the_action_learns_from_influence(variant):
  assert _rewards(variant) == [3.0]


@pytest.mark.parametrize('variant', ['moa', 'basic_influence'])
def test_normalised_influence_alone_gets_the_factor(variant):
  options = {'normalise_returns': True, 'normalise_influence': True}
  assert _rewards(variant, **options) == [1 + 5 * 2]


def test_a_shaped_reward_is_no_influence():
  # What differs from the environment's is not influence here.
  options = {'normalise_returns': True, 'normalise_influence': True}
  assert _rewards('prosocial', **options) == [3.0]


@pytest.mark.parametrize('alpha', [0.0, 0.5, 1.0])
def test_of_a_speaker_only_the_message_learns_from_influence(alpha):
  options = {'num_symbols': tabular.M, 'message_extrinsic_weight': alpha}
  assert _rewards('communication', speaks=True, **options) == [1, alpha + 2]
  options |= {'normalise_returns': True, 'normalise_influence': True}
  assert _rewards('communication', speaks=True, **options) == [1, alpha + 10]


def test_without_a_reward_for_influence_both_heads_learn_the_extrinsic_one():
  # The weight is 0 then, so that the row's reward is the environment's.
  both = _heads('comm_baseline', speaks=True, num_symbols=tabular.M)
  np.testing.assert_array_equal(both[0].reward, _EXTRINSIC)
  np.testing.assert_array_equal(both[1].reward, 3 * _EXTRINSIC)


def test_in_a_mixed_population_each_agent_has_its_own_reward():
  mixed = ('communication', 'moa', 'comm_baseline')
  options = {
    'speaks': True,
    'num_symbols': tabular.M,
    'message_extrinsic_weight': 0.5,
    'normalise_returns': True,
    'normalise_influence': True,
  }
  assert _rewards(mixed, 0, **options) == [1.0, 0.5 + 10]
  assert _rewards(mixed, 1, **options)[0] == 1.0 + 10
  assert _rewards(mixed, 2, **options)[0] == 1.0


def test_each_head_has_its_own_unit():
  both = _heads(
    'communication',
    speaks=True,
    num_symbols=tabular.M,
    normalise_returns=True,
  )
  assert [float(head.unit) for head in both] == [4.0, 8.0]
