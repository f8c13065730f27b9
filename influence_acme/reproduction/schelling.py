"""Schelling diagrams: what it pays to cooperate, given how many others do.

Letters: N agents, E episodes.
"""

import dataclasses
import functools
import os
from collections.abc import Callable
from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np
from matplotlib import figure as figure_lib
from matplotlib import ticker

from influence_acme import checks, environments, palette
from influence_acme.reproduction import scripted
from influence_acme.runs import curves

# Game -> what everyone does, as a function of state, who cooperates, and a key.
POLICIES: dict[str, Callable[..., chex.Array]] = {
  'cleanup': scripted.cleanup,
  'harvest': scripted.harvest,
}


@dataclasses.dataclass(frozen=True)
class Payoff:
  """Mean return of one agent in an episode, and its standard error.

  Attributes:
    others: how many of the other agents cooperate.
    mean: over agents of the kind and episodes.
    error: of the mean, over episodes.
  """

  others: int
  mean: float
  error: float


@dataclasses.dataclass(frozen=True)
class Diagram:
  """The payoffs of both kinds, N of each, by rising number of others.

  Attributes:
    game: name of the environment.
    cooperators: payoffs of agents that cooperate.
    defectors: payoffs of agents that do not.
  """

  game: str
  cooperators: tuple[Payoff, ...]
  defectors: tuple[Payoff, ...]

  def properties(self) -> dict[str, bool]:
    """Returns what makes a game a social dilemma, and whether it holds.

    It is one if the first two hold, and fear or greed: defecting pays more than
    cooperating if few, or if all others cooperate.
    """
    cooperate = [payoff.mean for payoff in self.cooperators]
    defect = [payoff.mean for payoff in self.defectors]
    return {
      'all cooperate > all defect': cooperate[-1] > defect[0],
      'all cooperate > being the only one': cooperate[-1] > cooperate[0],
      'fear: defecting pays if no other cooperates': defect[0] > cooperate[0],
      'greed: defecting pays if all others cooperate': (
        defect[-1] > cooperate[-1]
      ),
    }


def measure(
  game: str,
  *,
  num_agents: int = 5,
  num_episodes: int = 32,
  episode_length: int = 1000,
  seed: int = 0,
  **rule: Any,
) -> Diagram:
  """Plays E episodes of N agents with every number of cooperators.

  They follow the `rule` of their game in `POLICIES`, see `scripted`.

  Raises:
    ValueError: the game is unknown.
  """
  checks.one_of('game', game, POLICIES)
  environment = environments.functional(
    game, num_agents=num_agents, episode_length=episode_length
  )
  policy = functools.partial(POLICIES[game], **rule)

  def play(cooperates: chex.Array, key: jax.Array) -> chex.Array:
    """Returns float32 [N], everyone's return in one episode."""
    reset_key, key = jax.random.split(key)
    state, _ = environment.reset(reset_key)

    def step(state, key):
      state, result = environment.step(state, policy(state, cooperates, key))
      return state, result.reward

    keys = jax.random.split(key, episode_length)
    return jnp.sum(jax.lax.scan(step, state, keys)[1], axis=0)

  play_all = jax.jit(jax.vmap(play, in_axes=(None, 0)))
  keys = jax.random.split(jax.random.PRNGKey(seed), num_episodes)
  cooperators, defectors = [], []
  for count in range(num_agents + 1):
    cooperates = np.arange(num_agents) < count
    returns = np.asarray(play_all(cooperates, keys), np.float64)  # [E, N]
    if count:
      cooperators.append(_payoff(count - 1, returns[:, cooperates]))
    if count < num_agents:
      defectors.append(_payoff(count, returns[:, ~cooperates]))
  return Diagram(game, tuple(cooperators), tuple(defectors))


def draw(diagrams: list[Diagram], path: str | os.PathLike[str]) -> None:
  """Draws diagrams side by side."""
  size = (5 * len(diagrams), 3.8)
  figure = figure_lib.Figure(size, dpi=120, layout='constrained')
  all_axes = figure.subplots(1, len(diagrams), squeeze=False)[0]
  for axes, diagram in zip(all_axes, diagrams, strict=True):
    curves.style_axes(axes, diagram.game.capitalize())
    for (name, payoffs), colour in zip(
      {
        'cooperator': diagram.cooperators,
        'defector': diagram.defectors,
      }.items(),
      palette.AGENTS,
      strict=False,
    ):
      axes.errorbar(
        [payoff.others for payoff in payoffs],
        [payoff.mean for payoff in payoffs],
        [2 * payoff.error for payoff in payoffs],
        marker='o',
        markersize=4,
        color=colour,
        label=name,
      )
    axes.xaxis.set_major_locator(ticker.MaxNLocator(integer=True))
    axes.set_xlabel('other agents that cooperate', color=curves.FAINT)
    axes.set_ylabel('return of an agent', color=curves.FAINT)
    axes.legend(frameon=False, fontsize='small')
  figure.savefig(path)


def _payoff(others: int, returns: np.ndarray) -> Payoff:
  """Returns a payoff; episodes are independent, agents in one are not."""
  means = returns.mean(axis=1)  # [E]
  error = means.std(ddof=1) / np.sqrt(len(means)) if len(means) > 1 else np.nan
  return Payoff(others, float(means.mean()), float(error))
