"""Tests of the page of a run, of files that are written by hand."""

import pytest

from influence_acme import reports
from influence_acme.programs import evaluation
from influence_acme.reports import __main__ as command


def test_a_page_of_everything(make_run, write_logs, make_episode, read_page):
  run = make_run()
  write_logs(run)
  evaluation.write(run, make_episode())
  assert reports.write(run.path) == run.path / 'report.html'
  page = read_page(run.report_path)
  text = page.text
  assert 'moa in cleanup, seed 7, 4,000 steps' in text
  assert 'its logs reach 4,000 of 4,000 environment steps.' in text
  # The last 5% of 4000 steps: from 3800 on, rows 38 to 40, of 2 i.
  assert 'Collective return 78.0 6.0' in text
  assert 'Equality, 1 − Gini 1.000 ' in text
  assert 'Apples 5.0 7 ' in text
  assert 'Waste cleaned not logged not recorded' in text
  assert 'Fining beams not logged 3 ' in text
  assert 'Share of influential steps not logged 25.0%' in text
  assert 'Coordination, action to action, nats 0.250 0.500' in text
  assert 'MOA calibration error not logged 12.5%' in text
  assert 'Speaker consistency' not in text and 'Opened boxes' not in text
  # (0.1 + 0.3) / 2 in training; (0.5 + 3 + 1) / 12 in the episode.
  assert 'Influence, nats a step 0.2 0.375' in text
  assert 'MOA accuracy 50.0% 62.5%' in text
  # 4000 steps in 200 seconds.
  assert 'Environment steps per second 20 –' in text
  assert 'Wall time 0:03:20 –' in text
  assert '&lt;b&gt;' in run.report_path.read_text('utf-8')
  assert '--note=<b> & "x"' in text
  assert 'agent.discount 0.99' in text
  assert all(url.startswith('#') for url in page.urls)


def test_curves_film_traces_and_stills(
  make_run, write_logs, make_episode, read_page
):
  run = make_run()
  write_logs(run)
  evaluation.write(run, make_episode())
  reports.write(run.path)
  pictures = read_page(run.report_path).pictures
  curves = [image for name, image in pictures if 'over environment' in name]
  assert len(curves) == 9
  assert [name for name, _ in pictures if 'over their confidence' in name]
  (film,) = [image for name, image in pictures if name.startswith('Film')]
  assert film.format == 'GIF' and film.n_frames == 7
  traces = [name for name, _ in pictures if 'over the episode' in name]
  assert len(traces) == 2
  # Step 2 alone: the other maximum is closer than 20 steps.
  stills = [image for name, image in pictures if 'moment 1' in name]
  assert [image.size for image in stills] == [(40, 30)] * 3
  assert not any('moment 2' in name for name, _ in pictures)


def test_a_moment_in_words(make_run, make_episode, read_page):
  run = make_run()
  evaluation.write(run, make_episode())
  reports.write(run.path)
  text = read_page(run.report_path).text.replace('\N{NO-BREAK SPACE}', ' ')
  assert (
    'Agent 1 does “fire”. That changes what agent 0 does next by 3 nats: it '
    'does “stay”.' in text
  )
  assert 'agent 0 3 3 stay (67%)' in text
  # Means over six steps: 0.5 / 6 and 4 / 6.
  assert 'in nats a step, by KL. of ↓ on → agent 0 agent 1' in text
  assert 'agent 0 0.08 agent 1 0.67' in text.replace('  ', ' ')


def test_influence_at_once_and_by_messages(make_run, make_episode, read_page):
  run = make_run(agent={'variant': 'basic_influence'})
  evaluation.write(run, make_episode(messages=True))
  reports.write(run.path)
  text = read_page(run.report_path).text.replace('\N{NO-BREAK SPACE}', ' ')
  # Messages count up, of both agents in turn: 5 is agent 1's in step 2.
  assert (
    'Agent 1 says 5. That changes what agent 0 does at the same time by 3 '
    'nats: it does “clean”.' in text
  )
  assert 'different messages' in text
  assert 'Speaker consistency not logged 0.750 (scrambled: 0.125)' in text
  assert 'action, nats not logged 1.500 (scrambled: 0.062)' in text
  assert 'steps not logged undefined (scrambled: undefined)' in text


def test_a_baseline_has_no_influence(
  make_run, write_logs, make_episode, read_page
):
  run = make_run(agent={'variant': 'baseline'})
  write_logs(run, influence=False)
  evaluation.write(run, make_episode(influence=False))
  reports.write(run.path)
  text = read_page(run.report_path).text
  assert text.count('No influence was measured in the recorded episode') == 1
  assert 'Influence, nats a step not logged not recorded' in text
  assert 'MOA accuracy' not in text and 'calibration' not in text


def test_a_run_that_has_only_begun(make_run, read_page):
  run = make_run()
  reports.write(run.path)
  page = read_page(run.report_path)
  assert 'moa in cleanup, seed 7, 0 steps' in page.text
  assert 'Nothing was logged yet' in page.text
  assert page.text.count('No episode was recorded yet') == 2
  assert page.pictures == []


def test_a_run_that_failed(make_run, write_logs, read_page):
  run = make_run()
  write_logs(run)
  run.failure_path.write_text('ValueError: a < b\n', encoding='utf-8')
  reports.write(run.path)
  text = read_page(run.report_path).text
  assert 'failed; its logs reach 4,000 of 4,000 environment steps' in text
  assert 'ValueError: a < b' in text


def test_a_resumed_run_says_what_was_changed(make_run, read_page):
  run = make_run()
  run.write_config({'seed': 8})
  reports.write(run.path)
  text = read_page(run.report_path).text
  assert 'resumed times: 1' in text
  assert '"seed": [ 7, 8 ]' in text


def test_an_episode_of_an_older_version(make_run, make_episode, read_page):
  run = make_run(environment=None)
  evaluation.write(run, make_episode())
  run.episode_path.unlink()
  reports.write(run.path)
  page = read_page(run.report_path)
  assert 'moa in an unnamed environment' in page.text
  assert page.text.count('Only means of this episode were kept') == 1
  assert 'of ↓ on →' in page.text
  assert len(page.pictures) == 1


def test_an_episode_that_could_not_be_filmed(make_run, make_episode, read_page):
  run = make_run()
  evaluation.write(run, make_episode(frames=False))
  reports.write(run.path)
  page = read_page(run.report_path)
  assert 'There is no film of this episode.' in page.text
  assert len(page.pictures) == 3  # The traces, and what agents foresee.


def test_nobody_influenced_anybody(make_run, make_episode, read_page):
  run = make_run()
  episode = make_episode()
  assert episode.influence is not None
  episode.influence[:] *= 0
  evaluation.write(run, episode)
  reports.write(run.path)
  assert 'Nobody influenced anybody' in read_page(run.report_path).text


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


@pytest.mark.parametrize('arguments', [(), ('',), ('a', 'b')])
def test_the_command_says_how_it_is_used(arguments, capsys):
  assert command.main(['reports', *arguments]) == 2
  assert 'make report RUN=' in capsys.readouterr().err


def test_a_population_of_several_variants(make_run, make_episode, read_page):
  mixed = ['basic_influence', 'baseline', 'basic_influence']
  run = make_run(agent={'variant': mixed})
  evaluation.write(run, make_episode())
  reports.write(run.path)
  text = read_page(run.report_path).text
  assert 'basic_influence and baseline in ' in text
  assert ' at the same time by ' in text
