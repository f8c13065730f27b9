"""Tests of `python -m influence_acme.evaluate`, and of what it writes."""

import csv
import json

import numpy as np
import pytest
import saved_runs
from PIL import Image

from influence_acme import evaluate, playing
from influence_acme.playing import results
from influence_acme.runs import episode_record, pictures, run_dir


def make_evaluation(returns, influence=None):
  returns = np.array(returns, np.float32)
  lengths, nothing = np.full(len(returns), 6), None
  return playing.Evaluation(
    ('agent_0', 'agent_1'),
    returns,
    lengths,
    influence,
    film=nothing,  # type: ignore[arg-type]
    records=(),
  )


def test_intervals_by_hand():
  # Student's t of 2 degrees of freedom: 4.302653 on either side of 95%; the
  # deviation of 1, 2, 3 is 1, that of their sums with a constant too.
  found = results.intervals(make_evaluation([[1, 7], [2, 7], [3, 7]]))
  half = 4.302653 / np.sqrt(3)
  assert found['agent_0'] == {
    'mean': 2,
    'low': pytest.approx(2 - half),
    'high': pytest.approx(2 + half),
  }
  assert found['agent_1'] == {'mean': 7, 'low': 7, 'high': 7}
  assert found['collective']['low'] == pytest.approx(9 - half)


def test_one_episode_has_no_interval():
  one = make_evaluation([[1, 7]])
  assert results.intervals(one)['collective'] == {
    'mean': 8,
    'low': None,
    'high': None,
  }
  assert '8.00  [?, ?]' in results.to_text(one)


def test_text_names_who_influences_whom():
  matrix = np.array([[np.nan, 0.25], [0.125, np.nan]])
  lines = results.to_text(make_evaluation([[1, 7], [2, 7]], matrix)).split('\n')
  assert [line.split() for line in lines[-3:]] == [
    ['agent_0', 'agent_1'],
    ['agent_0', '-', '0.250000'],
    ['agent_1', '0.125000', '-'],
  ]


def test_prints_and_writes(save_run, capsys):
  run = save_run(saved_runs.make_config('moa'))
  assert evaluate.main([str(run), '--episodes=3', '--seed=2', '--greedy']) == 0
  printed = capsys.readouterr().out
  assert 'MatrixGame, episodes: 3' in printed and 'collective' in printed
  out = run / 'evaluation'
  expected = playing.evaluate(
    playing.load(run), num_episodes=3, seed=2, greedy=True
  )
  with open(out / 'returns.csv', newline='') as file:
    rows = list(csv.DictReader(file))
  assert [float(row['agent_1']) for row in rows] == list(expected.returns[:, 1])
  assert [int(row['length']) for row in rows] == [6, 6, 6]
  summary = json.loads((out / 'summary.json').read_text())
  assert summary['seed'] == 2 and summary['greedy'] is True
  assert summary['returns']['agent_0']['mean'] == pytest.approx(
    expected.returns[:, 0].mean()
  )
  read = pictures.read_influence_matrix(out / 'influence_matrix.png')
  assert read is not None
  agent_ids, matrix = read
  assert agent_ids == expected.agent_ids and expected.influence is not None
  np.testing.assert_allclose(matrix, expected.influence, rtol=1e-4)
  assert summary['influence_matrix']['agent_0']['agent_2'] == pytest.approx(
    expected.influence[0, 2]
  )
  Image.open(out / 'influence_matrix.png').verify()
  video = pictures.read_video(out / 'episode.gif')
  assert sum(count for _, count in video) == 7
  record = episode_record.read(run_dir.RunDirectory(out))
  assert record is not None and record.influence is not None
  np.testing.assert_allclose(
    record.rewards.sum(axis=0), expected.returns[0], rtol=1e-6
  )
  assert record.influence.shape == (6, 3, 3)


def test_an_optional_part_never_fails_the_evaluation(
  save_run, capsys, monkeypatch
):
  run = save_run(saved_runs.make_config('baseline'))

  def fail(*args):
    raise RuntimeError('no screen')

  monkeypatch.setattr(pictures, 'write_video', fail)
  assert evaluate.main([str(run), '--episodes=2']) == 0
  error = capsys.readouterr().err
  assert 'episode.gif is not written: RuntimeError: no screen' in error
  assert {path.name for path in (run / 'evaluation').iterdir()} >= {
    'returns.csv',
    'summary.json',
  }


def test_the_environment_of_a_run_may_be_named(save_run, capsys):
  run = save_run(saved_runs.make_config('baseline'))
  record = json.loads((run / 'config.json').read_text())
  record['config']['functional_environment'] = None
  (run / 'config.json').write_text(json.dumps(record))
  assert evaluate.main([str(run), '--episodes=1']) == 2
  error = capsys.readouterr().err
  assert (
    'does not say in which environment it was trained: give --game' in error
  )
  named = ['--game=matrix', '--num_agents=3', '--episode_length=4']
  assert evaluate.main([str(run), '--episodes=1', *named]) == 0
  assert 'MatrixGame, episodes: 1' in capsys.readouterr().out
  summary = json.loads((run / 'evaluation' / 'summary.json').read_text())
  assert summary['mean_length'] == 4


@pytest.mark.parametrize(
  ('arguments', 'message'),
  [
    (['--num_agents=2'], 'agent_ids of the environment is'),
    (['--checkpoint=none'], "no checkpoint 'none'"),
  ],
)
def test_errors_are_sentences(save_run, capsys, arguments, message):
  run = save_run(saved_runs.make_config('baseline'))
  assert evaluate.main([str(run), *arguments]) == 2
  assert message in capsys.readouterr().err


@pytest.mark.parametrize(
  ('arguments', 'message'),
  [
    (['RUN', '--episodes=0'], 'episodes is 0'),
    (['RUN', '--game=go'], "game is 'go'"),
    ([], 'RUN'),
  ],
)
def test_arguments_are_checked(capsys, arguments, message):
  with pytest.raises(SystemExit):
    evaluate.main(arguments)
  assert message in capsys.readouterr().err


def test_help_lists_the_options(capsys):
  with pytest.raises(SystemExit) as raised:
    evaluate.main(['--help'])
  assert raised.value.code == 0
  text = capsys.readouterr().out
  for word in ('RUN', '--episodes', '--greedy', '--seed', '95% t intervals'):
    assert word in text
