"""Lists the colours in which people see agents, in curves as in films.

Each has a contrast of at least 3 to a white page and to a dark one. The first
ones stay apart for the colour-blind.
"""

import itertools
import re
from collections.abc import Iterable

AGENTS = (
  '#0072B2',
  '#D55E00',
  '#C31E96',
  '#009E73',
  '#C369F0',
  '#D21E3C',
  '#876900',
  '#4B4BFF',
  '#FF4B87',
  '#A55A78',
  '#D200FF',
  '#0069F0',
  '#B478C3',
  '#3C8C96',
  '#4BA55A',
  '#A51ED2',
  '#C3783C',
  '#D21EC3',
  '#78693C',
  '#785A96',
)


def of_agents(agents: Iterable[str]) -> dict[str, str]:
  """Returns agent -> its colour, agents in order.

  Args:
    agents: names; of more than there are colours, some share one.
  """
  ordered = sorted(agents, key=natural_order)
  return dict(zip(ordered, itertools.cycle(AGENTS), strict=False))


def natural_order(name: str) -> list[str | int]:
  """A key that sorts agent_10 behind agent_2."""
  parts = re.split(r'(\d+)', name)
  return [int(part) if part.isdigit() else part for part in parts]


def rgb(colour: str) -> tuple[int, int, int]:
  """Returns (red, green, blue) of '#RRGGBB', each in [0, 255]."""
  red, green, blue = bytes.fromhex(colour[1:])
  return red, green, blue


def text(colour: tuple[int, int, int]) -> str:
  """Returns '#RRGGBB' of (red, green, blue)."""
  return f'#{bytes(colour).hex().upper()}'
