"""Runs the toy experiment; what can go wrong is a flag."""

import argparse
import functools
import os
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import toy

from influence_acme import programs


def _fail_when(path, how):
  """Fails once a file is there, so that a test says when."""
  if path and os.path.exists(path):
    how(path)
  time.sleep(0.001)


def _raise(path):
  raise ArithmeticError('the toy broke')


def _hang(path):
  """Hangs, and takes the file away to say so."""
  pathlib.Path(path).unlink(missing_ok=True)
  time.sleep(3600)


def main():
  parser = argparse.ArgumentParser()
  parser.add_argument('--launch', default='threads')
  parser.add_argument('--run_dir', required=True)
  parser.add_argument('--num_steps', type=int, default=10**9)
  parser.add_argument('--num_actors', type=int, default=1)
  parser.add_argument('--seed', type=int, default=0)
  parser.add_argument('--resume', action='store_true')
  parser.add_argument('--hosts', default='')
  parser.add_argument('--host', default='')
  parser.add_argument('--break_learner_when', default='')
  parser.add_argument('--break_actor_when', default='')
  parser.add_argument('--hang_learner_when', default='')
  parser.add_argument('--hang_actor_when', default='')
  arguments = parser.parse_args()

  def learner_step():
    _fail_when(arguments.break_learner_when, _raise)
    _fail_when(arguments.hang_learner_when, _hang)

  def actor_step():
    _fail_when(arguments.break_actor_when, _raise)
    _fail_when(arguments.hang_actor_when, _hang)

  settings = {
    'num_steps': arguments.num_steps,
    'num_actors': arguments.num_actors,
    'seed': arguments.seed,
    'resume': arguments.resume,
    'checkpoint_seconds': 2.0,
  }
  if arguments.launch == 'single':
    # Its environments are the only part of it that can break.
    experiment = toy.make_trainable(
      arguments.run_dir, step_fn=actor_step, **settings
    )
  else:
    experiment = toy.make_experiment(
      arguments.run_dir,
      builder_factory=functools.partial(toy.ToyBuilder, step_fn=learner_step),
      environment_factory=functools.partial(
        toy.ToyEnvironment, step_fn=actor_step
      ),
      config={k: v for k, v in vars(arguments).items() if k != 'host'},
      **settings,
    )
  hosts = programs.read_placement(arguments.hosts, arguments.host)
  program = programs.make_program(experiment, hosts)
  return programs.launch(program, arguments.launch)


if __name__ == '__main__':
  sys.exit(main())
