"""The presets are the paper's tables, copied here a second time, by hand."""

import dataclasses

import pytest

from influence_acme.system import config as config_lib
from influence_acme.system import presets

# Rows as printed; None where a column has no entry. Columns: Cleanup's three,
# then Harvest's three.
TABLE_1 = """
entropy_cost               .00176 .00176 .000248 .000687 .00184 .00025
learning_rate              .00126 .00126 .00107  .00136  .00215 .00107
learning_rate_end          1.2e-5 1.2e-5 4.2e-5  2.8e-5  1.3e-5 4.2e-5
num_influencers            None   3      1       None    3      3
influence_weight           None   0      .146    None    0      .224
influence_curriculum_steps None   None   140e6   None    None   140e6
influence_measure          None   None   jsd     None    None   pmi
influencee_reward          None   None   1       None    None   0
"""
TABLE_2 = """
entropy_cost               .00176 .000249 .00305  .000687 .000174 .00220
learning_rate              .00126 .00223  .00249  .00136  .00137  .000413
learning_rate_end          1.2e-5 2.2e-5  1.27e-5 2.8e-5  1.27e-5 4.9e-5
influence_weight           None   0       2.752   None    0       4.825
message_extrinsic_weight   None   None    0       None    None    1.0
influence_curriculum_steps None   None    1e6     None    None    8e6
influence_measure          None   None    kl      None    None    kl
message_entropy_cost       None   None    .000789 None    None    .00208
message_loss_weight        None   None    .0758   None    None    .0709
num_symbols                None   None    9       None    None    7
message_embedding_size     None   None    32      None    None    16
"""
TABLE_3 = """
entropy_cost               .00176 .00176 .00176 .000687 .00495 .00223
learning_rate              .00126 .00123 .00123 .00136  .00206 .00120
learning_rate_end          1.2e-5 1.2e-5 1.2e-5 2.8e-5  2.2e-5 4.4e-5
influence_weight           None   0      .620   None    0      2.521
moa_loss_weight            None   1.312  15.007 None    1.711  10.911
influence_curriculum_steps None   None   40e6   None    None   226e6
influence_measure          None   None   kl     None    None   kl
moa_only_visible           None   0      1      None    0      1
"""


def _number(text):
  try:
    return float(text)
  except ValueError:
    return text


@pytest.mark.parametrize(
  ('experiment', 'table'),
  [('basic', TABLE_1), ('communication', TABLE_2), ('moa', TABLE_3)],
)
def test_every_number_of_the_tables(experiment, table):
  rows = [line.split() for line in table.strip().splitlines()]
  keys = [
    (game, variant)
    for game in ('cleanup', 'harvest')
    for variant in presets.EXPERIMENTS[experiment]
  ]
  for column, (game, variant) in enumerate(keys, start=1):
    expected = {
      row[0]: _number(row[column]) for row in rows if row[column] != 'None'
    }
    assert presets.settings(experiment, game, variant) == expected


def test_settings_are_the_callers_own():
  presets.settings('moa', 'cleanup', 'moa')['influence_weight'] = 1e9
  assert presets.settings('moa', 'cleanup', 'moa')['influence_weight'] == 0.62


def test_configurations_have_the_settings():
  keys = presets.available()
  assert ('moa', 'harvest', 'moa') in keys
  assert {variant for _, _, variant in keys} >= {'baseline', 'moa_baseline'}
  for key in keys:
    config = presets.make_config(*key)
    assert config.variant == key[2]
    settings = presets.settings(*key)
    assert settings.items() <= dataclasses.asdict(config).items()


def test_overrides_win():
  config = presets.make_config(
    'moa', 'harvest', 'moa', influence_weight=1.0, batch_size=8
  )
  assert config == config_lib.InfluenceConfig(
    variant='moa',
    entropy_cost=0.00223,
    learning_rate=0.0012,
    learning_rate_end=4.4e-5,
    influence_weight=1.0,
    moa_loss_weight=10.911,
    influence_curriculum_steps=226_000_000,
    batch_size=8,
  )


def test_every_variant_of_the_paper_has_a_column_in_both_games():
  for game in presets.GAMES:
    columns = {v for _, g, v in presets.available() if g == game}
    assert columns == set(config_lib.VARIANTS) - {'svo'}


@pytest.mark.parametrize('game', presets.GAMES)
def test_what_the_paper_compares_itself_with(game):
  baseline = presets.settings('comparison', game, 'baseline')
  assert baseline == presets.settings('moa', game, 'baseline')
  assert presets.settings('comparison', game, 'prosocial') == {
    **baseline,
    'prosocial_weight': 0.85,
  }
  assert presets.settings('comparison', game, 'inequity_aversion') == {
    **baseline,
    'inequity_behind': 5,
    'inequity_ahead': 0.05,
    'inequity_smoothing': 0.975,
  }


@pytest.mark.parametrize(
  'key',
  [
    ('moa', 'cleanup', 'communication'),
    ('moa', 'box_trapped', 'moa'),
    ('moa2', 'cleanup', 'moa'),
  ],
)
def test_a_column_that_the_paper_lacks(key):
  with pytest.raises(ValueError, match='no column.*moa: baseline, moa_base'):
    presets.settings(*key)


@pytest.mark.parametrize(
  ('variants', 'experiment'),
  [
    ([], 'moa'),
    (['baseline'], 'moa'),
    (['communication'], 'communication'),
    (['baseline', 'visible_actions'], 'basic'),
    (['prosocial'], 'comparison'),
  ],
)
def test_the_experiment_that_has_the_variants(variants, experiment):
  assert presets.experiment_of(variants) == experiment


def test_variants_of_several_experiments():
  with pytest.raises(ValueError, match='all of moa, communication: they have'):
    presets.experiment_of(['moa', 'communication'])
