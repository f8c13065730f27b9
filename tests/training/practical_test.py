"""The practical settings learn the small games, whatever the seed."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from influence_acme import environments, training
from influence_acme.runs import curves
from influence_acme.system import practical

_NUM_STEPS = 220_000
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
@pytest.mark.parametrize('seed', [10, 11, 12])
@pytest.mark.parametrize('game', _GAMES)
def test_agents_stop_what_costs_them_most(game, seed, tmp_path):
  random = _random_return(game)
  assert random < -1000.0  # They fire at each other.
  config = training.TrainConfig(
    agent=practical.make_config(game, _GAMES[game]),
    game=game,
    num_steps=_NUM_STEPS,
    seed=seed,
    run_dir=str(tmp_path / 'run'),
  )
  assert training.run(config) == 0
  series = curves.load(tmp_path / 'run' / 'logs')['collective_return']
  final = series.values[series.steps > 0.9 * _NUM_STEPS].mean()
  assert final > 0.25 * random
