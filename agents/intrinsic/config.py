"""Defines the hyper-parameters of the model of others of an inner agent."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from acme import specs

from influence_acme import checks, networks, ops


@dataclasses.dataclass(frozen=True)
class MOAConfig:
  """Configures the model of other agents (MOA), and validates its fields.

  The first four fields follow from the environment: see `of`.

  Attributes:
    own_index: index of the inner agent, in the agents' order.
    num_agents: N, at least 2.
    num_actions: A, of every agent.
    view_shape: of the agent's 'world': H, W and C of uint8 pixels, or D of a
      float32 vector.
    hidden_size: units of the MOA's LSTM.
    influence_measure: 'kl', 'jsd' or 'pmi'; not 'pmi' for transitions.
    influence_weight: beta, the weight of influence in the reward.
    influence_curriculum_steps: C, over which the weight rises from 0 to beta;
      0: it is beta from the start. In steps of all actors, which the counter
      has under 'environment_steps' or, in Acme's layouts, 'actor_steps'.
    moa_only_visible: if True, the MOA learns only about agents in view. (The
      influence reward is always of agents in view only.)
    burn_in_length: rows at the start of a sequence that only warm up the MOA's
      state: they have no loss and no influence. For inner learners that do not
      learn from them either, as R2D2.
    learning_rate: of Adam.
    adam_epsilon: of Adam.
    max_gradient_norm: clip of the MOA's gradient.
  """

  own_index: int
  num_agents: int
  num_actions: int
  view_shape: tuple[int, ...]
  hidden_size: int = 128
  influence_measure: str = 'kl'
  influence_weight: float = 0.1
  influence_curriculum_steps: int = 0
  moa_only_visible: bool = True
  burn_in_length: int = 0
  learning_rate: float = 1e-3
  adam_epsilon: float = 1e-5
  max_gradient_norm: float = 40.0

  @classmethod
  def of(
    cls,
    environment_spec: specs.EnvironmentSpec,
    own_index: int,
    **settings: Any,
  ) -> MOAConfig:
    """Makes the configuration for an environment.

    Args:
      environment_spec: of the inner agent's own environment, with observations
        'world' and 'actions', see `wrappers.OthersActionsWrapper`.
      own_index: index of the inner agent.
      **settings: values of other fields.

    Returns:
      The configuration.

    Raises:
      ValueError: an entry of the observation is missing, 'world' is neither
        pixels nor a vector, actions are not discrete, or a field is out of
        range.
    """
    observations = environment_spec.observations
    names = 'world', 'actions', 'visible'
    if not isinstance(observations, Mapping) or not all(
      name in observations for name in names
    ):
      has = list(observations) if isinstance(observations, Mapping) else 'none'
      raise ValueError(
        f'The observations have {has}: they must be a dict of one agent, with '
        f'{", ".join(names)}. Wrap the multi-agent environment in '
        'influence_acme.wrappers.OthersActionsWrapper, and take the spec of '
        'one agent, as of multiagent.agent_spec.'
      )
    if not isinstance(environment_spec.actions, specs.DiscreteArray):
      raise ValueError(
        f'The actions are {environment_spec.actions!r}: they must be a '
        'DiscreteArray.'
      )
    world, actions = observations['world'], observations['actions']
    networks.default_torso(world.shape, world.dtype)  # Refuses all others.
    return cls(
      own_index=own_index,
      num_agents=actions.shape[0],
      num_actions=1
      + int(max(actions.maximum.max(), environment_spec.actions.maximum)),
      view_shape=tuple(world.shape),
      **settings,
    )

  def __post_init__(self):
    """Raises ValueError: a field is out of range."""
    checks.normalise(self)
    checks.count(self, 'num_agents', low=2)
    checks.integer('own_index', self.own_index, 0, self.num_agents - 1)
    checks.choice(self, 'influence_measure', ops.MEASURES)
    checks.boolean(self, 'moa_only_visible')
    sizes = self.view_shape if isinstance(self.view_shape, tuple) else ()
    try:
      networks.default_torso(sizes, _dtype(sizes))
    except ValueError as error:
      raise ValueError(
        f'view_shape is {self.view_shape!r}: it must be a tuple of height and '
        'width, both at least 3, and channels; or of the length of a vector.'
      ) from error
    checks.count(self, 'num_actions', 'hidden_size')
    checks.count(self, 'influence_curriculum_steps', 'burn_in_length', low=0)
    checks.number(self, 'influence_weight')
    checks.positive(self, 'learning_rate', 'adam_epsilon', 'max_gradient_norm')

  @property
  def view_dtype(self) -> np.dtype:
    """The dtype of the agent's 'world': float32 of a vector, else uint8."""
    return _dtype(self.view_shape)


def _dtype(shape: Sequence[int]) -> np.dtype:
  return np.dtype(np.float32 if len(shape) == 1 else np.uint8)


def influence_weight(config: MOAConfig, environment_steps: int) -> float:
  """Computes the curriculum: a linear rise from 0 to beta over C steps.

  Args:
    config: with beta and C.
    environment_steps: global ones.

  Returns:
    The weight w(t) of the influence in the reward.
  """
  curriculum_steps = config.influence_curriculum_steps
  if environment_steps >= curriculum_steps:
    return float(config.influence_weight)
  return config.influence_weight * environment_steps / curriculum_steps
