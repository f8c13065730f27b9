"""Rewards that heed the others': what stands in every row, by hand.

Three agents get the same two rewards in every episode:

  e_0 = 1, 0, -2    e_1 = 0, 3, 0

Prosocial, eta = 1/2: e + (sum - e) / 2.

Inequity averse, with 2 for being behind, 1/2 for being ahead, and a half of the
smoothed reward forgotten in a step: w_0 = e_0 and w_1 = 1/2, 3, -1. Agent 0 is
2 ahead in the mean over both others at first; then 5/4 behind and 3/4 ahead.
"""

from typing import Any

import acme
import jax
import numpy as np
import pytest
import reverb
from acme.utils import counting, loggers

from influence_acme.agents import influence
from influence_acme.system import reward_shaping
from influence_acme.testing import fakes

EXTRINSIC = [[1.0, 0.0, -2.0], [0.0, 3.0, 0.0]]
CASES: dict[str, tuple[dict[str, Any], list[list[float]]]] = {
  'prosocial': (
    {'prosocial_weight': 0.5},
    [[0.0, -0.5, -1.5], [1.5, 3.0, 1.5]],
  ),
  'inequity_aversion': (
    {
      'inequity_behind': 2.0,
      'inequity_ahead': 0.5,
      'inequity_smoothing': 1.0,
      'discount': 0.5,
    },
    [[0.0, -1.5, -7.0], [-2.875, 1.375, -5.5]],
  ),
}
variants = pytest.mark.parametrize('variant', CASES)


def _config(variant):
  return influence.InfluenceConfig(
    variant=variant,
    hidden_size=4,
    unroll_length=10,
    batch_size=1,
    **CASES[variant][0],
  )


@variants
@pytest.mark.parametrize('jit', [True, False])
def test_a_batch_of_episodes(variant, jit):
  shape = reward_shaping.make_shape_fn(_config(variant))
  assert shape is not None
  shape = jax.jit(shape) if jit else shape
  smoothed: Any = np.zeros((3, 2), np.float32)
  for extrinsic, expected in zip(EXTRINSIC, CASES[variant][1], strict=True):
    # The second environment pays agents in the opposite order.
    rewards = np.stack([extrinsic, extrinsic[::-1]], axis=1)
    shaped, smoothed = shape(np.float32(rewards), smoothed)
    np.testing.assert_allclose(
      shaped, np.stack([expected, expected[::-1]], axis=1), rtol=1e-6
    )


def test_others_leave_rewards_as_they_are():
  for variant in influence.VARIANTS:
    shape = reward_shaping.make_shape_fn(
      influence.InfluenceConfig(variant=variant)
    )
    # Those of 'svo' are tested with its module.
    assert (shape is not None) == (variant in CASES or variant == 'svo')


@variants
def test_every_row_of_scripted_episodes(variant):
  config = _config(variant)
  kinds = (fakes.dm_env.StepType.MID, fakes.dm_env.StepType.LAST)
  script = [(e, 1.0, kind) for e, kind in zip(EXTRINSIC, kinds, strict=True)]
  environment = influence.wrap_environment(
    fakes.FakeMultiAgentEnvironment(num_agents=3, script=script), config
  )
  spec = acme.make_environment_spec(environment)
  builder = influence.InfluenceBuilder(config, loggers.NoOpLogger())
  networks = influence.make_networks(spec, config)
  server = reverb.Server(builder.make_replay_tables(spec), port=None)
  client = reverb.Client(f'localhost:{server.port}')
  iterator = builder.make_dataset_iterator(client)
  counter = counting.Counter(time_delta=0.0)
  learner = builder.make_learner(
    jax.random.PRNGKey(0), networks, iterator, counter=counter
  )
  actor = builder.make_actor(
    jax.random.PRNGKey(1), networks, builder.make_adder(client), learner
  )
  loop = acme.EnvironmentLoop(
    environment,
    actor,
    counter=counting.Counter(counter, 'actor'),
    logger=loggers.NoOpLogger(),
  )
  for _ in range(4):
    # What is logged stays extrinsic.
    returns = loop.run_episode()['episode_return']
    np.testing.assert_array_equal(list(returns.values()), [1.0, 3.0, -2.0])

  data = next(iterator).data
  none = [[0.0] * 3]  # Row of the last observation, which is no step.
  rows = {'reward': CASES[variant][1] + none, 'extrinsic': EXTRINSIC + none}
  actual = {'reward': data.reward, 'extrinsic': data.extras['extrinsic']}
  for name, of_episode in rows.items():
    np.testing.assert_allclose(
      actual[name][0], (of_episode * 4)[:11], rtol=1e-6, err_msg=name
    )
  assert not data.extras['influence'].any()
