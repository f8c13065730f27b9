"""The code on the pages runs, and does what its comments say.

Blocks of Python on a page are run one after the other, with the names that the
page takes from its reader. `print(...)  # X` prints what X begins with; a
comment `# SomeError: X` in a block says with which error it ends.
"""

from influence_acme import compat  # noqa: F401  Before acme.jax.

# isort: split

import contextlib
import functools
import io
import pathlib
import re
import runpy
import sys
import tempfile
import textwrap
from typing import Any
from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import reverb
from acme.adders import reverb as reverb_adders

from influence_acme import adapters, environments, programs, wrappers
from influence_acme.agents import influence, intrinsic
from influence_acme.system import specs
from influence_acme.system.config import InfluenceConfig
from influence_acme.testing import fakes
from influence_acme.training import config as train_config
from influence_acme.training import runner as train_run

ROOT = pathlib.Path(__file__).parents[1]
_SHOWN = re.compile(r'print\(.*\) +# (.*)')
_ERROR = re.compile(r'^# (\w+Error: (?:.+\n?# )*.+)', re.MULTILINE)


def _example(name):
  return runpy.run_path(str(ROOT / 'examples' / f'{name}.py'))


def _arrays():
  random = np.random.default_rng(0)
  return {
    'conditional_logits': random.normal(size=(7, 4, 2, 5)),
    'policy_logits': random.normal(size=(7, 4)),
    'actions': random.integers(4, size=7),
  }


class _DropsTheFirst:
  """An adder that does not hand on the first step of an episode."""

  def __init__(self, adder):
    self._adder, self._is_first = adder, False
    self.reset = adder.reset

  def add_first(self, timestep):
    self._adder.add_first(timestep)
    self._is_first = True

  def add(self, action, next_timestep, extras=()):
    if not self._is_first:
      self._adder.add(action, next_timestep, extras)
    self._is_first = False


def _adder():
  server = reverb.Server([reverb.Table.queue('samples', 10)])
  game = fakes.FakeMultiAgentEnvironment(episode_length=25)
  return {
    'np': np,
    'reverb_adders': reverb_adders,
    'server': server,  # Kept while the page is run.
    'client': reverb.Client(f'localhost:{server.port}'),
    'MyAdder': _DropsTheFirst,
    'environment': wrappers.SingleAgentView(
      game, 'agent_0', {'agent_1': lambda _: 0}
    ),
  }


def _environment():
  doors: Any = _example('own_environment')['Doors']

  class PaysWords(doors):
    def step(self, action):
      timestep = super().step(action)
      if timestep.first():
        return timestep
      reward = {**timestep.reward, 'guest': 1}  # An int, not a float32.
      return timestep._replace(reward=reward)

  # A good one for the first block, and a bad one for the second.
  games = iter([doors(0), PaysWords(0)])
  return {'MyEnvironment': functools.partial(next, games)}


def _jaxmarl():
  game = fakes.FakeVectorEnvironment()
  return {'MyJaxMARLEnvironment': lambda: adapters.MultiAgentEnv(game)}


def _pettingzoo():
  return {'MyParallelEnv': _example('own_pettingzoo')['Painters']}


def _game():
  return {'jax': jax, 'actions': jnp.zeros(5, jnp.int32)}


def _train():
  folder = pathlib.Path(tempfile.mkdtemp())
  return {
    'run_dir': folder / 'run',
    'another_run_dir': folder / 'other',
    'MyEnvironment': lambda seed: fakes.FakeMultiAgentEnvironment(
      episode_length=9
    ),
  }


def _spec():
  game = fakes.FakeMultiAgentEnvironment(observation_shape=(5, 2))
  wrapped = wrappers.OthersActionsWrapper(game)
  return {'environment_spec': specs.make_environment_spec(wrapped)}


def _view():
  policies = dict.fromkeys(('agent_1', 'agent_2'), lambda _: np.int32(4))
  names = {
    'environments': environments,
    'intrinsic': intrinsic,
    'wrappers': wrappers,
  }
  return {**names, 'policies': policies}


def _play():
  folder = pathlib.Path(tempfile.mkdtemp())
  agent = InfluenceConfig(unroll_length=5, batch_size=2)
  config = train_config.TrainConfig(
    agent,
    game='cleanup_small',
    episode_length=10,
    num_steps=1,
    run_dir=str(folder / 'run'),
  )
  assert train_run.run(config) == 0
  return {'run_dir': config.run_dir, 'export_dir': folder / 'export'}


def _hosts():
  folder = pathlib.Path(tempfile.mkdtemp())
  page = (ROOT / 'docs' / 'howto' / 'hosts.md').read_text(encoding='utf-8')
  [content] = re.findall(r'^```toml\n(.*?)^```', page, re.DOTALL | re.M)
  (folder / 'hosts.toml').write_text(content, encoding='utf-8')
  config = InfluenceConfig()
  experiment = programs.Experiment(
    builder_factory=functools.partial(influence.InfluenceBuilder, config),
    environment_factory=functools.partial(
      influence.make_environment, 'coordination', config
    ),
    network_factory=functools.partial(influence.make_networks, config=config),
    num_steps=1,
    num_actors=5,
    run_dir=folder / 'run',
  )
  return {'path': folder / 'hosts.toml', 'experiment': experiment}


# Page -> what gives the names that its reader has.
PAGES = {
  'README.md': dict,
  'docs/idea.md': dict,
  'docs/reproduction.md': dict,
  'docs/stock_learners.md': dict,
  'docs/howto/train.md': _train,
  'docs/howto/hosts.md': _hosts,
  'docs/howto/play.md': _play,
  'docs/howto/arrays.md': _arrays,
  'docs/howto/network.md': _spec,
  'docs/howto/adder.md': _adder,
  'docs/howto/environment.md': _environment,
  'docs/howto/pettingzoo.md': _pettingzoo,
  'docs/howto/jaxmarl.md': _jaxmarl,
  'docs/howto/meltingpot.md': dict,
  'environments/README.md': _game,
  'agents/intrinsic/README.md': _view,
  'results/box_trapped/README.md': dict,
  'results/ladder/README.md': dict,
}
# What they show is installed for slow tests only.
SLOW = {'docs/howto/meltingpot.md'}
# Whose code is that of an example, which a test runs; or is no more than calls
# of what is shown elsewhere.
OTHERS = {
  'docs/howto/population.md',
  'docs/howto/sweeps.md',  # By tests/sweeps_page_test.py.
  'docs/versions.md',
}
# Which uses what is not installed: a test of its own runs it with stand-ins.
LOGGERS = 'docs/howto/loggers.md'


def _blocks(page):
  text = (ROOT / page).read_text(encoding='utf-8')
  found = re.findall(r'^( *)```python\n(.*?)^ *```', text, re.DOTALL | re.M)
  return [textwrap.dedent(block) for _, block in found]


@pytest.mark.parametrize(
  'page',
  [
    pytest.param(page, marks=pytest.mark.slow) if page in SLOW else page
    for page in PAGES
  ],
)
def test_code_does_what_its_comments_say(page):
  names = PAGES[page]()
  blocks = _blocks(page)
  assert blocks
  for block in blocks:
    _run(block, names)


def test_trackers_get_the_rows(tmp_path, monkeypatch):
  wandb, mlflow = mock.MagicMock(), mock.MagicMock()
  monkeypatch.setitem(sys.modules, 'wandb', wandb)
  monkeypatch.setitem(sys.modules, 'mlflow', mlflow)
  names = {'run_dir': tmp_path / 'run', 'folder': tmp_path}
  for block in _blocks(LOGGERS):
    _run(block, names)

  for name in ('WandbLogger', 'MlflowLogger'):
    logger = names[name]('learner')
    logger.write({'environment_steps': 7, 'loss': 1.5})
    logger.close()
  run, row = wandb.init.return_value, {'environment_steps': 7, 'loss': 1.5}
  assert [call.args for call in run.log.mock_calls] == [(row,)]
  run.finish.assert_called_once_with()
  (call,) = mlflow.log_metrics.mock_calls
  assert call.args == (row,) and call.kwargs['step'] == 7


def _run(block, names):
  printed = io.StringIO()
  error = ''
  with contextlib.redirect_stdout(printed):
    try:
      exec(block, names)
    except Exception as raised:  # noqa: BLE001  It is what the page shows?
      error = f'{type(raised).__name__}: {raised}'
      if not _ERROR.search(block):
        raise
  for shown in _ERROR.findall(block):
    words = ' '.join(line.lstrip('# ') for line in shown.splitlines())
    assert error.startswith(words.removesuffix('...').strip())
  lines = [
    line
    for line in printed.getvalue().splitlines()
    if not line.startswith('steps ')  # The progress of a run.
  ]
  shown = _SHOWN.findall(block)
  assert len(lines) == len(shown)
  for line, comment in zip(lines, shown, strict=True):
    assert comment.startswith(line)


def test_every_page_with_code_is_run():
  folders = ('docs', 'agents', 'environments', 'benchmarks', 'results')
  found = [path for name in folders for path in (ROOT / name).rglob('*.md')]
  found += ROOT.glob('*.md')
  pages = {path.relative_to(ROOT).as_posix() for path in found}
  assert {page for page in pages if _blocks(page)} == {*PAGES, *OTHERS, LOGGERS}


def test_the_check_finds_wrong_values():
  with pytest.raises(AssertionError):
    _run('print(1 + 1)  # 3', {})
  with pytest.raises(AssertionError):
    _run('raise ValueError("other")\n# ValueError: one', {})
  _run('raise ValueError("one two")\n# ValueError: one\n# two', {})
