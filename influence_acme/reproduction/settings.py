"""Names the settings that a variant of a sweep is run with.

paper         the best ones that the paper found, `presets`
setting_NNN   drawn around them, `search`
practical     those that learn in millions of steps, `system.practical`
share_X       the same, with X as the share of influence in the return
"""

import functools
from collections.abc import Iterable
from typing import Any

from influence_acme.reproduction import search as search_lib
from influence_acme.system import config as config_lib
from influence_acme.system import practical, presets, variants

PAPER = 'paper'
PRACTICAL = 'practical'  # Also the name of the experiment that has them.
_DRAWN = 'setting_'
_SHARE = 'share_'

SHARES = (0.3,)
# Experiment -> its variants: the paper's, and all of them side by side.
EXPERIMENTS = {**presets.EXPERIMENTS, PRACTICAL: variants.VARIANTS}


def games(experiment: str) -> tuple[str, ...]:
  """Returns the games that an experiment is made in."""
  if experiment == PRACTICAL:
    return tuple(practical.NUM_STEPS)
  return presets.GAMES


def check(experiment: str, search: int, shares: tuple[float, ...]) -> None:
  """Raises ValueError: an option has no meaning in the experiment."""
  if search and experiment == PRACTICAL:
    raise ValueError(
      f'search is {search}: it must be 0 in the experiment {experiment!r}; the '
      'paper has settings to draw around.'
    )
  if shares != SHARES and experiment != PRACTICAL:
    raise ValueError(
      f'shares is {shares}: it must be left out in the experiment '
      f'{experiment!r}; the paper adds plain nats.'
    )


def sizes(experiment: str, num_environments: int | None) -> dict[str, int]:
  """Returns the fields that say how many environments are played at once.

  Args:
    experiment: of the sweep.
    num_environments: None for the number of the settings, which is 144 in the
      paper's experiments; 0 for one, whose sequences make batches of 32.
  """
  if num_environments is None:
    if experiment == PRACTICAL:
      return {}
    num_environments = 144
  batch_size = num_environments or 32
  return {'batch_size': batch_size, 'max_queue_size': 2 * batch_size}


def of_practice(
  game: str, variant: str, shares: Iterable[float], fields: dict[str, Any]
) -> dict[str, config_lib.InfluenceConfig]:
  """Returns the practical configurations of a variant by setting.

  There is one for each share of influence in the return, if the variant is
  rewarded for it. Further fields are as of `sizes`.
  """
  if variant not in variants.names(rewarded=True):
    return {PRACTICAL: practical.make_config(game, variant, **fields)}
  return {
    f'{_SHARE}{float(share)!r}': practical.make_config(
      game, variant, normalise_influence=True, influence_weight=share, **fields
    )
    for share in shares
  }


def of_paper(
  column: tuple[str, str, str],
  fields: dict[str, Any],
  *,
  count: int,
  seed: int,
  num_agents: int,
) -> dict[str, config_lib.InfluenceConfig]:
  """Returns the configurations of a column of the paper's tables by setting.

  Args:
    column: experiment, game and variant.
    fields: further ones, see `sizes`.
    count: of settings that are drawn; 0 for the paper's own.
    seed: of the draws.
    num_agents: in each environment.
  """
  drawn: dict[str, dict[str, Any]] = {
    f'{_DRAWN}{i:03d}': search_lib.draw(
      *column, index=i, seed=seed, num_agents=num_agents
    )
    for i in range(count)
  }
  make_config = functools.partial(presets.make_config, *column)
  return {
    name: make_config(**fields, **setting)
    for name, setting in (drawn or {PAPER: {}}).items()
  }


def of_names(names: Iterable[str]) -> dict[str, Any]:
  """Returns the fields of a sweep that has settings of these names.

  Where settings of the paper's and drawn ones lie side by side, it has the
  former.
  """
  found = set(names)
  fields: dict[str, Any] = {}
  shares = sorted(
    float(x.removeprefix(_SHARE)) for x in found if x.startswith(_SHARE)
  )
  if shares:
    fields['shares'] = tuple(shares)
  drawn = [int(x.removeprefix(_DRAWN)) for x in found if x.startswith(_DRAWN)]
  if drawn and PAPER not in found:
    fields['search'] = max(drawn) + 1
  return fields
