"""What is checked before a program starts, and what a user reads after it."""

import functools
import json
import os
import shutil
import signal
from concurrent import futures

import pytest
import toy
import variant_program

from influence_acme import programs
from influence_acme.agents import influence
from influence_acme.runs import lock, run_dir

# The fused trainer takes other agents than Launchpad's nodes do.
_MAKE = {
  'threads': toy.make_experiment,
  'processes': toy.make_experiment,
  'single': toy.make_trainable,
}


def _launch(run_dir, launch='threads', **overrides):
  experiment = _MAKE[launch](run_dir, **overrides)
  return programs.launch(programs.make_program(experiment), launch)


@pytest.fixture(scope='module')
def finished(tmp_path_factory):
  """Finished runs of one step, by the function that makes their experiment."""
  runs = {}
  for launch in ('threads', 'single'):
    path = tmp_path_factory.mktemp(launch) / 'run'
    assert _launch(path, launch, num_steps=1, config={'colour': 'green'}) == 0
    runs[_MAKE[launch]] = path
  return runs


@pytest.fixture
def copy(finished, tmp_path):
  """Copies the finished run of a launch, and returns the copy's path."""

  def copy(launch):
    return shutil.copytree(finished[_MAKE[launch]], tmp_path / 'run')

  return copy


def test_the_graph_has_all_nodes(tmp_path):
  experiment = toy.make_experiment(tmp_path / 'run', num_actors=3)
  program = programs.make_program(experiment)
  groups = {
    label: [node.name for node in nodes]
    for label, nodes in program.graph.groups.items()
  }
  assert groups == {
    'replay': ['replay'],
    'learner': ['learner'],
    'actor': ['actor_0', 'actor_1', 'actor_2'],
  }
  assert not (tmp_path / 'run').exists()  # Nothing is started.


def test_what_is_vectorised_keeps_products_whole(tmp_path, monkeypatch):
  monkeypatch.delenv('NPROC', raising=False)
  make = variant_program.make_experiment
  programs.make_program(make('moa', 0, tmp_path / 'run'))
  assert 'NPROC' not in os.environ  # Acme's other agents may use all cores.
  programs.make_program(make('moa', 2, tmp_path / 'run'))
  assert os.environ['NPROC'] == '1'


def test_an_unknown_launch(tmp_path):
  with pytest.raises(ValueError, match="'threats'.*threads, processes, single"):
    experiment = toy.make_experiment(tmp_path / 'run')
    programs.launch(programs.make_program(experiment), 'threats')
  assert not (tmp_path / 'run').exists()


def test_the_fused_trainer_refuses_agents_of_others(tmp_path):
  experiment = toy.make_experiment(tmp_path / 'run')
  program = programs.make_program(experiment)
  with pytest.raises(
    ValueError, match="'single'.*not of ToyBuilder.*'threads' or 'processes'"
  ):
    programs.launch(program, 'single')
  assert not (tmp_path / 'run').exists()


@pytest.mark.parametrize('launch', programs.LAUNCHES)
def test_a_run_is_not_overwritten(copy, launch):
  path = copy(launch)
  before = (path / 'checkpoint').read_bytes()
  with pytest.raises(FileExistsError, match='--resume'):
    _launch(path, launch, num_steps=1)
  assert (path / 'checkpoint').read_bytes() == before


@pytest.mark.parametrize('launch', programs.LAUNCHES)
def test_there_is_nothing_to_resume(tmp_path, launch):
  with pytest.raises(FileNotFoundError, match='without --resume'):
    _launch(tmp_path / 'run', launch, resume=True)


@pytest.mark.parametrize('launch', programs.LAUNCHES)
def test_the_run_directory_cannot_be_written(tmp_path, launch):
  (tmp_path / 'file').write_text('in the way')
  with pytest.raises(OSError, match='--run_dir'):
    _launch(tmp_path / 'file' / 'run', launch)


@pytest.mark.parametrize('launch', programs.LAUNCHES)
def test_a_broken_checkpoint(copy, launch):
  path = copy(launch)
  content = (path / 'checkpoint').read_bytes()
  (path / 'checkpoint').write_bytes(content[:-1])
  with pytest.raises(programs.CheckpointError, match='is broken'):
    _launch(path, launch, num_steps=50, resume=True)


class _OtherToyBuilder(toy.ToyBuilder):
  pass


class _OtherBuilder(influence.InfluenceBuilder):
  pass


@pytest.mark.parametrize(
  'launch, overrides, message',
  [
    *(
      (launch, overrides, message)
      for launch in ('threads', 'processes')
      for overrides, message in [
        (
          {
            'environment_factory': lambda seed: toy.ToyEnvironment(
              seed, width=3
            )
          },
          'of another experiment: its observations',
        ),
        (
          {'builder_factory': _OtherToyBuilder},
          "its agent is 'ToyBuilder', that of this run '_OtherToyBuilder'",
        ),
      ]
    ),
    ('single', {'num_actions': 4}, 'of another experiment: its num_actions'),
    (
      'single',
      {'agent': {'hidden_size': 4}},
      'of another experiment: its hidden_size is 8, that of this run 4',
    ),
    *(
      (
        launch,
        {'config': {'colour': 'blue'}},
        "its colour is 'green', that of this run 'blue'.*=colour",
      )
      for launch in programs.LAUNCHES
    ),
    (
      'single',
      {'builder': _OtherBuilder},
      "its agent is 'InfluenceBuilder', that of this run '_OtherBuilder'",
    ),
    *(
      (
        launch,
        {'identity': {'environment': 'chess'}},
        'its environment is None',
      )
      for launch in programs.LAUNCHES
    ),
  ],
)
def test_a_checkpoint_of_another_experiment(copy, launch, overrides, message):
  path = copy(launch)
  with pytest.raises(programs.CheckpointError, match=message):
    _launch(path, launch, num_steps=50, resume=True, **overrides)


def test_a_checkpoint_of_other_parameters(copy, capfd):
  """Only the learner knows them: it fails as a node does."""
  path = copy('threads')
  before = (path / 'checkpoint').read_bytes()

  def build(logger):
    return toy.ToyBuilder(logger, num_params=5)

  code = _launch(path, num_steps=50, resume=True, builder_factory=build)
  assert code == 1
  assert (path / 'checkpoint').read_bytes() == before
  told = capfd.readouterr().err
  assert "['momentum'] is float32(4,) in it, and float32(5,)" in told
  assert str(path / 'failure.txt') in told


@pytest.mark.parametrize('launch', programs.LAUNCHES)
def test_nothing_is_touched_outside_the_main_thread(tmp_path, launch):
  with (
    futures.ThreadPoolExecutor(1) as pool,
    pytest.raises(RuntimeError, match='in the main thread'),
  ):
    pool.submit(_launch, tmp_path / 'run', launch).result()
  assert not (tmp_path / 'run').exists()


@pytest.mark.parametrize('launch', programs.LAUNCHES)
def test_two_programs_do_not_run_in_one_directory(copy, launch):
  path = copy(launch)
  with (
    run_dir.RunDirectory(path).hold(),
    pytest.raises(lock.InUseError, match=f'in use by process {os.getpid()}'),
  ):
    _launch(path, launch, num_steps=50, resume=True)


class _Closing(toy.ToyEnvironment):
  """Counts those that are made and closed."""

  made: list[int] = []
  closed: list[int] = []

  def __init__(self, seed):
    super().__init__(seed)
    self.made.append(seed)

  def close(self):
    self.closed.append(1)


def test_every_environment_is_closed_and_strangers_are_warned_of(
  tmp_path, capfd
):
  code = _launch(tmp_path / 'run', num_steps=1, environment_factory=_Closing)
  assert code == 0
  assert len(_Closing.made) == len(_Closing.closed) == 2  # One for the specs.
  assert 'the nodes listen on all network interfaces' in (
    capfd.readouterr().err
  )


def test_a_failure_is_forgotten_once_the_run_goes_on(tmp_path):
  def fail():
    raise ArithmeticError('broken')

  assert (
    _launch(
      tmp_path / 'run',
      builder_factory=lambda logger: toy.ToyBuilder(logger, step_fn=fail),
    )
    == 1
  )
  assert (tmp_path / 'run' / 'failure.txt').exists()
  assert _launch(tmp_path / 'run', resume=True) == 0
  assert not (tmp_path / 'run' / 'failure.txt').exists()


def test_settings_are_written_down(finished):
  for path in finished.values():
    assert '"colour": "green"' in (path / 'config.json').read_text()


def test_signals_are_given_back(tmp_path):
  before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
  _launch(tmp_path / 'run', num_steps=1)
  after = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
  assert after == before


class _Recorder:
  """A logger that can be sent to a process."""

  def __init__(self, folder, label):
    self._path, self._lines = folder / label, []

  def write(self, data):
    self._lines.append(json.dumps(data))

  def close(self):
    self._path.write_text('\n'.join([*self._lines, 'closed']))


@pytest.mark.parametrize(
  'launch',
  ['threads', pytest.param('processes', marks=pytest.mark.slow), 'single'],
)
def test_a_logger_of_ones_own_gets_the_rows_of_each_node(tmp_path, launch):
  folder = tmp_path / 'own'
  folder.mkdir()
  code = _launch(
    tmp_path / 'run',
    launch,
    logger_factory=functools.partial(_Recorder, folder),
  )
  assert code == 0
  assert {path.name for path in folder.iterdir()} == {'learner', 'actor_0'}
  for path in folder.iterdir():
    *rows, last = path.read_text(encoding='utf-8').splitlines()
    assert last == 'closed'
    logged = programs.read_log(tmp_path / f'run/logs/{path.name}.csv')
    steps = [json.loads(row)['environment_steps'] for row in rows]
    assert steps == logged['environment_steps'].tolist()
    assert len(steps) > 0


def test_what_is_no_logger_ends_the_run_before_it_learns(tmp_path, capfd):
  code = _launch(tmp_path / 'run', logger_factory=lambda label: label)
  assert code == 1
  assert "logger_factory('learner') is 'learner'" in capfd.readouterr().err
  assert not (tmp_path / 'run' / 'checkpoint').exists()
