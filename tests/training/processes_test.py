"""Several processes make one run, by the command, on today's JAX."""

import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

import jax
import numpy as np
import pytest
import tiny

from influence_acme.training import processes

_ROOT = pathlib.Path(__file__).parent.parent.parent
_AGENT = {'hidden_size': 4, 'unroll_length': 5}


def _start(path, num_processes, *options):
  """Starts the processes of a run, each with a device."""
  with socket.create_server(('127.0.0.1', 0)) as server:
    address = f'127.0.0.1:{server.getsockname()[1]}'
  together = [f'--coordinator={address}', f'--num_processes={num_processes}']
  return [
    subprocess.Popen(
      [
        *[sys.executable, '-m', 'influence_acme.train', '--preset=paper'],
        *['--game=coordination', '--variant=baseline', '--episode_length=7'],
        *[f'--{name}={value}' for name, value in _AGENT.items()],
        *[f'--batch_size={tiny.B}', f'--max_queue_size={tiny.B}'],
        *[f'--run_dir={path}', *options],
        *(together + [f'--process_id={i}'] if num_processes > 1 else []),
      ],
      env={
        **os.environ,
        'PYTHONPATH': str(_ROOT),
        'JAX_PLATFORMS': 'cpu',
        'XLA_FLAGS': '--xla_backend_optimization_level=0',
      },
      cwd=_ROOT,
      stdout=subprocess.PIPE,
      stderr=subprocess.STDOUT,
      text=True,
    )
    for i in range(num_processes)
  ]


def _end(started):
  """Waits for processes, and returns their codes and what they said."""
  said = [process.communicate(timeout=500)[0] for process in started]
  return [process.returncode for process in started], said


@pytest.mark.slow
@pytest.mark.skipif(
  not hasattr(jax, 'shard_map'), reason='This JAX cannot join processes.'
)
def test_two_processes_are_one_run_and_one_of_them_goes_on(tmp_path):
  path, num_steps = tmp_path / 'run', f'--num_steps={tiny.B * 5 * 18}'
  codes, said = _end(_start(path, 2, num_steps))
  assert codes == [0, 0], said
  agent = tiny.make_agent('baseline', influence_curriculum_steps=40, **_AGENT)
  alone = tmp_path / 'alone'
  assert tiny.run(alone, agent, num_steps=tiny.B * 5 * 18) == 0
  expected, saved = tiny.load(alone), tiny.load(path)
  assert expected.learner["['counts']['learner_steps']"] >= 20
  for part in ('learner', 'rollout'):
    x, y = getattr(saved, part), getattr(expected, part)
    assert x.keys() == y.keys()
    for name in x:
      np.testing.assert_allclose(x[name], y[name], atol=1e-5, err_msg=name)

  # They go on, until one is killed.
  go_on = '--resume', '--checkpoint_seconds=0.1'
  first, second = _start(path, 2, '--num_steps=100000000', *go_on)
  deadline = time.monotonic() + 240
  while tiny.load(path).environment_steps < saved.environment_steps + 200:
    assert first.poll() is None and second.poll() is None
    assert time.monotonic() < deadline
    time.sleep(0.2)
  second.send_signal(signal.SIGKILL)
  killed = time.monotonic()
  codes, said = _end([first, second])
  assert time.monotonic() - killed < 60
  assert codes == [1, -signal.SIGKILL], said
  assert 'Another process of this run has ended' in said[0]
  assert 'Another process' in tiny.failure(path)

  steps = tiny.load(path).environment_steps
  codes, said = _end(_start(path, 1, '--resume', f'--num_steps={steps + 100}'))
  assert codes == [0], said
  assert tiny.load(path).environment_steps >= steps + 100


def test_others_than_the_first_write_nothing(tmp_path, monkeypatch, capfd):
  monkeypatch.setattr(processes, 'is_first', lambda: False)
  assert tiny.run(tmp_path / 'run') == 0
  assert not (tmp_path / 'run').exists()
  assert capfd.readouterr().out == ''


def test_a_signal_to_another_process_stops_this_one(tmp_path, monkeypatch):
  monkeypatch.setattr(processes, 'agree', lambda number: signal.SIGTERM)
  assert tiny.run(tmp_path / 'run', num_steps=10**9) == 128 + signal.SIGTERM
  assert tiny.load(tmp_path / 'run').environment_steps > 0


def test_one_process_agrees_with_itself():
  assert processes.is_first()
  assert processes.agree(15) == 15
  processes.leave(1)  # There is nobody to tell.
  error = ValueError('Gloo AllGather failed')
  assert processes.explain(error) is error


def test_the_loss_of_a_process_is_told(monkeypatch):
  monkeypatch.setattr(jax, 'process_count', lambda: 2)
  error = ValueError('UNKNOWN: Gloo AllGather failed: Connection closed')
  assert 'Another process' in str(processes.explain(error))
  assert processes.explain(error).__cause__ is error
  error = ValueError('A reward is not finite.')
  assert processes.explain(error) is error
