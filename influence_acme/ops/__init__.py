"""Pure functions of arrays: influence, and the loss of a model of others.

- `influence_reward`, `counterfactual_marginal`, `InfluenceOutput`, `MEASURES`:
  the intrinsic reward for changing what others do.
- `moa_loss`, `MOALoss`: how well others' next actions were predicted.
- `episode_masks`, `EpisodeMasks`: which rows of a sequence are real steps.

All take any batch axes, work inside `jax.jit` and `jax.vmap`, and compute in
float32 whatever float they are given.
"""

from influence_acme.ops.influence import (
  counterfactual_marginal,
  influence_reward,
  InfluenceOutput,
  MEASURES,
)
from influence_acme.ops.moa_loss import (
  episode_masks,
  EpisodeMasks,
  moa_loss,
  MOALoss,
)

__all__ = (
  'MEASURES',
  'EpisodeMasks',
  'InfluenceOutput',
  'MOALoss',
  'counterfactual_marginal',
  'episode_masks',
  'influence_reward',
  'moa_loss',
)
