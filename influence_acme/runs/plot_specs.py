"""Lists the diagrams of a run, by groups."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Panel:
  """One diagram.

  Attributes:
    group: of diagrams that belong together.
    title: what is shown.
    unit: of the vertical axis.
    name: of the column to show, and of those of the agents, `name/agent_i`.
    limits: of the vertical axis; by default as the values have it.
    exact: whether the values are without noise, and not to be smoothed.
  """

  group: str
  title: str
  unit: str
  name: str
  limits: tuple[float, float] | None = None
  exact: bool = False


_RETURNS, _EVENTS = 'Returns', 'What agents do'
_INFLUENCE, _CHOICES = 'Influence', 'Messages and coordination'
_MODELS, _LEARNING = 'Models of others', 'Learning'

PANELS = (
  Panel(
    _RETURNS, 'Collective return', 'reward per episode', 'collective_return'
  ),
  Panel(
    _RETURNS, 'Return of each agent', 'reward per episode', 'episode_return'
  ),
  Panel(_RETURNS, 'Equality of returns', '1 - Gini coefficient', 'equality'),
  Panel(
    _RETURNS,
    'Collective return x equality',
    'R (1 - G) per episode',
    'fair_return',
  ),
  Panel(_RETURNS, 'Efficiency', 'reward of all, per step', 'efficiency'),
  Panel(_RETURNS, 'Sustainability', 'mean rewarded step', 'sustainability'),
  Panel(_EVENTS, 'Apples', 'eaten per episode', 'apples'),
  Panel(_EVENTS, 'Waste cleaned', 'cells per episode', 'waste_cleaned'),
  Panel(_EVENTS, 'Waste in the river', "cells at the episode's end", 'waste'),
  Panel(_EVENTS, 'Fining beams', 'fired per episode', 'beams'),
  Panel(_EVENTS, 'Fines', 'hits taken per episode', 'hits'),
  Panel(_EVENTS, 'Peace', 'agents that no beam hits, in a step', 'peace'),
  Panel(
    _EVENTS, 'Opened boxes', 'share of episodes', 'box_opened', limits=(0, 1)
  ),
  Panel(
    _INFLUENCE, 'Influence reward', 'nats per step, unweighted', 'influence'
  ),
  Panel(
    _INFLUENCE,
    'Weight of the influence reward',
    '',
    'influence_weight',
    exact=True,
  ),
  Panel(_INFLUENCE, 'Influential steps', 'share', 'influential_share'),
  Panel(
    _CHOICES,
    'Speaker consistency',
    '1: a symbol for each action',
    'speaker_consistency',
    limits=(0, 1),
  ),
  Panel(
    _CHOICES,
    'Message to action, all steps',
    'coordination, nats',
    'message_coordination',
  ),
  Panel(
    _CHOICES,
    'Message to action, influential steps',
    'coordination, nats',
    'message_coordination_influential',
  ),
  Panel(
    _CHOICES,
    'Action to action, all steps',
    'coordination, nats',
    'action_coordination',
  ),
  Panel(
    _CHOICES,
    'Action to action, influential steps',
    'coordination, nats',
    'action_coordination_influential',
  ),
  Panel(
    _MODELS, 'MOA accuracy', 'of next actions', 'moa_accuracy', limits=(0, 1)
  ),
  Panel(
    _MODELS,
    'MOA calibration error',
    'confidence against accuracy',
    'moa_calibration_error',
  ),
  Panel(_MODELS, 'MOA loss', 'nats per action', 'moa_loss'),
  Panel(_LEARNING, 'Policy loss', '', 'policy_loss'),
  Panel(_LEARNING, 'Value loss', '', 'value_loss'),
  Panel(_LEARNING, 'Policy entropy', 'nats', 'entropy'),
)
