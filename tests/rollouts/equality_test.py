"""Both ways of playing write the same rows to a real replay.

That every game goes the same way, `vector_environment_test` holds; here all
variants are played in small ones.
"""

import itertools
from typing import Any

import jax
import numpy as np
import pytest
import two_ways

from influence_acme import ops
from influence_acme.agents import influence

# Episodes end inside of unrolls of 6, at other rows each time.
_COORDINATION = {'name': 'coordination', 'num_agents': 3, 'episode_length': 7}
# Its payoffs differ from agent to agent, as Coordination's do not.
_MATRIX = {
  **_COORDINATION,
  'name': 'matrix',
  'num_actions': 3,
  'payoff': ((3.0, 0.0, 1.0), (4.0, 1.0, 0.0), (0.0, 2.0, 2.0)),
}
_OPTIONS: dict[str, dict[str, Any]] = {
  'basic_influence': {'num_influencers': 2, 'influencee_reward': True},
  'communication': {
    'num_symbols': 5,
    # The second agent is not rewarded for influence.
    'influence_weight': (2.0, 0.0, 0.5),
  },
  'comm_baseline': {'num_symbols': 5},
}
_PAIRS = [
  *itertools.product(('basic_influence', 'communication', 'moa'), ops.MEASURES),
  # The same, but for the weight of influence.
  ('visible_actions', 'kl'),
  ('comm_baseline', 'pmi'),
  ('moa_baseline', 'jsd'),
]
# Those that know nothing of each other, but for rewards that may be shaped.
_PLAIN = [name for name in influence.VARIANTS if name not in dict(_PAIRS)]
GAMES = {
  **{
    (variant, measure): {
      **_COORDINATION,
      'measure': measure,
      'config': {'variant': variant, **_OPTIONS.get(variant, {})},
    }
    for variant, measure in _PAIRS
  },
  **{
    (variant, 'kl'): {**_MATRIX, 'config': {'variant': variant}}
    for variant in _PLAIN
  },
  # All three experiments in one environment: the influence of an episode's last
  # step is known of some agents, and of others not.
  ('several', 'kl'): {
    **_COORDINATION,
    'num_agents': 5,
    'config': {
      'variant': (
        'basic_influence',
        'moa',
        'communication',
        'visible_actions',
        'comm_baseline',
      ),
      'num_symbols': 4,
    },
  },
}
# One of each experiment by default: every game takes long to compile.
_FAST = (('moa', 'kl'), ('basic_influence', 'pmi'), ('communication', 'kl'))


@pytest.fixture(
  scope='module',
  params=[
    pytest.param(
      key, id='-'.join(key), marks=[] if key in _FAST else [pytest.mark.slow]
    )
    for key in GAMES
  ],
)
def both(request):
  """The agent's config; the same sequences, step by step and vectorised."""
  game = two_ways.Game(**GAMES[request.param])
  return game.config, game.step_by_step(), game.vectorised()


def test_rows_are_equal(both):
  config, expected, actual = both
  assert actual.start_of_episode[:, :, 1:].any()
  assert actual.observation.keys() == expected.observation.keys()
  for name in ('observation', 'action', 'discount', 'start_of_episode'):
    jax.tree_util.tree_map(
      np.testing.assert_array_equal,
      getattr(actual, name),
      getattr(expected, name),
    )
  # Envy sums up to hundreds, of which float32 keeps seven digits.
  rtol = 1e-6 if config.variant == 'inequity_aversion' else 1e-7
  np.testing.assert_allclose(
    actual.reward, expected.reward, rtol=rtol, atol=1e-5
  )
  if isinstance(config.influence_weight, tuple):
    # After 5 of 10 steps of the curriculum.
    weighted = np.multiply(config.influence_weight, actual.extras['influence'])
    np.testing.assert_allclose(
      actual.reward, actual.extras['extrinsic'] + weighted / 2, atol=1e-5
    )
  for name in ('extrinsic', 'learner_steps'):
    np.testing.assert_array_equal(actual.extras[name], expected.extras[name])


def test_log_probabilities_and_influence_agree(both):
  config, expected, actual = both
  for name in ('logits', 'message_logits'):
    if name in expected.extras:
      log_probs = jax.nn.log_softmax(actual.extras[name])
      assert np.abs(log_probs).max() > 1.5
      np.testing.assert_allclose(
        log_probs, jax.nn.log_softmax(expected.extras[name]), atol=1e-5
      )
  is_judged = np.abs(actual.extras['influence']).max() > 1e-3
  assert is_judged == (config.variant not in _PLAIN)
  np.testing.assert_allclose(
    actual.extras['influence'], expected.extras['influence'], atol=1e-5
  )


def test_states_of_first_rows_agree_and_the_others_are_zero(both):
  _, expected, actual = both

  def check(x, y):
    largest = np.abs(y[:, 1:, 0]).max()
    assert largest > 1e-2
    # Cells, unlike all else here, are not bounded by 1.
    atol = 1e-5 * max(1, largest)
    np.testing.assert_allclose(x[:, :, 0], y[:, :, 0], atol=atol)
    assert not x[:, :, 1:].any()

  jax.tree_util.tree_map(
    check, actual.extras['core_state'], expected.extras['core_state']
  )


def test_sequences_meet_in_a_row(both):
  *_, actual = both
  jax.tree_util.tree_map(
    lambda x: np.testing.assert_array_equal(x[:, 1:, 0], x[:, :-1, -1]),
    actual._replace(
      extras={k: v for k, v in actual.extras.items() if k != 'core_state'}
    ),
  )
