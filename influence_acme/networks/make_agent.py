"""The agent as one record of pure functions.

They are of ONE agent with a batch axis. Agents never share weights: a
population is `jax.vmap` over stacked parameters and over `own_index`.

Letters: N agents, A actions, M symbols, I influencers, B batch, F features, U
hidden units.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import haiku as hk
import jax.numpy as jnp

from influence_acme import checks
from influence_acme.networks import agent as agent_lib
from influence_acme.networks import pixel_conv
from influence_acme.networks import torso as torso_lib
from influence_acme.networks.records import (
  AgentNetworks,
  CoreState,
  Observation,
)


def make_agent_networks(
  num_agents: int,
  num_actions: int,
  hidden_size: int = 128,
  *,
  models_others: bool = True,
  num_influencers: int = 0,
  num_symbols: int = 0,
  embedding_size: int = 32,
  torso: torso_lib.Torso = pixel_conv.PixelConv,
) -> AgentNetworks:
  """Makes one agent of the paper's size.

  Args:
    num_agents: N, at least 2; at least 1 without inputs about others.
    num_actions: A, the same for all agents.
    hidden_size: U of both LSTMs.
    models_others: whether the agent has a MOA, and reads everyone's last
      actions; False for the paper's A3C baseline.
    num_influencers: I, how many agents act first within a step and are observed
      by the others; 0 if all act at once.
    num_symbols: M, how many messages there are; 0 without messages.
    embedding_size: of the linear layer before the message's head.
    torso: returns the module that maps 'world', [B, ...], to features, float32
      [B, F]; called inside a Haiku transform, see `torso`.

  Returns:
    Its pure functions.

  Raises:
    ValueError: there are too few agents, or no influencee.
  """
  has_others = bool(models_others or num_influencers or num_symbols)
  _check_agents(num_agents, num_influencers, has_others)
  checks.integer('num_actions', num_actions, 1)
  checks.integer('hidden_size', hidden_size, 1)
  checks.integer('num_symbols', num_symbols, 0)
  checks.integer('embedding_size', embedding_size, 1)
  checks.function('torso', torso)

  initial_state = functools.partial(_initial_state, hidden_size, models_others)
  sizes = num_agents, num_actions, hidden_size, models_others
  more_sizes = num_influencers, num_symbols, embedding_size
  build = functools.partial(
    _build, initial_state, models_others, (*sizes, *more_sizes, torso)
  )
  transformed = hk.without_apply_rng(hk.multi_transform(build))
  step, counterfactuals, unroll, step_and_counterfactuals = transformed.apply
  return AgentNetworks(
    init=transformed.init,
    initial_state=initial_state,
    step=step,
    counterfactuals=counterfactuals if models_others else None,
    unroll=unroll,
    step_and_counterfactuals=(
      step_and_counterfactuals if num_influencers or num_symbols else None
    ),
  )


def _initial_state(
  hidden_size: int, models_others: bool, batch_size: int
) -> CoreState:
  zeros = jnp.zeros((batch_size, hidden_size), jnp.float32)
  state = hk.LSTMState(hidden=zeros, cell=zeros)
  return CoreState(policy=state, moa=state if models_others else ())


def _build(
  initial_state: Callable[[int], CoreState],
  models_others: bool,
  arguments: Sequence[Any],
) -> tuple[Callable[..., None], tuple[Callable[..., Any], ...]]:
  """Makes the modules: a function for all parameters, and those to apply."""
  agent = agent_lib.Agent(*arguments)

  def touch_everything(observation: Observation) -> None:
    state = initial_state(observation['world'].shape[0])
    output, _ = agent.step(observation, state.policy)
    if models_others:
      agent.counterfactuals(
        output.moa_features, observation['actions'], state.moa, 0
      )

  return touch_everything, (
    agent.step,
    agent.counterfactuals,
    agent.unroll,
    agent.step_and_counterfactuals,
  )


def _check_agents(
  num_agents: int, num_influencers: int, has_others: bool
) -> None:
  """Raises ValueError: there are too few agents, or no influencee."""
  if has_others:
    checks.integer('num_agents', num_agents, 2, why=', to influence each other')
  checks.integer('num_agents', num_agents, 1)
  if not (
    checks.is_integer(num_influencers) and 0 <= num_influencers < num_agents
  ):
    raise ValueError(
      f'num_influencers is {num_influencers!r}: it must be in 0..'
      f'{num_agents - 1}, so that of {num_agents} agents one is influenced.'
    )
