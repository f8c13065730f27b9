"""The model of other agents (MOA): what will the others do next?

Letters: T time, B batch, N agents, J = N - 1 others, A actions, K own
counterfactual actions (K = A), F features, H hidden units.
"""

import chex
import haiku as hk
import jax
import jax.numpy as jnp

from influence_acme.networks import lstm


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
    if num_agents < 2:
      raise ValueError(
        f'num_agents is {num_agents}: a model of other agents needs at '
        'least 2 agents.'
      )
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
    output, state = self._lstm(self._join(*inputs), state)
    return self._predict(output), state

  def counterfactuals(
    self,
    features: chex.Array,
    actions: chex.Array,
    state: hk.LSTMState,
    *,
    own_index: chex.Numeric,
  ) -> chex.Array:
    """What the others would do next, had this agent acted otherwise.

    Args:
      features: float32 [B, F].
      actions: int32 [B, N], as really taken; the own entry is not read.
      state: float32 [B, H] each, before this step; it is not changed.
      own_index: int [], which of the N agents this one is.

    Returns:
      Logits float32 [B, K, J, A], K the own action that is supposed.
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
      Logits float32 [B, K, J, A], K the own action that is supposed, and the
      next state, of the action that was really taken.
    """
    features, actions = inputs
    own = jax.nn.one_hot(own_index, self._num_agents)  # [N]
    chosen = jax.nn.one_hot(actions, self._num_actions)  # [B, N, A]
    others_chosen = chosen * (1.0 - own)[:, None]
    shared_inputs = [
      features,
      others_chosen.reshape((*features.shape[:-1], -1)),
      state.hidden,
    ]
    weights, biases = self._lstm.weights(features.shape[-1] + chosen[0].size)
    shared = jnp.concatenate(shared_inputs, axis=-1) @ weights + biases
    of_actions = slice(features.shape[-1], -state.hidden.shape[-1])
    action_weights = weights[of_actions].reshape(
      self._num_agents, self._num_actions, -1
    )
    supposed = jnp.tensordot(own, action_weights, axes=1)  # [K, 4H]
    own_chosen = jnp.tensordot(chosen, own, axes=(-2, 0))  # [B, K]
    next_state = lstm.cell(shared + own_chosen @ supposed, state)

    counterfactual = lstm.cells(shared, supposed, state)  # [B, K, H]
    return self._predict(counterfactual.hidden), next_state

  def _join(self, features: chex.Array, actions: chex.Array) -> chex.Array:
    """Joins [..., F] and int32 [..., N] to the input [..., F + N * A]."""
    chosen = jax.nn.one_hot(actions, self._num_actions)
    flat = chosen.reshape(actions.shape[:-1] + (-1,))
    return jnp.concatenate([features, flat], axis=-1)

  def _predict(self, output: chex.Array) -> chex.Array:
    """Maps float32 [..., H] to logits float32 [..., J, A]."""
    shape = output.shape[:-1] + (self._num_agents - 1, self._num_actions)
    return self._head(output).reshape(shape)
