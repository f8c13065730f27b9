"""Pure functions of arrays: rewards, losses and measures.

- `influence_reward`, `counterfactual_marginal`, `InfluenceOutput`, `MEASURES`:
  the intrinsic reward for changing what others do; `influential_steps`: when
  there was more of it than usual.
- `moa_loss`, `MOALoss`: how well others' next actions were predicted;
  `calibration`, `Calibration`: whether as often as the model says.
- `episode_masks`, `EpisodeMasks`: which rows of a sequence are real steps.
- `prosocial_reward`, `inequity_averse_reward`: rewards that heed what the
  others get.
- `gini`, `equality`, `fair_return`, `efficiency`, `sustainability`, `peace`:
  how a group fares in an episode.
- `speaker_consistency`, `instantaneous_coordination`, `IC`: whether messages
  mean something, and whether others act on them; `scramble`: the control.

All work inside `jax.jit` and `jax.vmap`, and compute in float32 whatever float
they are given. They take any batch axes, except those whose docstring gives
[T, N]: use `jax.vmap` for a batch of these.
"""

from influence_acme.ops.calibration import Calibration, calibration
from influence_acme.ops.communication import (
  IC,
  instantaneous_coordination,
  scramble,
  speaker_consistency,
)
from influence_acme.ops.influence import (
  counterfactual_marginal,
  influence_reward,
  InfluenceOutput,
  influential_steps,
  MEASURES,
)
from influence_acme.ops.moa_loss import (
  episode_masks,
  EpisodeMasks,
  moa_loss,
  MOALoss,
)
from influence_acme.ops.returns import (
  efficiency,
  equality,
  fair_return,
  gini,
  peace,
  sustainability,
)
from influence_acme.ops.social_rewards import (
  inequity_averse_reward,
  prosocial_reward,
)

__all__ = (
  'IC',
  'MEASURES',
  'Calibration',
  'EpisodeMasks',
  'InfluenceOutput',
  'MOALoss',
  'calibration',
  'counterfactual_marginal',
  'efficiency',
  'episode_masks',
  'equality',
  'fair_return',
  'gini',
  'inequity_averse_reward',
  'influence_reward',
  'influential_steps',
  'instantaneous_coordination',
  'moa_loss',
  'peace',
  'prosocial_reward',
  'scramble',
  'speaker_consistency',
  'sustainability',
)
