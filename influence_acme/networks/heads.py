"""The heads on the policy's recurrent core: a policy and a value.

Letters: B batch (any number of leading axes), H hidden units, A actions.
"""

import chex
import haiku as hk

from influence_acme import checks


class PolicyValueHead(hk.Module):
  """Linear maps to action logits and to a value."""

  def __init__(self, num_actions: int, name: str = 'policy_value_head'):
    super().__init__(name=name)
    checks.integer('num_actions', num_actions, 1)
    self._num_actions = num_actions

  def __call__(self, hidden: chex.Array) -> tuple[chex.Array, chex.Array]:
    """Returns the policy and the value.

    Args:
      hidden: float32 [B..., H].

    Returns:
      Logits, float32 [B..., A], and values, float32 [B...].
    """
    # Small weights make the first policy nearly uniform: it explores.
    small = hk.initializers.VarianceScaling(1e-4)
    logits = hk.Linear(self._num_actions, w_init=small, name='policy')(hidden)
    value = hk.Linear(1, name='value')(hidden)
    return logits, value[..., 0]
