"""Tests of what is shown while a run goes on."""

import io
import threading
import time

import pytest
from rich import console as console_lib

from influence_acme.runs import csv_log, progress, run_dir

STEPS = 'environment_steps'


def write_log(run, label, rows):
  run.logs.mkdir(parents=True, exist_ok=True)
  logger = csv_log.CSVLogger(run.logs / f'{label}.csv', STEPS)
  for row in rows:
    logger.write(row)
  logger.close()


def episode(steps, *returns):
  row = {f'episode_return/agent_{i}': r for i, r in enumerate(returns)}
  return {STEPS: steps, 'collective_return': sum(returns), **row}


@pytest.fixture(name='run')
def _run(tmp_path):
  return run_dir.RunDirectory(tmp_path)


@pytest.fixture(autouse=True)
def _fast(monkeypatch):
  monkeypatch.setattr(progress, '_LINE_SECONDS', 0.02)
  monkeypatch.setattr(progress, '_TABLE_SECONDS', 0.02)


def shown(run, num_steps=1000, terminal=False, seconds=0.1):
  """Returns all that is shown in a time."""
  file = io.StringIO()
  console = console_lib.Console(file=file, force_terminal=terminal, width=80)
  with progress.Progress([run], num_steps, console):
    time.sleep(seconds)
  return file.getvalue()


def test_status_of_a_run_without_logs(run):
  assert progress.read_status(run.logs) == progress.Status()
  write_log(run, 'learner', [])
  assert progress.read_status(run.logs) == progress.Status()


def test_status(run):
  write_log(run, 'actor_0', [episode(100, 1.0, 2.0), episode(300, 3.0, 4.0)])
  write_log(run, 'actor_1', [episode(200, 5.0, 0.0)])
  learner = {'influence/agent_0': 0.5, 'influence/agent_1': 0.25}
  write_log(
    run,
    'learner',
    [
      {STEPS: 50, **learner, 'moa_accuracy': 0.5, 'influence_weight': 9.0},
      {STEPS: 350, **learner},
    ],
  )
  assert progress.read_status(run.logs) == progress.Status(
    steps=350,
    collective_return=(3.0 + 7.0 + 5.0) / 3,
    returns={'agent_0': 3.0, 'agent_1': 2.0},
    influence=0.375,
    moa_accuracy=0.5,
  )


def test_status_averages_the_last_episodes(run):
  write_log(run, 'actor', [episode(i, float(i)) for i in range(100)])
  # Episodes 80 to 99.
  assert progress.read_status(run.logs).collective_return == 89.5


def test_speed_is_measured_between_changes():
  speedometer = progress.Speedometer()
  # The first steps end the compilation, not a stretch of work.
  assert speedometer.update(0.0, 0) is None
  assert speedometer.update(30.0, 100) is None
  assert speedometer.update(32.0, 100) is None
  assert speedometer.update(40.0, 300) == 20.0
  assert speedometer.update(45.0, 300) == 20.0
  assert speedometer.update(50.0, 400) == 15.0


def test_speed_is_that_of_the_last_minute():
  speedometer = progress.Speedometer()
  for now, steps in [(0, 0), (1, 10), (2, 1010), (62, 1610)]:
    speedometer.update(now, steps)
  assert speedometer.update(122.0, 2210) == 10.0


def test_speed_begins_anew_when_a_run_goes_back_to_its_checkpoint():
  speedometer = progress.Speedometer()
  for now, steps in [(0, 900), (20, 500)]:
    assert speedometer.update(now, steps) is None
  assert speedometer.update(21.0, 600) is None
  assert speedometer.update(22.0, 700) == 100.0


def test_words():
  status = progress.Status(
    steps=12_000,
    collective_return=6.25,
    returns={'agent_0': 4.0, 'agent_1': 2.25},
    influence=0.01234,
    moa_accuracy=0.6,
  )
  assert progress.describe(status, 20_000, 400.0) == {
    'steps': '12,000 of 20,000 (60%)',
    'speed': '400 steps/s',
    'time left': '0:00:20',
    'collective return': '6.2',
    'agent_0': '4.0',
    'agent_1': '2.2',
    'influence': '0.0123 nats/step',
    'MOA accuracy': '60%',
  }


def test_words_before_anything_is_known_and_after_the_end():
  empty = progress.describe(progress.Status(), 100, None)
  assert empty == {'steps': '0 of 100 (0%)'}
  over = progress.describe(progress.Status(steps=120), 100, 10.0)
  assert over['steps'] == '120 of 100 (100%)'
  assert over['time left'] == '0:00:00'


def test_lines(run):
  write_log(run, 'actor', [episode(100, 1.0, 2.0)])
  lines = shown(run).splitlines()
  assert len(lines) > 1
  assert lines[0] == (
    'steps 100 of 1,000 (10%) | collective return 3.0 | agent_0 1.0 | '
    'agent_1 2.0'
  )


def test_the_last_line_shows_the_end(run):
  write_log(run, 'actor', [episode(100, 1.0)])
  file = io.StringIO()
  with progress.Progress([run], 1000, console_lib.Console(file=file)):
    write_log(run, 'actor', [episode(1000, 1.0)])
  assert file.getvalue().splitlines()[-1].startswith('steps 1,000 of 1,000')


def test_table(run):
  write_log(run, 'actor', [episode(100, 1.0, 2.0)])
  text = shown(run, terminal=True)
  assert '100 of 1,000 (10%)' in text
  assert 'agent_1' in text
  # The cursor is never left hidden, even if the process is killed.
  assert text.rindex('\x1b[?25h') > text.rindex('\x1b[?25l')


def test_a_log_that_is_being_written(run):
  write_log(run, 'actor', [episode(100, 1.0)])
  with open(run.logs / 'actor.csv', 'a') as file:
    file.write('200,')
  assert progress.read_status(run.logs).steps == 100


@pytest.mark.parametrize('terminal', [False, True])
def test_what_goes_wrong_does_not_end_the_run(run, monkeypatch, terminal):
  def fail(_):
    raise RuntimeError('Something is wrong.')

  monkeypatch.setattr(progress, 'read_status', fail)
  shown(run, terminal=terminal)  # Does not raise.
  assert 'progress' not in [t.name for t in threading.enumerate()]


def test_a_closed_terminal_does_not_end_the_run(run):
  class Closed(io.StringIO):
    def write(self, text):
      raise BrokenPipeError

  with progress.Progress([run], 10, console_lib.Console(file=Closed())):
    time.sleep(0.05)


def test_an_error_in_the_block_is_passed_on(run):
  console = console_lib.Console(file=io.StringIO())
  with pytest.raises(KeyError), progress.Progress([run], 10, console):
    raise KeyError
