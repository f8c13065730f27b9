"""Draws the pictures of docs/idea.md, by the numbers of the README.

It takes no arguments: `python tools/draw_idea.py`.
"""

import pathlib

import numpy as np
from matplotlib import figure as figure_lib

from influence_acme import ops

DIRECTORY = pathlib.Path(__file__).parents[1] / 'docs' / 'pictures'

# [K, J, A]: what two others do next, had I played 0 or 1.
OTHERS = np.array([[[0.9, 0.1], [0.5, 0.5]], [[0.2, 0.8], [0.5, 0.5]]])
POLICY = np.array([0.5, 0.5])  # [K]
ACTION = 0

_BLUE, _ORANGE, _GREY = '#0072b2', '#d55e00', '#999999'


def _bars(axes, probabilities, color):
  """Draws what another agent does, [A]."""
  axes.bar(['0', '1'], probabilities, color=color, width=0.7)
  axes.set_ylim(0, 1.12)
  axes.set_yticks([])
  axes.spines[['top', 'right', 'left']].set_visible(False)
  for x, probability in enumerate(probabilities):
    axes.text(x, probability + 0.02, f'{probability:.2f}', ha='center')


def draw_counterfactuals():
  """Draws how the reward comes about, a row for each other agent."""
  output = ops.influence_reward(
    np.log(OTHERS), np.log(POLICY), np.array(ACTION), measure='kl'
  )
  marginal = np.exp(output.marginal_log_probs)  # [J, A]
  figure = figure_lib.Figure((8, 4.4), dpi=140, layout='constrained')
  axes = figure.subplots(2, 4, width_ratios=[1, 1, 1, 0.9])
  titles = (
    'had I played 0\n(I did)',
    'had I played 1',
    'on average\n(I play both alike)',
    'influence',
  )
  for ax, title in zip(axes[0], titles, strict=True):
    ax.set_title(title, fontsize='medium')
  for j, row in enumerate(axes):
    _bars(row[0], OTHERS[0, j], _BLUE)
    _bars(row[1], OTHERS[1, j], _GREY)
    _bars(row[2], marginal[j], _ORANGE)
    row[0].set_ylabel(('who mostly copies me', 'who does not care')[j])
    row[3].axis('off')
    row[3].text(
      0.5,
      0.5,
      f'{output.per_agent[j]:.2f}\nnats',
      ha='center',
      va='center',
      fontsize='xx-large',
      transform=row[3].transAxes,
    )
  figure.supxlabel('what the other does next', fontsize='medium')
  return figure


def draw_reliability():
  """Draws influence by how surely another copies me, for two policies."""
  surely = np.linspace(0.5, 1, 101)
  # [S, K, J, A]: it does what I do with this probability.
  others = np.stack(
    [np.stack([surely, 1 - surely], -1), np.stack([1 - surely, surely], -1)], 1
  )[:, :, None]
  figure = figure_lib.Figure((6, 3.4), dpi=140, layout='constrained')
  axes = figure.subplots()
  for often, color in ((0.9, _GREY), (0.5, _BLUE), (0.1, _ORANGE)):
    policy = np.broadcast_to([often, 1 - often], (len(surely), 2))
    with np.errstate(divide='ignore'):
      output = ops.influence_reward(
        np.log(others), np.log(policy), np.zeros(len(surely), int), measure='kl'
      )
    axes.plot(surely, output.reward, color=color)
    axes.axhline(-np.log(often), color=color, ls=':', lw=1)
    label = f'{often:.0%} of my actions'
    axes.text(1.01, output.reward[-1], label, color=color)
  axes.set(
    xlim=(0.5, 1),
    ylim=(0, 2.5),
    xlabel='how surely the other copies me',
    ylabel='influence of the action, nats',
  )
  axes.spines[['top', 'right']].set_visible(False)
  return figure


def main() -> None:
  """Writes the pictures."""
  DIRECTORY.mkdir(exist_ok=True)
  for draw in (draw_counterfactuals, draw_reliability):
    name = draw.__name__.removeprefix('draw_')
    draw().savefig(DIRECTORY / f'{name}.png')


if __name__ == '__main__':
  main()
