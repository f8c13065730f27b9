"""The benchmark on programs whose speed and memory are known."""

import contextlib
import dataclasses
import json
import re
import time

import jax
import numpy as np
import psutil
import pytest
from absl import flags
from absl.testing import flagsaver

from benchmarks import __main__ as benchmark
from benchmarks import parts, runs, ways
from influence_acme import networks, training
from influence_acme.agents import influence

# Waits for 0.3 s, then logs 10 counts for each second of a clock that is twenty
# times too fast, busy for two fifths of the time. A child holds 200 MiB.
_PROGRAM = """
import os, pathlib, subprocess, sys, time
folder, pids = map(pathlib.Path, sys.argv[1:])
hold = 'import time; held = bytearray(200 * 2**20); time.sleep(999)'
child = subprocess.Popen([sys.executable, '-c', hold])
pids.write_text(f'{os.getpid()} {child.pid}')
time.sleep(0.3)
rows = [(100, 1)] + [(110 + i, 50 + 10 * i) for i in range(600)]
with open(folder / 'log.csv', 'w', buffering=1) as log:
  print('updates,time', file=log)
  for seconds, count in rows:
    print(f'{count},{seconds}.0', file=log)
    end = time.monotonic() + 0.02
    while time.monotonic() < end:
      pass
    time.sleep(0.03)
"""


@pytest.fixture(autouse=True)
def _do_not_wait(monkeypatch):
  monkeypatch.setattr(runs, '_STOP_SECONDS', 0.2)


def _make_run(tmp_path, name='fake', program=_PROGRAM):
  return ways.Run(
    name=name,
    argv=('-c', program, '{folder}', str(tmp_path / 'pids')),
    log='log.csv',
    clock='time',
    counter='updates',
    steps_per_count=2.5,
  )


def _is_running(pid):
  with contextlib.suppress(psutil.NoSuchProcess):
    return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
  return False


def test_a_run_is_measured_by_its_own_clock_and_with_its_children(tmp_path):
  result = runs.measure(_make_run(tmp_path), seconds=9.0)
  # The first row is 10 s before the second, and left out: 10 counts a second.
  assert result['steps_per_second'] == pytest.approx(25.0)
  assert 0.3 < result['start_seconds'] < 5.0
  assert 200 / 1024 < result['peak_gib'] < 300 / 1024
  assert 0.05 < result['cores_used'] < 0.9
  pids = [int(pid) for pid in (tmp_path / 'pids').read_text().split()]
  while any(map(_is_running, pids)):  # What is killed takes a moment to end.
    time.sleep(0.01)


def test_a_run_that_ends_early_is_an_error_with_its_output(tmp_path):
  run = _make_run(tmp_path, program='raise SystemExit("no such flag")')
  with pytest.raises(RuntimeError, match='(?s)fake ended.*no such flag'):
    runs.measure(run, seconds=1.0)


def test_ways_take_turns_and_are_compared_repeat_by_repeat(monkeypatch):
  # The machine was slower in the second repeat: both ways were.
  speeds = iter([10.0, 5.0, 2.0, 1.5])
  monkeypatch.setattr(runs, 'measure', lambda run, _: {run.name: next(speeds)})
  both = [ways.WAYS['threads'], ways.WAYS['processes']]
  results = runs.measure_in_turn(both, repeats=2, seconds=1.0)
  assert results == {
    'threads': [{'threads': 10.0}, {'threads': 2.0}],
    'processes': [{'processes': 5.0}, {'processes': 1.5}],
  }
  found = runs.compare(
    {'A': [{'x': 10.0}, {'x': 2.0}], 'B': [{'x': 5.0}, {'x': 1.5}]}
  )
  assert found == {'B / A': {'x': {'median': 0.625, 'min': 0.5, 'max': 0.75}}}
  assert runs.compare({'A': [{'x': 1.0}]}) == {}


def test_the_example_knows_the_flags_of_its_runs():
  source = (ways.ROOT / 'examples' / 'cleanup_moa.py').read_text('utf-8')
  of_example = re.findall(r"DEFINE_\w+\(\s*'(\w+)'", source)
  fields = [
    field.name
    for record in (training.TrainConfig, influence.InfluenceConfig)
    for field in dataclasses.fields(record)
  ]
  for run in ways.WAYS.values():
    is_example = 'examples/cleanup_moa.py' in run.argv
    known = of_example if is_example else [*fields, 'preset']
    used = re.findall(r' --(\w+)=', ' '.join(run.command('folder')))
    assert used
    assert set(used) <= set(known)


def test_rates_are_amounts_over_whole_calls(monkeypatch):
  now = 0.0
  monkeypatch.setattr(parts.time, 'perf_counter', lambda: now)
  durations = iter([99.0, 2.0, 2.0, 1.0, 3.0, 4.0, 3.0, 2.5])

  def work():
    nonlocal now
    now += next(durations)
    return 6.0

  # The first call compiles; then two calls of 2 s, of 1 and 3 s, ...
  assert parts.measure(work, 2.5) == [3.0, 3.0, 1.5, 2.0, 2.4]


def test_operations_by_hand_and_by_the_number_of_weights():
  # 54,756 + 2 * 66,944 + 2 * 163,840 + 2,560 + 9 * 9,216 = 601,828.
  assert benchmark.flops()['acting'] == 5 * 601_828
  # 528,100 forward; 3 * 528,100 - 54,756 = 1,529,544; 21 rows for 20 steps.
  np.testing.assert_allclose(
    benchmark.flops()['learning'], 5 * 1_529_544 * 1.05
  )
  agent = networks.make_agent_networks(num_agents=5, num_actions=9)
  observation = {
    'world': np.zeros((1, 15, 15, 3), np.uint8),
    'actions': np.zeros((1, 5), np.int32),
  }
  params = jax.eval_shape(agent.init, jax.random.PRNGKey(0), observation)
  leaves = jax.tree_util.tree_leaves(params)
  weights = sum(leaf.size for leaf in leaves if leaf.ndim > 1)
  # Both LSTMs pick rows for the one-hot actions of 5 agents; the 162 weights of
  # the convolution are used at 169 places.
  picked = 2 * 5 * 9 * 4 * 128
  assert 2 * (weights - picked + 168 * 162) == 528_100


def test_the_command_prints_a_table_and_writes_a_file(
  tmp_path, monkeypatch, capsys
):
  for name in ('threads', 'processes'):
    monkeypatch.setitem(ways.WAYS, name, _make_run(tmp_path, name))
  # They take long to compile: the next test has them.
  slow = {'name': 'x', 'cores': 1, 'unit': 'steps/s', 'median': 1e3}
  measure = benchmark._measure
  monkeypatch.setattr(
    benchmark,
    '_measure',
    lambda part, *rest: (
      slow if part in ('acting', 'learning') else measure(part, *rest)
    ),
  )
  path = tmp_path / 'new' / 'speed.json'
  with flagsaver.flagsaver():
    both = ['--run=threads', '--run=processes']
    flags.FLAGS(['x', '--smoke', '--repeats=1', f'--output={path}', *both])
    benchmark.main(['x'])
  printed = capsys.readouterr().out
  report = json.loads(path.read_text())
  names = ['gemm x 64', 'gemm x 64', 'environment x 2']
  names += ['x', 'x', 'threads', 'processes']
  assert [row['name'] for row in report['rows']] == names
  assert all(name in printed for name in [*names, 'processes / threads'])
  for row in report['rows'][:3] + report['rows'][5:]:
    assert 0 < row['min'] <= row['median'] <= row['max']
  # 25 steps take 25 * 11.04 MFLOP.
  share = 25 * (3_009_140 + 8_030_106) / 1e9 / report['rows'][1]['median']
  assert report['rows'][5]['of_gemm'] == pytest.approx(share)
  assert report['machine']['cpu']
  assert set(report['load']) == {'before', 'after', 'was_idle'}
  # Not the place of the interpreter, which is this machine's.
  assert report['commands']['threads'][0] == 'python'


@pytest.mark.slow
def test_an_agent_acts_and_learns():
  act, learn = parts.make_agent(2, 'coordination', num_agents=2)
  # Unrolls and sequences of 20 steps.
  assert act() == learn() == learn() == 2 * 20
