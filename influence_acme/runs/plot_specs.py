"""Lists what a run logs: the diagrams, by groups, and the table's rows."""

import dataclasses

# Of an axis: lowest and highest value; None: as the values have it, with 0.
Limits = tuple[float | None, float | None]
_NATURAL: Limits = (None, None)
_SHARE: Limits = (0.0, 1.0)


@dataclasses.dataclass(frozen=True)
class Panel:
  """One diagram.

  Attributes:
    group: of diagrams that belong together.
    title: what is shown.
    unit: of the vertical axis.
    name: of the column to show, and of those of the agents, `name/agent_i`.
    form: how a table shows the value; '' if none does.
    limits: of the vertical axis.
    least: what the vertical axis shows at least, so that noise looks like it.
    exact: whether the values are without noise, and not to be smoothed.
    is_count: whether agents' values are summed in a table, not averaged.
    is_common: whether a table has a row for it also where nothing logs it.
  """

  group: str
  title: str
  unit: str
  name: str
  form: str = ''
  limits: Limits = _NATURAL
  least: float = 0.0
  exact: bool = False
  is_count: bool = False
  is_common: bool = True


def _count(title: str, unit: str, name: str) -> Panel:
  return Panel(_EVENTS, title, unit, name, ',.1f', is_count=True)


def _coordination(title: str, name: str, *, is_common: bool) -> Panel:
  return Panel(
    _CHOICES, title, 'coordination, nats', name, '.3f', is_common=is_common
  )


_RETURNS, _EVENTS = 'Returns', 'What agents do'
_INFLUENCE, _CHOICES = 'Influence', 'Messages and coordination'
_MODELS, _LEARNING = 'Models of others', 'Learning'
_EPISODE = 'reward per episode'

PANELS = (
  Panel(_RETURNS, 'Collective return', _EPISODE, 'collective_return', '.1f'),
  Panel(_RETURNS, 'Return of each agent', _EPISODE, 'episode_return'),
  Panel(_RETURNS, 'Equality', '1 - Gini', 'equality', '.3f', _SHARE),
  Panel(_RETURNS, 'Return x equality', 'R (1 - G)', 'fair_return', '.1f'),
  Panel(_RETURNS, 'Efficiency', 'reward of all, per step', 'efficiency'),
  Panel(
    _RETURNS, 'Sustainability', 'mean rewarded step', 'sustainability', '.1f'
  ),
  _count('Apples', 'eaten per episode', 'apples'),
  _count('Waste cleaned', 'cells per episode', 'waste_cleaned'),
  Panel(_EVENTS, 'Waste in the river', "cells at the episode's end", 'waste'),
  _count('Fining beams', 'fired per episode', 'beams'),
  _count('Fines', 'hits taken per episode', 'hits'),
  Panel(_EVENTS, 'Peace', 'agents not hit in a step', 'peace', '.3f'),
  Panel(
    _EVENTS,
    'Opened boxes',
    'share of episodes',
    'box_opened',
    '.1%',
    _SHARE,
    is_common=False,
  ),
  # 1% of the logarithm of eight actions.
  Panel(
    _INFLUENCE, 'Influence', 'nats per step', 'influence', '.3g', least=0.02
  ),
  Panel(_INFLUENCE, 'Weight of influence', '', 'influence_weight', exact=True),
  Panel(
    _INFLUENCE,
    'Influential steps',
    'share',
    'influential_share',
    '.1%',
    _SHARE,
  ),
  Panel(
    _CHOICES,
    'Speaker consistency',
    '1: a symbol for each action',
    'speaker_consistency',
    '.3f',
    _SHARE,
    is_common=False,
  ),
  _coordination('Message to action', 'message_coordination', is_common=False),
  _coordination(
    'Message to action, influential steps',
    'message_coordination_influential',
    is_common=False,
  ),
  _coordination('Action to action', 'action_coordination', is_common=True),
  _coordination(
    'Action to action, influential steps',
    'action_coordination_influential',
    is_common=True,
  ),
  Panel(
    _MODELS,
    'MOA accuracy',
    'of next actions',
    'moa_accuracy',
    '.1%',
    _SHARE,
    is_common=False,
  ),
  Panel(
    _MODELS,
    'MOA calibration error',
    'confidence against accuracy',
    'moa_calibration_error',
    '.1%',
    _SHARE,
    is_common=False,
  ),
  Panel(_MODELS, 'MOA loss', 'nats per action', 'moa_loss'),
  Panel(
    _MODELS, 'MOA skill', 'nats per action beyond frequencies', 'moa_skill'
  ),
  Panel(_LEARNING, 'Policy loss', '', 'policy_loss'),
  Panel(_LEARNING, 'Value loss', '', 'value_loss'),
  Panel(_LEARNING, 'Policy entropy', 'nats', 'entropy', '.2f'),
)
