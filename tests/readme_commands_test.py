"""Every command that the README and two how-to pages print, as printed.

In a copy of the checkout, and an environment in which nothing but the locked
dependencies is installed, as someone has it who follows the README. Commands
that take long get options behind them that make them short.
"""

import os
import pathlib
import re
import subprocess
import sys
import sysconfig
from typing import Any

import checkout
import pytest

ROOT = pathlib.Path(__file__).parents[1]
PAGES = ('README.md', 'docs/howto/play.md', 'docs/howto/train.md')
_SHORT = (
  '--num_steps=100 --num_agents=2 --episode_length=20 --hidden_size=8 '
  '--unroll_length=10 --batch_size=4 --max_queue_size=4'
)
# What a command begins with -> what is put behind it; the first one counts.
RUN = {
  'pip install .': '',
  'python -m influence_acme.train --help': '',
  'python -m influence_acme.train': _SHORT,
  'python -m influence_acme.evaluate': '--episodes=2',
  'python examples/reproduce.py': '--list',
  'python examples/schelling.py': '--num_episodes=1 --episode_length=5',
  # Do they exist? What they do is run by the tests that they start.
  'make': '--dry-run',
}
# Run by another test, or by none on this Python.
OTHERS = {
  'python examples/box_trapped.py': 'tests/examples/box_trapped_test.py',
  'python examples/cleanup_moa.py': '.ci/run',  # By `make demo`.
  "pip install '.[acme]'": '.ci/run',  # By `make`, with the locked versions.
  'source .venv/bin/activate': '.ci/run',
}
# In ten lines of one's own.
OWN = """
import jax
import influence_acme
from influence_acme import environments
policy = influence_acme.load('THE_RUN')
world = policy.wrap(environments.MultiAgentEnvironment(policy.environment, 1))
timestep, state = world.reset(), policy.initial_state()
key = jax.random.PRNGKey(0)
while not timestep.last():
  key, _ = jax.random.split(key)
  actions, state = policy.act(timestep.observation, state, key)
  timestep = world.step(actions)
print(sorted(timestep.reward))
"""


def commands(text):
  """Returns the commands of a page: of its blocks, and those in its text."""
  blocks = re.findall(r'^```sh\n(.*?)^```', text, re.DOTALL | re.MULTILINE)
  lines = '\n'.join(blocks).replace('\\\n', ' ').splitlines()
  found = [re.sub(r'\s+', ' ', line.split(' #')[0]).strip() for line in lines]
  text = re.sub(r'^```.*?^```', '', text, flags=re.DOTALL | re.MULTILINE)
  text = text.replace('\n', ' ')
  found += re.findall(r'`((?:python|make|pip) [^`]+)`', text)
  return [each for each in dict.fromkeys(found) if each]


def _known(command, table):
  """Returns the entry of a command, or None."""
  return next((x for x in table if f'{command} '.startswith(f'{x} ')), None)


def test_commands_are_read_from_blocks_and_text():
  text = (
    'a\n```sh\nmake a   # b\nx \\\n  --y\n```\n`make c\nD=1`, `pip`\n'
    '```python\nmake = 1\n```\n'
  )
  assert commands(text) == ['make a', 'x --y', 'make c D=1']


def test_every_command_is_known():
  for page in PAGES:
    for command in commands((ROOT / page).read_text('utf-8')):
      known = _known(command, OTHERS) or _known(command, RUN)
      assert known, f'{page}: nothing here says how to run {command!r}.'
  for path in OTHERS.values():
    assert (ROOT / path).exists()


@pytest.fixture
def shell(tmp_path):
  """Returns a function that runs a command in a copy, and the copy."""
  copy, venv = checkout.copy(tmp_path / 'checkout'), tmp_path / 'venv'
  subprocess.run([sys.executable, '-m', 'venv', venv], check=True)
  (packages,) = venv.glob('lib/*/site-packages')
  # Its own .pth files, that of this checkout among them, are not read.
  (packages / 'locked.pth').write_text(sysconfig.get_path('purelib'))
  environment = {
    name: value
    for name, value in os.environ.items()
    if name not in ('PYTHONPATH', 'VIRTUAL_ENV')
  }
  environment |= {
    'PATH': f'{venv / "bin"}:{os.environ["PATH"]}',
    'JAX_PLATFORMS': 'cpu',
  }

  def run(command, folder=copy):
    done = subprocess.run(
      ['bash', '-c', command],
      cwd=folder,
      env=environment,
      capture_output=True,
      text=True,
      timeout=900,
    )
    assert done.returncode == 0, f'{command}\n{done.stdout}{done.stderr}'
    return done.stdout

  return run, copy


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.skipif(
  sys.version_info < (3, 11), reason='The README installs it on a later Python.'
)
def test_they_all_run(shell, tmp_path):
  run, copy = shell
  texts = [(ROOT / page).read_text('utf-8') for page in PAGES]
  found = commands('\n'.join(texts))
  run_dir: Any = None
  for command in found:
    is_name = any(x.startswith(f'{command} ') for x in found)
    if is_name or _known(command, OTHERS):
      continue
    command = re.sub(r'\S*THE_RUN|\bRUN(?= )', str(run_dir), command)
    run(f'{command} {RUN[_known(command, RUN)]}')
    if command.startswith('python -m influence_acme.train') and not run_dir:
      (run_dir,) = (copy / 'runs' / 'cleanup').iterdir()
  written = {path.name for path in (run_dir / 'evaluation').iterdir()}
  assert written >= {'summary.json', 'returns.csv', 'episode.gif'}
  # What was installed, away from the checkout.
  code = OWN.replace('THE_RUN', str(run_dir))
  (tmp_path / 'own.py').write_text(code)
  assert run('python own.py', tmp_path) == "['agent_0', 'agent_1']\n"
  run(f'influence-report {run_dir}', tmp_path)
  assert (run_dir / 'report.html').exists()
