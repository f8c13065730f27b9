"""Variants train, and go on with what they have learned, in either face."""

import functools
from collections.abc import Mapping

import jax
import numpy as np
import pytest

from influence_acme import environments, programs
from influence_acme.agents import influence
from influence_acme.runs import checkpoint, csv_log
from influence_acme.system import presets

NUM_STEPS = 5_000
GAME = {'num_agents': 3, 'episode_length': 15}
# Each way to run goes on with what the other has saved, in either order.
_ORDERS = (('single', 'threads'), ('threads', 'single'))
# One of each experiment, and of each way to shape rewards.
_VARIANTS = (
  'visible_actions',
  'basic_influence',
  'communication',
  'moa',
  'inequity_aversion',
  'svo',
)
CASES = [
  (variant, presets.GAMES[i % 2], _ORDERS[i // 2 % 2])
  for i, variant in enumerate(_VARIANTS)
]


def _make_experiment(game, variant, **settings):
  config = influence.InfluenceConfig(
    variant=variant,
    hidden_size=8,
    influence_curriculum_steps=NUM_STEPS,
    unroll_length=10,
    batch_size=16,
    max_queue_size=32,
  )
  return programs.Experiment(
    builder_factory=functools.partial(influence.InfluenceBuilder, config),
    environment_factory=functools.partial(
      influence.make_environment, game, config, **GAME
    ),
    functional_environment=environments.functional(game, **GAME),
    network_factory=functools.partial(influence.make_networks, config=config),
    num_environments=16,
    **settings,
  )


@pytest.mark.slow
@pytest.mark.parametrize(('variant', 'game', 'launches'), CASES)
def test_five_thousand_steps_of_both_launches(
  tmp_path, variant, game, launches
):
  counts: Mapping[str, float] = {'environment_steps': 0, 'learner_steps': 0}
  for i, launch in enumerate(launches):
    # A run of threads overshoots: the next one goes on from where it ended.
    num_steps = int(counts['environment_steps']) + NUM_STEPS
    experiment = _make_experiment(
      game,
      variant,
      run_dir=tmp_path / 'run',
      num_steps=num_steps,
      resume=i > 0,
    )
    assert programs.launch(programs.make_program(experiment), launch) == 0
    saved = checkpoint.load(experiment.directory.checkpoint_path)
    assert saved.counts['environment_steps'] >= num_steps
    # 160 rows make a batch; in threads some are left when the run ends.
    assert saved.counts['learner_steps'] >= counts['learner_steps'] + 20
    counts = saved.counts
    for x in jax.tree_util.tree_leaves(saved.learner):
      assert np.isfinite(x).all()
  for name in ('learner', 'actor_0'):
    log = csv_log.read_log(experiment.directory.logs / f'{name}.csv')
    assert np.isfinite(
      log['loss' if name == 'learner' else 'collective_return']
    ).all()
