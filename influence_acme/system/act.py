"""How agents decide: all at once, or the influencers first.

  act(o_t):  pi(. | s_t) -> a_t, and of who speaks pi_m(. | s_t) -> m_t

and, in the same step, what the own policy would be, had others chosen otherwise
that which it knows of them: see `turns` and `speech`.

Letters: N agents, of whom the first I act first and the other L = N - I then,
J = N - 1 others, A actions, M symbols, B environments, F features, U hidden
units.
"""

from typing import NamedTuple

import chex
import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np

from influence_acme import networks as networks_lib
from influence_acme.system import counterfactuals, variants
from influence_acme.system import types as system_types


class Memory(NamedTuple):
  """What `observe` goes on from.

  Attributes:
    policy_state: after the step, float32 [N, B, U] each.
    moa_features: float32 [N, B, F]; None without a MOA.
    answers: policies for what others might have chosen, by what that is:
      'influencers' float32 [L, B, I, A, A], of those who act after them;
      'messages' float32 [N, B, J, M, A].
  """

  policy_state: hk.LSTMState
  moa_features: chex.Array | None
  answers: dict[str, chex.Array]


def act(
  agent: networks_lib.AgentNetworks,
  groups: variants.Groups,
  num_influencers: int,
  params: chex.ArrayTree,
  observation: networks_lib.Observation,
  core_state: networks_lib.CoreState,
  keys: chex.PRNGKey,
) -> system_types.Decision:
  """Samples everyone's actions, and messages.

  Args:
    agent: one agent's functions.
    groups: bool [N] each, who sees and hears what.
    num_influencers: I; 0 if all act at once.
    params: stacked, [N, ...].
    observation: stacked, [N, B, ...].
    core_state: float32 [N, B, U] each, before the step.
    keys: uint32 [N, B, 2].

  Returns:
    The decision: int32 [N, B]; or, where some speak, 'action' and 'message',
    such arrays: the symbol of who is silent is 0, and nobody hears it. Its
    extras are the behaviour policies, 'logits' float32 [N, B, A], and
    'message_logits' [N, B, M] where some speak.
  """
  num_agents = keys.shape[0]
  observation = dict(observation)
  sources: dict[str, np.ndarray] = {}
  axes: dict[str, int | None] = {}
  if groups.speech.any():
    observation['messages'] = variants.heard(
      groups.speech, observation['messages']
    )
    sources['messages'] = counterfactuals.others_of_all(num_agents)
    axes['messages'] = 0
  everyone = (params, observation, core_state.policy, keys, groups, sources)

  def decide(agents: slice, acted: chex.Array | None) -> system_types.Decision:
    """Lets some decide, who see what was done in this step: int32 [B, I]."""
    own_params, own, state, own_keys, own_groups, asked = (
      jax.tree_util.tree_map(lambda x: x[agents], everyone)
    )
    own_axes = dict(axes)
    if num_influencers:
      shape = (*own_keys.shape[:2], num_influencers)
      own['influencers'] = jnp.broadcast_to(
        -1 if acted is None else acted, shape
      )
    if acted is not None:
      asked['influencers'], own_axes['influencers'] = (
        np.arange(num_influencers),
        None,
      )
    knows = {k: x[:, None, None] for k, x in own_groups.perceive.items()}
    inputs = own_params, variants.known(knows, own), state
    answers: dict[str, chex.Array] = {}
    if asked:
      assert agent.step_and_answers is not None  # As some speak, or act first.
      output, state, answers = jax.vmap(
        agent.step_and_answers, in_axes=(0, 0, 0, own_axes)
      )(*inputs, asked)
    else:
      output, state = jax.vmap(agent.step)(*inputs)
    memory = Memory(state, output.moa_features, answers)
    return _sample(output, own_groups.speech, own_keys, memory)

  if not num_influencers:
    return decide(slice(None), None)
  first = decide(slice(num_influencers), None)
  then = decide(
    slice(num_influencers, None), system_types.actions_of(first.actions).T
  )
  answers = {'influencers': then.memory.answers.pop('influencers')}
  both = jax.tree_util.tree_map(
    lambda x, y: jnp.concatenate([x, y]), first, then
  )
  return both._replace(
    memory=both.memory._replace(answers=both.memory.answers | answers)
  )


def _sample(
  output: networks_lib.StepOutput,
  speaks: np.ndarray,
  keys: chex.PRNGKey,
  memory: Memory,
) -> system_types.Decision:
  """Samples what the networks' outputs are the policies of."""
  if output.message is None:
    actions = system_types.sample(keys, output.logits)
    return system_types.Decision(actions, {'logits': output.logits}, memory)
  keys = jax.vmap(jax.vmap(jax.random.split))(keys)  # [N, B, 2, 2]
  symbols = system_types.sample(keys[:, :, 1], output.message.logits)
  return system_types.Decision(
    {
      'action': system_types.sample(keys[:, :, 0], output.logits),
      'message': variants.select(speaks, symbols, 0),
    },
    {'logits': output.logits, 'message_logits': output.message.logits},
    memory,
  )
