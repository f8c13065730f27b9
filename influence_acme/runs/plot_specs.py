"""Lists what a run logs: the diagrams, by groups, and the table's rows."""

import dataclasses
import functools

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

  @property
  def is_common(self) -> bool:
    """Returns whether a table has a row for it where nothing logs it, too."""
    return self.name not in _RARE


# What only some experiments log.
_RARE = (
  *('box_opened', 'speaker_consistency', 'message_coordination'),
  *('message_coordination_influential', 'moa_accuracy'),
  'moa_calibration_error',
)

_returns, _events, _influence, _choices, _models, _learning = (
  functools.partial(Panel, group)
  for group in (
    *('Returns', 'What agents do', 'Influence', 'Messages and coordination'),
    *('Models of others', 'Learning'),
  )
)
_count = functools.partial(_events, form=',.1f', is_count=True)
_coordination = functools.partial(
  _choices, unit='coordination, nats', form='.3f'
)
_EPISODE = 'reward per episode'

PANELS = (
  _returns('Collective return', _EPISODE, 'collective_return', '.1f'),
  _returns('Return of each agent', _EPISODE, 'episode_return'),
  _returns('Equality', '1 - Gini', 'equality', '.3f', _SHARE),
  _returns('Return x equality', 'R (1 - G)', 'fair_return', '.1f'),
  _returns('Efficiency', 'reward of all, per step', 'efficiency'),
  _returns('Sustainability', 'mean rewarded step', 'sustainability', '.1f'),
  _count('Apples', 'eaten per episode', 'apples'),
  _count('Waste cleaned', 'cells per episode', 'waste_cleaned'),
  _events('Waste in the river', "cells at the episode's end", 'waste'),
  _count('Fining beams', 'fired per episode', 'beams'),
  _count('Fines', 'hits taken per episode', 'hits'),
  _events('Peace', 'agents not hit in a step', 'peace', '.3f'),
  _events('Opened boxes', 'share of episodes', 'box_opened', '.1%', _SHARE),
  # 1% of the logarithm of eight actions.
  _influence('Influence', 'nats per step', 'influence', '.3g', least=0.02),
  _influence('Weight of influence', '', 'influence_weight', exact=True),
  _influence('Influential steps', 'share', 'influential_share', '.1%', _SHARE),
  _choices(
    'Speaker consistency',
    '1: a symbol for each action',
    'speaker_consistency',
    '.3f',
    _SHARE,
  ),
  _coordination('Message to action', name='message_coordination'),
  _coordination(
    'Message to action, influential steps',
    name='message_coordination_influential',
  ),
  _coordination('Action to action', name='action_coordination'),
  _coordination(
    'Action to action, influential steps',
    name='action_coordination_influential',
  ),
  _models('MOA accuracy', 'of next actions', 'moa_accuracy', '.1%', _SHARE),
  _models(
    'MOA calibration error',
    'confidence against accuracy',
    'moa_calibration_error',
    '.1%',
    _SHARE,
  ),
  _models('MOA loss', 'nats per action', 'moa_loss'),
  _models('MOA skill', 'nats per action beyond frequencies', 'moa_skill'),
  _learning('Policy loss', '', 'policy_loss'),
  _learning('Value loss', '', 'value_loss'),
  _learning('Policy entropy', 'nats', 'entropy', '.2f'),
)
