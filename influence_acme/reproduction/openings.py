"""Box Trapped, the paper's proof of concept: is the box opened, and when?

Letters: E episodes, T steps.
"""

import dataclasses
import json
import os
import pathlib
from collections.abc import Sequence

import numpy as np
from matplotlib import figure as figure_lib

from influence_acme import palette
from influence_acme.environments import box_trapped
from influence_acme.runs import config_file, curves, episode_record

# How many steps before and after an opening its trace shows.
AROUND = 5


@dataclasses.dataclass(frozen=True)
class Openings:
  """Counts the openings of E episodes of one trained population.

  Attributes:
    variant: of the agent.
    seed: of the run.
    times: E of them, the step (from 0) of an episode's first opening; None if
      the box stayed shut.
    trace: 2 * AROUND + 1, nats: the mean influence of agent_0 on agent_1 in the
      steps around these openings, the opening in the middle; None where no
      episode has such a step. Empty if the agents measure no influence.
  """

  variant: str
  seed: int
  times: tuple[int | None, ...]
  trace: tuple[float | None, ...]

  @property
  def share(self) -> float:
    """The share of episodes in which the box is opened."""
    return float(np.mean([time is not None for time in self.times]))


def measure(
  variant: str, seed: int, episodes: Sequence[episode_record.EpisodeRecord]
) -> Openings:
  """Finds the openings in E episodes of Box Trapped."""
  times: list[int | None] = []
  around = []
  for episode in episodes:
    opens = np.flatnonzero(episode.actions[:, 0] == box_trapped.OPEN_BOX)
    times.append(int(opens[0]) if opens.size else None)
    if opens.size and episode.influence is not None:
      beyond = np.full(AROUND, np.nan)
      padded = np.concatenate([beyond, episode.influence[:, 0, 1], beyond])
      around.append(padded[opens[0] : opens[0] + 2 * AROUND + 1])
  trace = [
    None if np.isnan(x).all() else float(np.nanmean(x))
    for x in np.transpose(around)
  ]
  return Openings(variant, seed, tuple(times), tuple(trace))


def write(path: pathlib.Path, openings: Openings) -> None:
  """Writes openings as JSON."""
  content = {**dataclasses.asdict(openings), 'share': openings.share}
  config_file.write_json(path, content)


def read(path: pathlib.Path) -> Openings:
  """Reads what `write` wrote."""
  content = json.loads(path.read_text(encoding='utf-8'))
  return Openings(
    content['variant'],
    content['seed'],
    tuple(content['times']),
    tuple(content['trace']),
  )


def in_words(populations: Sequence[Openings]) -> str:
  """Returns in how many episodes of each variant the box is opened."""
  shares = [
    (*_share(group), variant)
    for variant, group in _by_variant(populations).items()
  ]
  told = [
    f'{share:.1%} of {count:,} episodes of {variant}'
    for share, count, variant in sorted(shares, reverse=True)
  ]
  return f'agent_0 lets agent_1 out of its box in {", against ".join(told)}.'


def draw(populations: Sequence[Openings], path: str | os.PathLike[str]) -> None:
  """Draws when boxes are opened, and the influence around it, by variant."""
  figure = figure_lib.Figure((10, 3.8), dpi=120, layout='constrained')
  histogram, traces = figure.subplots(1, 2)
  curves.style_axes(histogram, 'When the box is opened first')
  curves.style_axes(traces, 'Influence around the opening')
  for (variant, group), colour in zip(
    _by_variant(populations).items(), palette.AGENTS, strict=False
  ):
    times = [x for each in group for x in each.times if x is not None]
    steps, counts = np.unique(times, return_counts=True)
    share, num_episodes = _share(group)
    histogram.bar(
      steps,
      counts / num_episodes,
      color=colour,
      alpha=0.7,
      label=f'{variant}: {share:.1%} of {num_episodes} episodes',
    )
    for each in group:
      if each.trace:
        nats = np.asarray(each.trace, np.float64)  # None is NaN.
        traces.plot(np.arange(-AROUND, AROUND + 1), nats, color=colour)
  for axes, x, y in (
    (histogram, 'step of the episode', 'share of episodes'),
    (traces, 'steps after the opening', 'influence on agent_1 (nats)'),
  ):
    axes.set_xlabel(x, color=curves.FAINT)
    axes.set_ylabel(y, color=curves.FAINT)
  histogram.legend(frameon=False, fontsize='small')
  figure.savefig(path)


def _by_variant(populations: Sequence[Openings]) -> dict[str, list[Openings]]:
  found: dict[str, list[Openings]] = {}
  for each in populations:
    found.setdefault(each.variant, []).append(each)
  return found


def _share(group: Sequence[Openings]) -> tuple[float, int]:
  """Returns the share of episodes with an opening, and how many there are."""
  times = [time for each in group for time in each.times]
  return float(np.mean([time is not None for time in times])), len(times)
