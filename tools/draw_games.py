"""Draws games for their cards in environments/README.md.

It takes no arguments: `python tools/draw_games.py`.
"""

import pathlib

import jax
import numpy as np
from PIL import Image

from influence_acme import environments
from influence_acme.reproduction import scripted

DIRECTORY = pathlib.Path(__file__).parents[1] / 'docs' / 'pictures'
# FIRE in Harvest, OPEN_BOX in Box Trapped.
SPECIAL = 7


def draw(name: str, num_steps: int = 12) -> np.ndarray:
  """Draws a game after random steps, in the last of which two do the special.

  Args:
    name: of the environment.
    num_steps: how many.

  Returns:
    uint8 [16 R, 16 C, 3], of a map of R x C cells.
  """
  game = environments.functional(name)
  step = jax.jit(game.step)
  state, _ = jax.jit(game.reset)(jax.random.PRNGKey(0))
  rng = np.random.default_rng(0)
  actions = rng.integers(SPECIAL, size=(num_steps, game.num_agents))
  actions[-1, :2] = SPECIAL  # Until then nobody did.
  for each in actions.astype(np.int32):
    state, _ = step(state, each)
  return game.render(state)


def draw_cleanup(num_steps: int = 120) -> np.ndarray:
  """Draws Cleanup where two of five agents clean, and the others eat."""
  game = environments.functional('cleanup', num_agents=5)
  cooperates = np.arange(5) < 2

  @jax.jit
  def step(state, key):
    actions = scripted.cleanup(state, cooperates, key, 0.2)
    return game.step(state, actions)[0]

  state, _ = jax.jit(game.reset)(jax.random.PRNGKey(0))
  for key in jax.random.split(jax.random.PRNGKey(1), num_steps):
    state = step(state, key)
  return game.render(state)


def main() -> None:
  """Writes the pictures."""
  DIRECTORY.mkdir(exist_ok=True)
  drawn = {name: draw(name) for name in ('harvest', 'box_trapped')}
  for name, picture in {**drawn, 'cleanup': draw_cleanup()}.items():
    image = Image.fromarray(picture)
    # They have few colours, and so are small.
    image.quantize().save(DIRECTORY / f'{name}.png', optimize=True)


if __name__ == '__main__':
  main()
