"""What is checked before a program starts, and what a user reads after it."""

import os

import pytest
import toy
import variant_program

from influence_acme import programs


def _launch(run_dir, launch='single', **overrides):
  experiment = toy.make_experiment(run_dir, **overrides)
  return programs.launch(programs.make_program(experiment), launch)


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
    _launch(tmp_path / 'run', 'threats')
  assert not (tmp_path / 'run').exists()


@pytest.mark.parametrize('launch', programs.LAUNCHES)
def test_a_run_is_not_overwritten(tmp_path, launch):
  assert _launch(tmp_path / 'run', num_steps=1) == 0
  before = (tmp_path / 'run' / 'checkpoint').read_bytes()
  with pytest.raises(FileExistsError, match='--resume'):
    _launch(tmp_path / 'run', launch, num_steps=1)
  assert (tmp_path / 'run' / 'checkpoint').read_bytes() == before


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
def test_a_broken_checkpoint(tmp_path, launch):
  _launch(tmp_path / 'run', num_steps=1)
  path = tmp_path / 'run' / 'checkpoint'
  path.write_bytes(path.read_bytes()[:-1])
  with pytest.raises(programs.CheckpointError, match='is broken'):
    _launch(tmp_path / 'run', launch, num_steps=50, resume=True)


@pytest.mark.parametrize('launch', programs.LAUNCHES)
@pytest.mark.parametrize(
  'overrides, message',
  [
    (
      {'environment_factory': lambda seed: toy.ToyEnvironment(seed, width=3)},
      'of another experiment: its observations',
    ),
    ({'identity': {'environment': 'chess'}}, 'its environment is None'),
    (
      {'builder_factory': lambda logger: _OtherBuilder(logger)},
      "its agent is 'ToyBuilder', that of this run '_OtherBuilder'",
    ),
  ],
)
def test_a_checkpoint_of_another_experiment(
  tmp_path, launch, overrides, message
):
  _launch(tmp_path / 'run', num_steps=1)
  with pytest.raises(programs.CheckpointError, match=message):
    _launch(tmp_path / 'run', launch, num_steps=50, resume=True, **overrides)


class _OtherBuilder(toy.ToyBuilder):
  pass


def test_a_checkpoint_of_other_parameters(tmp_path, capfd):
  """Only the learner knows them: it fails as a node does."""
  _launch(tmp_path / 'run', num_steps=1)
  before = (tmp_path / 'run' / 'checkpoint').read_bytes()
  code = _launch(
    tmp_path / 'run',
    num_steps=50,
    resume=True,
    builder_factory=lambda logger: toy.ToyBuilder(logger, num_params=5),
  )
  assert code == 1
  assert (tmp_path / 'run' / 'checkpoint').read_bytes() == before
  message = capfd.readouterr().err
  assert "['momentum'] is float32(4,) in it, and float32(5,)" in message
  assert str(tmp_path / 'run' / 'failure.txt') in message


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


def test_settings_are_written_down(tmp_path):
  _launch(tmp_path / 'run', num_steps=1, config={'colour': 'green'})
  assert '"colour": "green"' in (tmp_path / 'run' / 'config.json').read_text()


def test_signals_are_given_back(tmp_path):
  import signal

  before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
  _launch(tmp_path / 'run', num_steps=1)
  after = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
  assert after == before
