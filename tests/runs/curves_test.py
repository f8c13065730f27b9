"""Tests of the learning curves."""

import pathlib

import numpy as np
import pytest
from imageio import v3 as imageio
from matplotlib import figure as figure_lib

from influence_acme.runs import csv_log, curves, loggers, plot_specs, run_dir

STEPS = 'environment_steps'


def write_log(run, label, rows):
  run.logs.mkdir(parents=True, exist_ok=True)
  logger = csv_log.CSVLogger(run.logs / f'{label}.csv', STEPS)
  for row in rows:
    logger.write(loggers.flatten(row, STEPS))
  logger.close()


def actor_row(steps, num_agents):
  returns = {f'agent_{i}': float(i + steps) for i in range(num_agents)}
  return {STEPS: steps, 'episode_return': returns, 'equality': 0.5}


def more_of_an_actor():
  """Returns what environments and speakers have beyond these."""
  skipped = {'collective_return', 'episode_return', 'equality', *learner_row(0)}
  names = [p.name for p in plot_specs.PANELS if p.name not in skipped]
  return dict.fromkeys(names, 0.5)


def learner_row(steps):
  return {
    STEPS: steps,
    'influence': {'agent_0': 0.1, 'agent_1': float('nan')},
    'influence_weight': 0.5,
    'moa_accuracy': 0.5,
    'moa_loss': 2.0,
    'moa_calibration_error': 0.1,
    'policy_loss': 0.1,
    'value_loss': 1.0,
    'entropy': 2.0,
    'gradient_norm': 3.0,
  }


@pytest.fixture(name='run')
def _run(tmp_path):
  run = run_dir.RunDirectory(tmp_path / 'my_run')
  run.prepare()
  return run


@pytest.fixture(name='figures')
def _figures(monkeypatch):
  """Collects every figure that is drawn."""
  figures = []

  class Figure(figure_lib.Figure):
    def __init__(self, *args, **kwargs):
      super().__init__(*args, **kwargs)
      figures.append(self)

  monkeypatch.setattr(figure_lib, 'Figure', Figure)
  return figures


def titles(figure):
  return [a.get_title(loc='left') for a in figure.axes if a.axison]


def test_load_merges_nodes_by_steps(run):
  write_log(run, 'actor_0', [actor_row(10, 2), actor_row(30, 2)])
  write_log(run, 'actor_1', [actor_row(20, 2)])
  write_log(run, 'learner', [learner_row(15)])
  series = curves.load(run.logs)
  line = series['episode_return/agent_1']
  np.testing.assert_array_equal(line.steps, [10, 20, 30])
  np.testing.assert_array_equal(line.values, [11, 21, 31])
  np.testing.assert_array_equal(
    series['collective_return'].values, [21, 41, 61]
  )
  np.testing.assert_array_equal(series['moa_loss'].steps, [15])
  assert 'influence/agent_1' not in series  # It is NaN throughout.


def test_load_of_a_resumed_run(run):
  rows = [{STEPS: s, 'a': i} for i, s in enumerate([10, 20, 30, 20, 30])]
  write_log(run, 'learner', rows)
  line = curves.load(run.logs)['a']
  np.testing.assert_array_equal(line.steps, [10, 20, 20, 30])
  np.testing.assert_array_equal(line.values, [0, 1, 3, 4])


def test_smooth_by_hand():
  values = np.array([0.0, 3.0, 6.0, 0.0, 9.0])
  np.testing.assert_allclose(
    curves.smooth(values, 3), [1.5, 3.0, 3.0, 5.0, 4.5]
  )
  np.testing.assert_allclose(curves.smooth(values, 1), values)
  np.testing.assert_allclose(curves.smooth(values, 99), [3.6] * 5)


def test_every_measure_of_training_has_a_panel():
  text = (pathlib.Path(__file__).parents[2] / 'docs/metrics.md').read_text()
  rows = [line.split('|') for line in text.splitlines() if line[:3] == '| `']
  names = {
    row[1].strip(' `').split('/')[0]
    for row in rows
    if 'actor' in row[-2] or 'learner' in row[-2]
  }
  assert {'efficiency', 'fair_return', 'influence', 'moa_loss'} < names
  # Equality, 1 - Gini, stands for both; the dots for two names each.
  names -= {'gini', '..._coordination_influential'}
  assert names <= {panel.name for panel in plot_specs.PANELS}


def test_draws_everything_that_was_logged(run, figures):
  rows = [actor_row(10 * i, 12) | more_of_an_actor() for i in range(100)]
  write_log(run, 'actor', rows)
  write_log(run, 'learner', [learner_row(i) for i in range(1000)])
  curves.write_curves(run)
  (figure,) = figures
  assert titles(figure) == [panel.title for panel in plot_specs.PANELS]
  assert figure.get_suptitle() == 'my_run: 999 environment steps'
  (legend,) = figure.legends
  names = [text.get_text() for text in legend.get_texts()]
  assert names == [f'agent {i}' for i in range(12)]
  picture = imageio.imread(run.curves_path)
  assert min(picture.shape[:2]) > 500


@pytest.mark.parametrize('num_rows', [1, 2, 3, 24, 25])
def test_draws_a_short_run(run, figures, num_rows):
  write_log(run, 'actor', [actor_row(i, 2) for i in range(num_rows)])
  curves.write_curves(run)
  (figure,) = figures
  assert titles(figure) == [
    'Collective return',
    'Return of each agent',
    'Equality',
  ]
  line = figure.axes[0].get_lines()[-1]
  assert len(line.get_xdata()) == num_rows
  assert imageio.imread(run.curves_path).any()


def test_draws_a_run_that_logged_nothing(run, figures):
  curves.write_curves(run)
  assert not figures[0].axes
  assert imageio.imread(run.curves_path).any()


def test_draws_a_baseline_without_agents_by_name(run, figures):
  write_log(run, 'learner', [{STEPS: 0, 'value_loss': 1.0}])
  curves.write_curves(run)
  assert titles(figures[0]) == ['Value loss']
  assert not figures[0].legends


def test_draws_again_from_the_logs_alone(run):
  write_log(run, 'actor', [actor_row(i, 2) for i in range(30)])
  curves.write_curves(run)
  first = imageio.imread(run.curves_path)
  curves.write_curves(run_dir.RunDirectory(run.path))
  np.testing.assert_array_equal(imageio.imread(run.curves_path), first)


def test_a_schedule_is_drawn_as_it_is(run, figures):
  weights = np.minimum(np.arange(100) / 50, 1)
  rows = [{STEPS: i, 'influence_weight': w} for i, w in enumerate(weights)]
  write_log(run, 'learner', rows)
  curves.write_curves(run)
  (line,) = figures[0].axes[0].get_lines()
  np.testing.assert_allclose(line.get_ydata(), weights)


def test_a_series_knows_where_its_logs_end(run):
  nan = float('nan')
  rows = [{STEPS: 10 * i, 'equality': 0.5 if i < 3 else nan} for i in range(9)]
  write_log(run, 'actor', rows)
  write_log(run, 'learner', [{STEPS: 500, 'value_loss': 1.0}])
  series = curves.load(run.logs)['equality']
  np.testing.assert_array_equal(series.steps, [0, 10, 20])
  assert series.end == 80  # Not 500: another log, which lacks the column.


def test_a_dollar_in_the_name_of_a_run_is_no_mathematics(tmp_path, figures):
  run = run_dir.RunDirectory(tmp_path / 'lr$_{1$ 5$')
  run.prepare()
  logger = run.make_logger('learner')
  logger.write({'environment_steps': 5, 'entropy': 1.0})
  logger.close()
  curves.write_curves(run)
  assert run.curves_path.stat().st_size > 1000
  (figure,) = figures
  assert figure.get_suptitle() == 'lr$_{1$ 5$: 5 environment steps'
