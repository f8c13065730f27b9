"""The model of other agents (MOA): what will the others do next?

Letters: B batch, N agents, J = N - 1 others, A actions, K own
counterfactual actions (K = A), F features, H hidden units.
"""

import chex
import haiku as hk
import jax
import jax.numpy as jnp

from influence_acme import checks
from influence_acme.networks import lstm


def join_actions(
  features: chex.Array, actions: chex.Array, num_actions: int
) -> chex.Array:
  """Puts everyone's actions beside what an agent sees, as an LSTM takes both.

  Args:
    features: float32 [B..., F].
    actions: int32 [B..., N]; an absent one, -1, has zeros.
    num_actions: A.

  Returns:
    float32 [B..., F + N * A].
  """
  chosen = jax.nn.one_hot(actions, num_actions)
  flat = chosen.reshape(actions.shape[:-1] + (-1,))
  return jnp.concatenate([features, flat], axis=-1)


class MOACore(hk.RNNCore):
  """Predicts everyone else's next action from everyone's current actions.

  At step t it takes the features of the agent's own view s_t and the actions
  a_t of all agents, and gives logits of a_{t+1} of the others: the paper's
  p(a_{t+1}^j | a_t, s_t^k, u_t^k). Its counterfactual query asks the same for
  every own action that might have been taken instead, with the state u_t^k
  held fixed (Section "Modeling other agents" of Jaques et al., 2019).
  """

  def __init__(
    self,
    num_agents: int,
    num_actions: int,
    hidden_size: int = 128,
    name: str = 'moa_core',
  ):
    """Makes the core.

    Args:
      num_agents: N, at least 2.
      num_actions: A.
      hidden_size: H.
      name: of the Haiku module.

    Raises:
      ValueError: there is nobody else to model.
    """
    super().__init__(name=name)
    checks.integer('num_agents', num_agents, 2, why=', to model others')
    checks.integer('num_actions', num_actions, 1)
    self._num_agents = num_agents
    self._num_actions = num_actions
    self._lstm = lstm.LSTM(hidden_size)
    self._head = hk.Linear((num_agents - 1) * num_actions, name='others')

  def initial_state(self, batch_size: int | None) -> hk.LSTMState:
    """Returns zeros, float32 [B, H] each; [H] if `batch_size` is None."""
    return self._lstm.initial_state(batch_size)

  def __call__(
    self, inputs: tuple[chex.Array, chex.Array], state: hk.LSTMState
  ) -> tuple[chex.Array, hk.LSTMState]:
    """One step with the actions that were really taken.

    Args:
      inputs: features float32 [B, F] and everyone's actions int32 [B, N].
      state: float32 [B, H] each, before this step.

    Returns:
      Logits of the others' next actions, float32 [B, J, A], others in the
      agents' order; and the next state.
    """
    output, state = self._lstm(join_actions(*inputs, self._num_actions), state)
    return self._predict(output), state

  def counterfactuals(
    self,
    features: chex.Array,
    actions: chex.Array,
    state: hk.LSTMState,
    *,
    own_index: chex.Numeric,
  ) -> chex.Array:
    """Returns the others' next logits for each own action.

    Args:
      features: float32 [B, F].
      actions: int32 [B, N], as really taken; the own entry is not read.
      state: float32 [B, H] each, before this step; it is not changed.
      own_index: int [], which of the N agents this one is.

    Returns:
      Logits float32 [B, K, J, A], K the counterfactual own action.
    """
    inputs = (features, actions)
    return self.step_and_counterfactuals(inputs, state, own_index=own_index)[0]

  def step_and_counterfactuals(
    self,
    inputs: tuple[chex.Array, chex.Array],
    state: hk.LSTMState,
    *,
    own_index: chex.Numeric,
  ) -> tuple[chex.Array, hk.LSTMState]:
    """Answers `counterfactuals`, and makes the step that was really made.

    The first layer is linear, so that the recurrent part, the features and
    the others' actions are computed once and each own action adds its weights.

    Args:
      inputs: features float32 [B, F] and everyone's actions int32 [B, N].
      state: float32 [B, H] each, before this step.
      own_index: int [], which of the N agents this one is.

    Returns:
      Logits float32 [B, K, J, A], K the counterfactual own action, and the next
      state, of the action that was really taken.
    """
    features, actions = inputs
    is_own = jnp.arange(self._num_agents) == own_index  # [N]
    joined = join_actions(
      features, jnp.where(is_own, -1, actions), self._num_actions
    )
    shared = self._lstm.gates(joined, state)  # [B, 4H]
    weights, _ = self._lstm.weights(joined.shape[-1])
    action_weights = weights[features.shape[-1] : joined.shape[-1]].reshape(
      self._num_agents, self._num_actions, -1
    )
    own_weights = jnp.tensordot(
      is_own.astype(jnp.float32), action_weights, axes=1
    )  # [K, 4H]
    own_actions = jnp.take(actions, own_index, axis=-1)
    taken = jax.nn.one_hot(own_actions, self._num_actions)  # [B, K]
    next_state = lstm.cell(shared + taken @ own_weights, state)

    counterfactual = lstm.cells(shared, own_weights, state)  # [B, K, H]
    return self._predict(counterfactual.hidden), next_state

  def _predict(self, output: chex.Array) -> chex.Array:
    """Maps float32 [..., H] to logits float32 [..., J, A]."""
    shape = output.shape[:-1] + (self._num_agents - 1, self._num_actions)
    return self._head(output).reshape(shape)
