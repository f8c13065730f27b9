"""The networks of the MOA: the paper's, with one more head.

  view -> conv 3x3 -+-> FC 32 -> FC 32 -> LSTM 128 -> others' next actions
                    |                      ^ everyone's current actions
                    +-> FC 32 -> FC 32 -> FC 128 -> everyone's current actions
                                           ^ everyone's last actions, and the
                                             state of the LSTM before the step

Letters: T rows, B batch, N agents, J = N - 1 others, A actions, K own
counterfactual actions (K = A).

Of agents that observe vectors, both stacks read these directly.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import chex
import haiku as hk
import jax
import jax.numpy as jnp

from influence_acme import networks
from influence_acme.agents.intrinsic import config as config_lib
from influence_acme.agents.intrinsic import rows as rows_lib
from influence_acme.networks import moa
from influence_acme.networks import torso as torso_lib


class MOAOutput(NamedTuple):
  """Holds the model's predictions in every row.

  Attributes:
    next_logits: float32 [T, B, J, A], of the others' next actions.
    counterfactual_logits: float32 [T, B, K, J, A], of the same, for each
      counterfactual own action.
    present_logits: float32 [T, B, N, A], of everyone's action in the row.
  """

  next_logits: chex.Array
  counterfactual_logits: chex.Array
  present_logits: chex.Array


class MOANetworks(NamedTuple):
  """Holds the model's pure functions.

  Attributes:
    init: key -> parameters.
    unroll: (parameters, Rows) -> MOAOutput.
  """

  init: Callable[[chex.PRNGKey], hk.Params]
  unroll: Callable[[hk.Params, rows_lib.Rows], MOAOutput]


class _Model:
  """Holds the Haiku modules, made once per transformed call."""

  def __init__(self, config: config_lib.MOAConfig):
    self._config = config
    self._torso = networks.default_torso(config.view_shape, config.view_dtype)()
    self._dense = networks.Dense(num_stacks=2)
    self._core = networks.MOACore(
      config.num_agents, config.num_actions, config.hidden_size
    )
    num_logits = config.num_agents * config.num_actions
    self._present = hk.nets.MLP(
      [config.hidden_size, num_logits], name='present'
    )

  def unroll(self, rows: rows_lib.Rows) -> MOAOutput:
    dense_features = hk.BatchApply(
      lambda world: self._dense(torso_lib.features(self._torso, world))
    )
    present_features, next_features = dense_features(rows.world)

    def step(state, row):
      features, actions, resets = row
      state = jax.tree_util.tree_map(
        lambda x: jnp.where(resets[:, None], 0, x), state
      )
      logits, next_state = self._core((features, actions), state)
      return next_state, (logits, state)

    inputs = (next_features, rows.actions, rows.resets)
    initial_state = self._core.initial_state(rows.resets.shape[1])
    _, (next_logits, states) = hk.scan(step, initial_state, inputs)
    return MOAOutput(
      next_logits,
      hk.BatchApply(self._counterfactuals)(next_features, rows.actions, states),
      self._present_logits(present_features, states.hidden, rows.last_actions),
    )

  def _counterfactuals(self, features, actions, state):
    own_index = self._config.own_index
    return self._core.counterfactuals(
      features, actions, state, own_index=own_index
    )

  def _present_logits(self, features, hidden, last_actions):
    known = jnp.concatenate([features, hidden], axis=-1)
    num_actions = self._config.num_actions
    joined = moa.join_actions(known, last_actions, num_actions)
    return self._present(joined).reshape((*last_actions.shape, num_actions))


def make_networks(config: config_lib.MOAConfig) -> MOANetworks:
  """Makes the pure functions of the model.

  Args:
    config: with the sizes.

  Returns:
    The functions.
  """
  transformed: Any = hk.without_apply_rng(
    hk.transform(lambda rows: _Model(config).unroll(rows))
  )

  def init(key: chex.PRNGKey) -> hk.Params:
    no = jnp.zeros((1, 1), bool)
    no_actions = jnp.full((1, 1, config.num_agents), -1, jnp.int32)
    rows = rows_lib.Rows(
      world=jnp.zeros((1, 1, *config.view_shape), config.view_dtype),
      last_actions=no_actions,
      own_actions=jnp.zeros((1, 1), jnp.int32),
      actions=no_actions,
      visible=jnp.zeros(no_actions.shape, bool),
      resets=no,
      is_step=no,
      influences=no,
      predicts=no,
    )
    return transformed.init(key, rows)

  return MOANetworks(init, transformed.apply)
