"""Lists the paper's best hyper-parameters, by experiment, game and column.

The source is Jaques et al., 2019 (arXiv 1810.08647v4), supplement, Tables 1 to
3: the best settings of a random search. `settings` returns a column of a table
as fields of `InfluenceConfig`, `make_config` the configuration with it. Fields
that the tables leave open keep their defaults, see README.md of the agent.

The paper's comparisons have no table: eta is from its text, the weights of
inequity aversion are from Hughes et al., 2018 (arXiv 1803.08884), and the rest
is that of the actor-critic.

Printed C is in 10^6 environment steps: the paper gives no unit, but the first
author's own code turns the table's 226 into 226e6.
"""

import itertools
from collections.abc import Collection
from typing import Any

from influence_acme.system import config as config_lib

GAMES = ('cleanup', 'harvest')
# Experiment -> the columns of its table: the actor-critic, the same networks
# without and with a reward for influence; or other kinds of rewards.
EXPERIMENTS = {
  'basic': ('baseline', 'visible_actions', 'basic_influence'),
  'communication': ('baseline', 'comm_baseline', 'communication'),
  'moa': ('baseline', 'moa_baseline', 'moa'),
  'comparison': ('baseline', 'prosocial', 'inequity_aversion'),
}

_MILLION = 1_000_000
_SHARED = ('entropy_cost', 'learning_rate', 'learning_rate_end')


def _column(shared: tuple[float, float, float], **rest: Any) -> dict[str, Any]:
  """Returns a column, from shared rows and its own."""
  return dict(zip(_SHARED, shared, strict=True), **rest)


def _comparison(shared: tuple[float, float, float]) -> tuple[Any, ...]:
  """Returns the columns of the paper's comparisons."""
  return (
    _column(shared),
    _column(shared, prosocial_weight=0.85),
    _column(
      shared,
      inequity_behind=5.0,
      inequity_ahead=0.05,
      inequity_smoothing=0.975,
    ),
  )


_TABLES = {
  ('basic', 'cleanup'): (
    _column((1.76e-3, 1.26e-3, 1.2e-5)),
    _column(
      (1.76e-3, 1.26e-3, 1.2e-5), num_influencers=3, influence_weight=0.0
    ),
    _column(
      (2.48e-4, 1.07e-3, 4.2e-5),
      num_influencers=1,
      influence_weight=0.146,
      influence_curriculum_steps=140 * _MILLION,
      influence_measure='jsd',
      influencee_reward=True,
    ),
  ),
  ('basic', 'harvest'): (
    _column((6.87e-4, 1.36e-3, 2.8e-5)),
    _column(
      (1.84e-3, 2.15e-3, 1.3e-5), num_influencers=3, influence_weight=0.0
    ),
    _column(
      (2.5e-4, 1.07e-3, 4.2e-5),
      num_influencers=3,
      influence_weight=0.224,
      influence_curriculum_steps=140 * _MILLION,
      influence_measure='pmi',
      influencee_reward=False,
    ),
  ),
  ('communication', 'cleanup'): (
    _column((1.76e-3, 1.26e-3, 1.2e-5)),
    _column((2.49e-4, 2.23e-3, 2.2e-5), influence_weight=0.0),
    _column(
      (3.05e-3, 2.49e-3, 1.27e-5),
      influence_weight=2.752,
      message_extrinsic_weight=0.0,
      influence_curriculum_steps=1 * _MILLION,
      influence_measure='kl',
      message_entropy_cost=7.89e-4,
      message_loss_weight=0.0758,
      num_symbols=9,
      message_embedding_size=32,
    ),
  ),
  ('communication', 'harvest'): (
    _column((6.87e-4, 1.36e-3, 2.8e-5)),
    _column((1.74e-4, 1.37e-3, 1.27e-5), influence_weight=0.0),
    _column(
      (2.2e-3, 4.13e-4, 4.9e-5),
      influence_weight=4.825,
      message_extrinsic_weight=1.0,
      influence_curriculum_steps=8 * _MILLION,
      influence_measure='kl',
      message_entropy_cost=2.08e-3,
      message_loss_weight=0.0709,
      num_symbols=7,
      message_embedding_size=16,
    ),
  ),
  ('moa', 'cleanup'): (
    _column((1.76e-3, 1.26e-3, 1.2e-5)),
    _column(
      (1.76e-3, 1.23e-3, 1.2e-5),
      influence_weight=0.0,
      moa_loss_weight=1.312,
      moa_only_visible=False,
    ),
    _column(
      (1.76e-3, 1.23e-3, 1.2e-5),
      influence_weight=0.62,
      moa_loss_weight=15.007,
      influence_curriculum_steps=40 * _MILLION,
      influence_measure='kl',
      moa_only_visible=True,
    ),
  ),
  ('moa', 'harvest'): (
    _column((6.87e-4, 1.36e-3, 2.8e-5)),
    _column(
      (4.95e-3, 2.06e-3, 2.2e-5),
      influence_weight=0.0,
      moa_loss_weight=1.711,
      moa_only_visible=False,
    ),
    _column(
      (2.23e-3, 1.2e-3, 4.4e-5),
      influence_weight=2.521,
      moa_loss_weight=10.911,
      influence_curriculum_steps=226 * _MILLION,
      influence_measure='kl',
      moa_only_visible=True,
    ),
  ),
  ('comparison', 'cleanup'): _comparison((1.76e-3, 1.26e-3, 1.2e-5)),
  ('comparison', 'harvest'): _comparison((6.87e-4, 1.36e-3, 2.8e-5)),
}


def settings(experiment: str, game: str, variant: str) -> dict[str, Any]:
  """Returns a column of the paper's tables.

  Args:
    experiment: one of `EXPERIMENTS`.
    game: one of `GAMES`.
    variant: one of the experiment's columns.

  Returns:
    Field of `InfluenceConfig` -> value; C in environment steps.

  Raises:
    ValueError: the paper has no such column.
  """
  columns = EXPERIMENTS.get(experiment, ())
  if game not in GAMES or variant not in columns:
    known = '; '.join(
      f'{name}: {", ".join(columns)}' for name, columns in EXPERIMENTS.items()
    )
    raise ValueError(
      f'The paper has no column (experiment={experiment!r}, game={game!r}, '
      f'variant={variant!r}): games are {", ".join(GAMES)}, and variants by '
      f'experiment {known}.'
    )
  return dict(_TABLES[experiment, game][columns.index(variant)])


def make_config(
  experiment: str, game: str, variant: str, **overrides: Any
) -> config_lib.InfluenceConfig:
  """Returns the configuration with a column of the paper's tables.

  Args:
    experiment: one of `EXPERIMENTS`.
    game: one of `GAMES`.
    variant: one of the experiment's columns.
    **overrides: values of other fields.

  Returns:
    The configuration.

  Raises:
    ValueError: the paper has no such column, or a value is out of range.
  """
  column = settings(experiment, game, variant)
  return config_lib.InfluenceConfig(
    **{'variant': variant, **column, **overrides}
  )


def available() -> list[tuple[str, str, str]]:
  """Returns all (experiment, game, variant) that `make_config` takes."""
  return [
    (experiment, game, variant)
    for (experiment, variants), game in itertools.product(
      EXPERIMENTS.items(), GAMES
    )
    for variant in variants
  ]


def experiment_of(variants: Collection[str]) -> str:
  """Returns an experiment that has all given variants, preferably 'moa'.

  Args:
    variants: columns, or none.

  Raises:
    ValueError: no experiment has all of them.
  """
  for experiment in ('moa', *EXPERIMENTS):
    if set(variants) <= set(EXPERIMENTS[experiment]):
      return experiment
  raise ValueError(
    f'No experiment of the paper has all of {", ".join(variants)}: they have '
    + '; '.join(f'{k}: {", ".join(v)}' for k, v in EXPERIMENTS.items())
    + '.'
  )
