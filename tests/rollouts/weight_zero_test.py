"""Influence that weighs nothing changes nothing: runs are equal by the bit."""

import functools

import numpy as np
import pytest
import tree

from influence_acme import environments, programs
from influence_acme.agents import influence
from influence_acme.runs import checkpoint

GAME = {'num_agents': 3, 'num_actions': 3, 'episode_length': 7}


def _run(run_dir, variant):
  """Returns parameters, optimisers, environments and the waiting batch."""
  config = influence.InfluenceConfig(
    variant=variant,
    hidden_size=8,
    influence_weight=0.0,
    unroll_length=5,
    batch_size=3,
  )
  experiment = programs.Experiment(
    builder_factory=functools.partial(influence.InfluenceBuilder, config),
    environment_factory=functools.partial(
      influence.make_environment, 'coordination', config, **GAME
    ),
    network_factory=functools.partial(influence.make_networks, config=config),
    num_steps=120,
    num_environments=3,
    functional_environment=environments.functional('coordination', **GAME),
    run_dir=run_dir,
  )
  assert programs.launch(programs.make_program(experiment), 'single') == 0
  return checkpoint.load(experiment.directory.checkpoint_path)


@pytest.mark.slow
@pytest.mark.parametrize(
  'unpaid, paid',
  [
    ('visible_actions', 'basic_influence'),
    ('comm_baseline', 'communication'),  # Its alpha is 1 by default.
    ('moa_baseline', 'moa'),
  ],
)
def test_weight_zero_equals_the_baseline(tmp_path, unpaid, paid):
  expected = _run(tmp_path / 'unpaid', unpaid)
  actual = _run(tmp_path / 'paid', paid)
  assert actual.counts['learner_steps'] >= 5
  assert {name.split("']")[0] for name in actual.rollout} == {
    "['rollout",
    "['batch",
    "['episodes",
  }
  paths, values = zip(*tree.flatten_with_path(vars(expected)), strict=True)
  for path, x, y in zip(paths, tree.flatten(vars(actual)), values, strict=True):
    if 'walltime' not in str(path):
      np.testing.assert_array_equal(x, y, err_msg=str(path))
