"""Who may enter which cell, once more: one cell and one agent at a time."""

from collections.abc import Sequence

Cell = tuple[int, int]


def resolve_moves(
  positions: Sequence[Cell],
  wants: Sequence[Cell | None],
  ranks: Sequence[int],
) -> list[Cell]:
  """Returns where everyone stands after the moves.

  Args:
    positions: of all agents.
    wants: the cell each wants to be on, its own to stay; None for an agent
      that neither moves nor stays, and cannot be moved.
    ranks: of two rivals the one with the lower rank wins.
  """
  positions, wants = list(positions), list(wants)
  for cell in sorted({want for want in wants if want is not None}):
    rivals = [i for i, want in enumerate(wants) if want == cell]
    if len(rivals) > 1:
      winners = _winners(cell, rivals, positions, wants, ranks)
      for i in set(rivals) - set(winners):
        wants[i] = positions[i]

  waiting = {}
  for i, want in enumerate(wants):
    if want is not None and want != positions[i]:
      waiting[i] = want
  while waiting:
    settled = _settle(positions, waiting)
    if not settled:  # Only rings are left: all go on at once.
      for i, cell in waiting.items():
        positions[i] = cell
      break
    for i in settled:
      del waiting[i]
  return positions


def _winners(
  cell: Cell,
  rivals: Sequence[int],
  positions: Sequence[Cell],
  wants: Sequence[Cell | None],
  ranks: Sequence[int],
) -> list[int]:
  """Returns who goes on wanting a contested cell: one of the rivals or none."""
  if cell in positions:
    goal = wants[positions.index(cell)]
    stays = goal is None or goal == cell
    swaps = goal in [positions[i] for i in rivals]
    if stays or swaps:
      return []
  return [min(rivals, key=lambda i: ranks[i])]


def _settle(positions: list[Cell], waiting: dict[int, Cell]) -> list[int]:
  """Carries out or cancels one move; returns who has no longer to wait."""
  for i, cell in waiting.items():
    if cell not in positions:
      positions[i] = cell
      return [i]
    occupant = positions.index(cell)
    if occupant not in waiting:
      return [i]
    if waiting[occupant] == positions[i]:
      return [i, occupant]
  return []
