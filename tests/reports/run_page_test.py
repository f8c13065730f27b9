"""Tests of the page of a run, of files that are written by hand."""

import dataclasses
import json

import jax
import numpy as np
import pytest

from influence_acme import environments, reports
from influence_acme.reports import __main__ as command
from influence_acme.runs import (
  csv_log,
  episode_record,
  packed_film,
  pictures,
  run_dir,
)


def test_a_page_of_everything(make_run, write_logs, make_episode, read_page):
  run = make_run()
  write_logs(run)
  episode_record.write(run, make_episode())
  assert reports.write(run.path) == run.path / 'report.html'
  page = read_page(run.report_path)
  text = page.text
  assert 'moa in cleanup, seed 7, 4,000 steps' in text
  assert 'its logs reach 4,000 of 4,000 environment steps.' in text
  # The last 5% of 4000 steps: from 3800 on, rows 38 to 40, of 2 i.
  assert 'Collective return, reward per episode 78.0 6.0' in text
  assert 'Equality, 1 - Gini 1.000 ' in text
  assert 'Apples, eaten per episode 5.0 7 ' in text
  assert 'Waste cleaned, cells per episode not logged not recorded' in text
  assert 'Fining beams, fired per episode not logged 3 ' in text
  assert 'Influential steps, share not logged 25.0%' in text
  assert 'Action to action, coordination, nats 0.250 0.500' in text
  assert 'Speaker consistency' not in text and 'Opened boxes' not in text
  # (0.1 + 0.3) / 2 in training; (0.5 + 3 + 1) / 12 in the episode.
  assert 'Influence, nats per step 0.2 0.375' in text
  assert 'MOA accuracy, of next actions 50.0% not recorded' in text
  # 4000 steps in 200 seconds.
  assert 'Environment steps per second 20 –' in text
  assert 'Wall time 0:03:20 –' in text
  assert '&lt;b&gt;' in run.report_path.read_text('utf-8')
  assert '--note=<b> & "x"' in text
  assert 'agent.discount 0.99' in text
  assert all(url.startswith('#') for url in page.urls)


def test_curves_film_traces_and_stills(
  make_run, write_logs, make_episode, page_of
):
  run = make_run()
  write_logs(run)
  episode = make_episode()
  page = page_of(run, episode)
  assert sum('over environment' in name for name in page.charts) == 9
  assert sum('over step of the epi' in name for name in page.charts) == 2
  # The pixels of the video, and each step has a frame.
  video = [x for x, _ in pictures.read_video(run.video_path)]
  np.testing.assert_array_equal(page.film, video)
  assert len(video) == len(episode.frames) == 7
  # Step 2 alone: the other maximum is closer than 20 steps.
  assert page.stills == [
    f'The map and all views, moment 1, {x}'
    for x in ('before', 'then', 'one step later')
  ]


def test_a_moment_in_words(make_run, make_episode, page_of):
  run = make_run()
  text = page_of(run, make_episode()).text.replace('\N{NO-BREAK SPACE}', ' ')
  assert (
    'Agent 1 does “fire”. That changes what agent 0 does next by 3 nats: it '
    'does “stay”.' in text
  )
  assert 'agent 0 3 3 stay (67%)' in text
  # Means over six steps: 0.5 / 6 and 4 / 6.
  assert 'in nats a step, by KL. ' in text
  assert 'of ↓ on → agent 0 agent 1 agent 0 0.083 agent 1 0.67 ' in text


def test_names_of_agents_keep_their_capitals(make_run, make_episode, page_of):
  run = make_run()
  names = ('agent_0', 'redMcKay')
  episode_record.write(
    run, dataclasses.replace(make_episode(), agent_ids=names)
  )
  assert ' RedMcKay does “fire”. ' in page_of(run).text


def test_influence_at_once_and_by_messages(make_run, make_episode, page_of):
  run = make_run(agent={'variant': 'basic_influence'})
  page = page_of(run, make_episode(messages=True))
  text = page.text.replace('\N{NO-BREAK SPACE}', ' ')
  # Messages count up, of both agents in turn: 5 is agent 1's in step 2.
  assert (
    'Agent 1 says 5. That changes what agent 0 does at the same time by 3 '
    'nats: it does “clean”.' in text
  )
  assert 'different messages' in text
  assert 'symbol for each action not logged 0.750 (scrambled: 0.125)' in text
  assert (
    'Message to action, coordination, nats not logged 1.500 (scrambled: 0.062)'
    in text
  )
  assert 'nats not logged undefined (scrambled: undefined)' in text


def test_a_baseline_has_no_influence(
  make_run, write_logs, make_episode, page_of
):
  run = make_run(agent={'variant': 'baseline'})
  write_logs(run, influence=False)
  text = page_of(run, make_episode(influence=False)).text
  assert text.count('No influence was measured in the recorded episode') == 1
  assert 'Influence, nats per step not logged not recorded' in text
  assert 'MOA accuracy' not in text and 'calibration' not in text


def test_a_run_that_has_only_begun(make_run, page_of):
  run = make_run()
  page = page_of(run)
  assert 'moa in cleanup, seed 7, 0 steps' in page.text
  assert 'Nothing was logged yet' in page.text
  assert page.text.count('No episode was recorded yet') == 1
  assert page.charts == [] and page.film is None


def test_a_run_that_failed(make_run, write_logs, page_of):
  run = make_run()
  write_logs(run)
  run.failure_path.write_text('ValueError: a < b\n', encoding='utf-8')
  text = page_of(run).text
  assert 'failed; its logs reach 4,000 of 4,000 environment steps' in text
  assert 'ValueError: a < b' in text


def test_a_resumed_run_says_what_was_changed(make_run, page_of):
  run = make_run()
  run.write_config({'seed': 8})
  text = page_of(run).text
  assert 'resumed times: 1' in text
  assert '"seed": [ 7, 8 ]' in text


def test_settings_are_those_of_the_last_start(make_run, page_of):
  run = make_run()
  make_run(num_steps=9000, agent={'variant': 'moa', 'discount': 0.9})
  text = page_of(run).text
  assert 'its logs reach 0 of 9,000 environment steps' in text
  assert 'agent.discount 0.9 ' in text and 'num_steps 9000' in text
  assert 'moa in cleanup, seed 7' in text


@pytest.mark.parametrize('started', [{}, {'started': 3}, {'started': 'today'}])
def test_a_run_that_recorded_little(make_run, page_of, started):
  run = make_run()
  config = {'variant': 'moa', 'seed': 2}
  record = {**started, 'config': config, 'resumed': [{'config': config}]}
  run.config_path.write_text(json.dumps(record), encoding='utf-8')
  text = page_of(run).text
  assert 'a_run: started at a time that is not recorded; its logs' in text
  assert 'moa in an unnamed environment, seed 2' in text
  assert 'python not recorded' in text


@pytest.mark.parametrize('content', ['[]', '{}', '{"config": [', '[[]]'])
def test_what_is_no_configuration_ends_the_command(make_run, content, capsys):
  run = make_run()
  run.config_path.write_text(content, encoding='utf-8')
  assert command.main(['reports', str(run.path)]) == 2
  assert f'{run.config_path} is not ' in capsys.readouterr().err


def test_a_page_that_cannot_be_written_ends_the_command(make_run, capsys):
  run = make_run()
  run.report_path.mkdir()
  assert command.main(['reports', str(run.path)]) == 2
  assert str(run.report_path) in capsys.readouterr().err


def test_an_episode_of_an_older_version(make_run, make_episode, page_of):
  run = make_run(environment=None)
  episode_record.write(run, make_episode())
  run.episode_path.unlink()
  page = page_of(run)
  assert 'moa in an unnamed environment' in page.text
  assert page.text.count('Only means of this episode were kept') == 1
  assert 'of ↓ on →' in page.text
  assert page.film is not None


def test_an_episode_that_could_not_be_filmed(make_run, make_episode, page_of):
  run = make_run()
  page = page_of(run, make_episode(frames=False))
  assert 'There is no film of this episode.' in page.text
  assert len(page.charts) == 2  # The traces.


def test_nobody_influenced_anybody(make_run, make_episode, page_of):
  run = make_run()
  episode = make_episode()
  assert episode.influence is not None
  episode.influence[:] *= 0
  assert 'by more than 0 nats in a step' in page_of(run, episode).text


@pytest.mark.parametrize('exists', [True, False])
def test_a_folder_without_a_run(tmp_path, exists):
  folder = tmp_path / 'nothing'
  if exists:
    folder.mkdir()
  with pytest.raises(FileNotFoundError, match='nothing.*--run_dir'):
    reports.write(folder)


def test_the_command(make_run, tmp_path, capsys):
  run = make_run()
  assert command.main(['reports', str(run.path)]) == 0
  assert capsys.readouterr().out == f'{run.report_path}\n'
  assert command.main(['reports', str(tmp_path)]) == 2
  assert 'name the directory that a run' in capsys.readouterr().err


@pytest.mark.parametrize('arguments', [(), ('',), ('a', '')])
def test_the_command_says_how_it_is_used(arguments, capsys):
  assert command.main(['reports', *arguments]) == 2
  assert 'make report RUN=' in capsys.readouterr().err


@pytest.mark.parametrize(
  ('mixed', 'when', 'reply'),
  [
    (['moa', 'basic_influence'], 'at the same time', 'clean'),
    (['basic_influence', 'moa'], 'next', 'stay'),
  ],
)
def test_a_population_of_several_variants(
  make_run, make_episode, page_of, mixed, when, reply
):
  """Influence of agent 1 in step 2 shows by its own variant."""
  run = make_run(agent={'variant': mixed})
  text = page_of(run, make_episode()).text
  assert f'{mixed[0]} and {mixed[1]} in ' in text
  assert f' {when} by 3 nats: it does “{reply}”' in text


def test_what_is_noise_is_said_to_be(make_run, make_episode, page_of):
  run = make_run()
  episode = make_episode()
  assert episode.influence is not None
  # Of three actions, 1% of log 3 is 0.011: from 3 to 0.009.
  episode.influence[:] *= 0.003
  text = page_of(run, episode).text
  assert 'by more than 0.009 nats in a step, below 1% of log A, 0.011' in text
  assert 'Moments of most influence' not in text
  source = run.report_path.read_text('utf-8')
  assert source.count('class="noise"') == 2
  # White on every page: the scale does not follow the largest number.
  assert source.count('#08488c 0%') == 2


def test_equality_is_of_agents_above_zero(make_run, make_episode, page_of):
  run = make_run()
  log = csv_log.CSVLogger(run.logs / 'actor_0.csv', 'environment_steps')
  # Only in the first row both have something.
  for step, own in ((100, 1.0), (200, -1.0), (300, -3.0)):
    row = {'environment_steps': step, 'episode_return/agent_0': own}
    share = 0.5 if own > 0 else np.nan
    log.write({**row, 'equality': share, 'fair_return': 4 * share})
  log.close()
  episode = make_episode()
  episode.rewards[0, 0] = -50
  page = page_of(run, episode)
  debts = 'undefined, returns below 0'
  assert f'Equality, 1 - Gini {debts} {debts}' in page.text
  assert 'Equality over environment steps' in page.charts


def test_equality_that_never_was_is_said_to_be_undefined(make_run, page_of):
  run = make_run()
  log = csv_log.CSVLogger(run.logs / 'actor_0.csv', 'environment_steps')
  row = {'environment_steps': 100, 'episode_return/agent_0': -1.0}
  log.write({**row, 'equality': np.nan, 'fair_return': np.nan})
  log.close()
  page = page_of(run)
  assert 'Equality, 1 - Gini undefined, returns below 0' in page.text
  assert 'Equality over environment steps' not in page.charts


def test_an_episode_of_an_evaluation(make_run, make_episode, page_of):
  run = make_run()
  folder = run_dir.RunDirectory(run.path / 'evaluation')
  folder.path.mkdir()
  episode_record.write(folder, make_episode())
  page = page_of(run)
  assert page.film is not None and len(page.stills) == 3


def test_text_of_users_is_escaped(make_run, make_episode, page_of, tmp_path):
  name = '<script>alert(1)</script>'
  run = make_run(tmp_path / '<script>alert(2)<&"', environment=name)
  episode = make_episode()
  episode = dataclasses.replace(episode, agent_ids=(name, '<b>"&\''))
  page = page_of(run, episode)
  assert f'moa in {name}' in page.text
  assert '<script>alert(2)<&"' in page.text
  source = run.report_path.read_text('utf-8')
  assert '<script>alert' not in source
  assert source.count('<script>') == 1


def test_a_key_names_what_a_film_shows(make_run, make_episode, page_of):
  game = environments.functional('cleanup_small', num_agents=2)
  state, _ = game.reset(jax.random.PRNGKey(0))
  run = make_run()
  episode = dataclasses.replace(make_episode(), frames=[game.render(state)])
  text = page_of(run, episode).text
  # White is also that of numbers.
  assert ' floor wall water waste cleaning beam agent 0 agent 1 ' in text
  # As people see it, and as agents do.
  source = run.report_path.read_text('utf-8')
  assert (
    'background:#6E481E"></i><i style="background:#639CC2"></i>wa' in source
  )


def test_a_page_is_small(make_run, make_episode, monkeypatch):
  """Noise takes more room than any map: frames are left out."""
  monkeypatch.setattr(packed_film, '_MOST_BYTES', 60_000)
  run = make_run()
  random = np.random.default_rng(0)
  frames = list(random.integers(0, 256, (24, 64, 64, 3), np.uint8))
  episode = dataclasses.replace(make_episode(), frames=frames)
  episode_record.write(run, episode)
  reports.write(run.path)
  assert run.report_path.stat().st_size < 60_000 * 4 / 3 + 60_000
  source = run.report_path.read_text('utf-8')
  assert 'To keep this page small, one step in' in source


def test_several_runs_on_one_page(make_run, write_logs, read_page, tmp_path):
  first, second = (
    make_run(tmp_path / 'runs' / name, seed=seed)
    for name, seed in (('a_1', 7), ('b_2', 8))
  )
  write_logs(first)
  write_logs(second, influence=False)
  path = reports.write(first.path, second.path)
  assert path == tmp_path / 'runs' / 'comparison.html'
  page = read_page(path)
  assert '2 runs: a_1, b_2' in page.text
  assert 'Collective return, reward per episode 78.0 78.0' in page.text
  assert 'Influence, nats per step 0.2 not logged' in page.text
  # Apples of both agents, 2 + 3, in each row.
  assert 'Apples, eaten per episode 5.0 5.0' in page.text
  assert 'Settings that differ a_1 b_2 seed 7 8 ' in page.text
  assert 'agent.discount' not in page.text
  for name in 'a_1', 'b_2':
    assert f'{name}/report.html' in page.urls
    assert (tmp_path / 'runs' / name / 'report.html').exists()
  assert {name for name, _ in page.lines} == {'a_1', 'b_2'}
  assert len({colour for _, colour in page.lines}) == 2
  page = read_page(first.report_path)
  assert {'Collective return', 'agent\N{NO-BREAK SPACE}0'} < {
    name for name, _ in page.lines
  }


def test_a_run_is_compared_with_others_alone(make_run, tmp_path):
  run = make_run()
  with pytest.raises(ValueError, match='named twice'):
    reports.write(run.path, run.path)
  with pytest.raises(FileNotFoundError, match='nothing is no directory'):
    reports.write(run.path, tmp_path / 'nothing')
