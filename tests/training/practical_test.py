"""The practical settings learn the small games, whatever the seed."""

import os
import pathlib
import subprocess
import sys
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from influence_acme import environments
from influence_acme.runs import curves

_ROOT = pathlib.Path(__file__).parent.parent.parent
_NUM_STEPS = 140_000
_GAMES = {'cleanup_small': 'prosocial', 'harvest_small': 'baseline'}


def _random_return(game):
  """Returns the mean collective return of uniform play, of 16 episodes."""
  environment: Any = environments.functional(game)

  def play(key):
    start, actions = jax.random.split(key)
    state, _ = environment.reset(start)
    drawn = jax.random.randint(
      actions,
      (environment.episode_length, environment.num_agents),
      0,
      environment.num_actions,
    )
    _, steps = jax.lax.scan(environment.step, state, drawn)
    return jnp.sum(steps.reward)

  keys = jax.random.split(jax.random.PRNGKey(0), 16)
  return float(np.mean(jax.jit(jax.vmap(play))(keys)))


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize('seed', [10, 11, 12])
@pytest.mark.parametrize('game', _GAMES)
def test_agents_stop_what_costs_them_most(game, seed, tmp_path):
  random = _random_return(game)
  assert random < -1000.0  # They fire at each other.
  command = [
    *(sys.executable, '-m', 'influence_acme.train'),
    f'--game={game}',
    f'--variant={_GAMES[game]}',
    f'--num_steps={_NUM_STEPS}',
    f'--seed={seed}',
    f'--run_dir={tmp_path / "run"}',
  ]
  # The code that compiles fast is too slow for so many steps.
  env = {**os.environ, 'PYTHONPATH': str(_ROOT), 'XLA_FLAGS': ''}
  subprocess.run(command, env=env, cwd=tmp_path, check=True)
  series = curves.load(tmp_path / 'run' / 'logs')['collective_return']
  final = series.values[series.steps > 0.9 * _NUM_STEPS].mean()
  assert final > 0.5 * random
