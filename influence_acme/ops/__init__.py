"""Provides pure functions of arrays: rewards, losses and measures.

- `influence_reward`, `counterfactual_marginal`, `InfluenceOutput`, `MEASURES`:
  the intrinsic reward for influence on others' actions; `influential_steps`:
  the steps with more influence than an agent's mean.
- `moa_loss`, `MOALoss`: the loss of predictions of others' next actions;
  `moa_skill`: what they tell beyond the actions' frequencies;
  `calibration`, `Calibration`: the confidence of predictions against their
  accuracy.
- `episode_masks`, `EpisodeMasks`: the rows of a sequence that are real steps.
- `prosocial_reward`, `inequity_averse_reward`: rewards that depend on the
  others' rewards.
- `gini`, `equality`, `fair_return`, `efficiency`, `sustainability`, `peace`:
  measures of a group's returns in an episode.
- `speaker_consistency`, `instantaneous_coordination`, `IC`: measures of the
  meaning of messages and of coordination; `scramble`: the control.

All work inside `jax.jit` and `jax.vmap`, and compute in float32 for any float
input. They take any batch axes, except those whose docstring gives [T, N]: use
`jax.vmap` for a batch of these.
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
  moa_skill,
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
  'moa_skill',
  'peace',
  'prosocial_reward',
  'scramble',
  'speaker_consistency',
  'sustainability',
)
