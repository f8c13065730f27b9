"""How the population acts: pure functions, see `types`.

`deciding` says who acts when. What their influence is judged by differs from
experiment to experiment:

  'turns'   the policies of those who act later in the step (`turns`)
  'speech'  the policies of those who hear a message, a step later (`speech`)
  'models'  models of what the others do in the next step (`models`)

and `judging` says how. An agent takes part in one of them, or in none, and has
no influence in the others: so what is paid is their sum.

Letters: N agents, B environments, U hidden units.
"""

import functools
from collections.abc import Callable, Mapping
from typing import NamedTuple

import chex
import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np

from influence_acme import networks as networks_lib
from influence_acme.system import (
  act,
  basic,
  communication,
  counterfactuals,
  moa,
  reward_shaping,
  variants,
)
from influence_acme.system import config as config_lib
from influence_acme.system import networks as system_networks
from influence_acme.system import types as system_types


class Judge(NamedTuple):
  """How the influence of one experiment is judged.

  Attributes:
    influence: (Judged step, Judged following step or None) -> float32 [N, ...].
    delay: 1 if it needs the following step, else 0.
  """

  influence: Callable[
    [system_types.Judged, system_types.Judged | None], chex.Array
  ]
  delay: int


# The same functions again: what is compiled of them is compiled once.
@functools.lru_cache(maxsize=8)
def make_joint_policy(
  networks: system_networks.InfluenceNetworks,
  config: config_lib.InfluenceConfig,
) -> system_types.JointPolicy:
  """Makes the population's pure functions.

  Args:
    networks: of the population.
    config: that they were made for; gives the variant, and how its influence is
      measured.

  Returns:
    The functions.
  """
  num_agents = len(networks.agent_ids)
  agent = networks.agent
  num_influencers = config.num_influencers if config.takes_turns else 0
  groups = variants.Groups(
    *(
      np.broadcast_to(who, num_agents)
      for who in variants.groups(config.variant)
    )
  )
  judges = _make_judges(config)
  delay = max((judge.delay for judge in judges.values()), default=0)
  # Of what is judged within a step, an episode's last step has influence too.
  at_once = {name: x for name, x in judges.items() if not x.delay}

  def initial_state(batch_size: int) -> networks_lib.CoreState:
    return jax.tree_util.tree_map(
      lambda x: jnp.broadcast_to(x, (num_agents, *x.shape)),
      agent.initial_state(batch_size),
    )

  return system_types.JointPolicy(
    agent_ids=networks.agent_ids,
    initial_state=initial_state,
    act=functools.partial(act.act, agent, groups, num_influencers),
    observe=functools.partial(observe, agent, groups, num_influencers),
    influence=functools.partial(influence, judges),
    delay=delay,
    at_end=functools.partial(influence, at_once) if delay and at_once else None,
    shape=reward_shaping.make_shape_fn(config),
  )


def observe(
  agent: networks_lib.AgentNetworks,
  groups: variants.Groups,
  num_influencers: int,
  params: chex.ArrayTree,
  observation: networks_lib.Observation,
  core_state: networks_lib.CoreState,
  decision: system_types.Decision,
  next_observation: networks_lib.Observation,
  is_last: chex.Array,
) -> tuple[networks_lib.CoreState, dict[str, counterfactuals.Inputs]]:
  """Goes on, once everyone's actions are known.

  Args:
    agent: one agent's functions.
    groups: bool [N] each, who takes part in what.
    num_influencers: how many act first; 0 if all act at once.
    params: stacked, [N, ...].
    observation: stacked, [N, B, ...].
    core_state: float32 [N, B, U] each, before the step.
    decision: of the step.
    next_observation: stacked, [N, B, ...].
    is_last: bool [B], whether nobody acts on it, since it ends an episode.

  Returns:
    The next recurrent states, and what influence is judged by, by experiment.
  """
  moa_state: hk.LSTMState | tuple[()] = ()
  inputs: dict[str, counterfactuals.Inputs] = {}
  if groups.turns.any():
    inputs['turns'] = basic.inputs(num_influencers, groups.turns, decision)
  if groups.speech.any():
    inputs['speech'] = communication.inputs(groups.speech, decision)
  if groups.models.any():
    moa_state, inputs['models'] = moa.observe(
      agent,
      groups.models,
      params,
      observation,
      core_state.moa,
      decision,
      next_observation,
      is_last,
    )
  return networks_lib.CoreState(decision.memory.policy_state, moa_state), inputs


def influence(
  judges: Mapping[str, Judge],
  step: system_types.Judged,
  following: system_types.Judged | None = None,
) -> chex.Array:
  """Returns the influence of one step, float32 [N, ...], nats.

  Args:
    judges: by experiment.
    step: the one that is judged.
    following: the next one; None if no judge needs it.
  """
  total = jnp.zeros(system_types.actions_of(step.actions).shape, jnp.float32)
  for name, judge in judges.items():
    of_step, of_next = (
      None if x is None else system_types.Judged(x.actions, x.inputs[name])
      for x in (step, following if judge.delay else None)
    )
    assert of_step is not None
    total += judge.influence(of_step, of_next)
  return total


def _make_judges(config: config_lib.InfluenceConfig) -> dict[str, Judge]:
  """Returns the judge of each experiment that some take part in."""
  measure = config.influence_measure
  judges: dict[str, Judge] = {}
  if config.takes_turns:
    at_once = functools.partial(
      counterfactuals.influence_at_once, measure, config.influencee_reward
    )
    judges['turns'] = Judge(at_once, delay=0)
  if config.speaks:
    of_messages = functools.partial(
      counterfactuals.influence_of_messages, measure
    )
    judges['speech'] = Judge(of_messages, delay=1)
  if config.models_others:
    by_model = functools.partial(counterfactuals.influence_by_model, measure)
    # The realised next actions, which 'pmi' needs, are known one step late.
    judges['models'] = Judge(by_model, delay=1 if measure == 'pmi' else 0)
  return judges
