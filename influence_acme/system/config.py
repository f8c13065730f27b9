"""Defines the hyper-parameters of the influence agent."""

import dataclasses
import math

from influence_acme import checks
from influence_acme.system import options, variants
from influence_acme.system.ppo_config import PPOConfig
from influence_acme.system.variants import VARIANTS  # noqa: F401  Public.


@dataclasses.dataclass(frozen=True)
class InfluenceConfig:
  """Configures the influence agent, and validates its fields.

  Defaults are the paper's best Cleanup setting of the MOA experiment (Jaques
  et al., 2019, Table 3) if the paper states a value, and this library's
  otherwise; the entropy cost is this library's too: the paper's is 0.00176.
  Steps are global environment steps, in which all agents act once.

  Attributes:
    variant: one of `VARIANTS`, or a tuple of each agent's, in their order.
    hidden_size: units of the policy's LSTM and of the MOA's.
    influence_measure: 'kl', 'jsd' or 'pmi'.
    influence_weight: beta, the weight of influence in the reward; variants that
      are not rewarded for influence ignore it. A number, or a tuple of each
      agent's, in their order.
    influence_curriculum_steps: C, over which the weight rises from 0 to beta.
    num_influencers: number of agents, the first ones, that act first within a
      step, with actions that the others observe before they act; at least 1,
      and less than the number of agents. 'visible_actions' and
      'basic_influence' only.
    influencee_reward: if True, influencees are rewarded with the same influence
      too. 'basic_influence' only.
    num_symbols: number of different messages, at least 2. This and all fields
      of messages: 'comm_baseline' and 'communication' only.
    message_embedding_size: of the linear layer before the message head.
    message_extrinsic_weight: alpha, the weight of the extrinsic reward in the
      message head's reward; the action head is trained on the extrinsic reward
      alone. 'communication' only.
    message_loss_weight: factor of the message's policy and value losses.
    message_entropy_cost: weight of the entropy bonus of messages.
    moa_loss_weight: factor of the mean cross-entropy of the MOA. 'moa_baseline'
      and 'moa' only.
    moa_only_visible: if True, the MOA learns only about agents in view. (The
      influence reward is always of agents in view only.) 'moa_baseline' and
      'moa' only.
    prosocial_weight: eta, of the others' rewards in an agent's reward.
      'prosocial' only.
    inequity_behind: alpha, weight of having less than others (disadvantageous
      inequity). This and the next two: 'inequity_aversion' only.
    inequity_ahead: beta, weight of having more (advantageous inequity).
    inequity_smoothing: lambda, decay of the smoothed rewards.
    svo_target: theta*, the preferred angle between own and others' rewards, in
      radians. This and the next one: 'svo' only.
    svo_weight: w, of the distance from that angle.
    discount: gamma.
    update: 'vtrace', one step of gradient descent a batch, or 'ppo', epochs of
      minibatches.
    vtrace_lambda: mixing parameter of V-trace.
    ppo: of the PPO update.
    normalise_returns: if True, values are learned in units of a running scale
      of each agent's returns. Logged rewards are never scaled.
    min_return_scale: least such unit, in units of reward.
    reward_scale: factor of all rewards inside the learner if returns are not
      normalised, the same for every agent and variant. A beam costs 50, so that
      raw returns in the thousands drown the policy.
    normalise_influence: whether the weighted influence is brought to the size
      of extrinsic returns by its own running deviation, so that the weight is a
      share of them.
    entropy_cost: weight of the entropy bonus; from `entropy_cost_steps` on, if
      there is an `entropy_cost_start`.
    entropy_cost_start: its first value, which falls linearly; None if it is
      constant.
    entropy_cost_steps: over which it falls.
    value_cost: weight of the squared value error.
    learning_rate: of Adam, at the start.
    learning_rate_end: of Adam, from `learning_rate_steps` on.
    learning_rate_steps: over which the learning rate falls, linearly.
    adam_epsilon: of Adam.
    max_gradient_norm: clip of each agent's own gradient.
    unroll_length: T, steps of a sequence; a row more bootstraps. A MOA learns
      from pairs of steps in one sequence, not from that across two, one in T:
      where (episode length + 1) is a multiple of T these are always the same.
    batch_size: B, sequences of a learner step.
    max_queue_size: most sequences in the replay's queue; a full one blocks
      actors.
    variable_update_period: actor steps between fetches of parameters.
  """

  variant: variants.VariantName = 'moa'
  hidden_size: int = 128
  influence_measure: str = 'kl'
  influence_weight: float | tuple[float, ...] = 0.62
  influence_curriculum_steps: int = 40_000_000
  num_influencers: int = 1
  influencee_reward: bool = False
  num_symbols: int = 9
  message_embedding_size: int = 32
  message_extrinsic_weight: float = 1.0
  message_loss_weight: float = 0.0758
  message_entropy_cost: float = 7.89e-4
  moa_loss_weight: float = 15.007
  moa_only_visible: bool = True
  prosocial_weight: float = 0.85
  inequity_behind: float = 5.0
  inequity_ahead: float = 0.05
  inequity_smoothing: float = 0.975
  svo_target: float = math.pi / 4
  svo_weight: float = 0.1
  discount: float = 0.99
  update: str = 'vtrace'
  vtrace_lambda: float = 0.95
  ppo: PPOConfig = PPOConfig()
  normalise_returns: bool = False
  min_return_scale: float = 0.5
  reward_scale: float = 0.1
  normalise_influence: bool = False
  entropy_cost: float = 0.01
  entropy_cost_start: float | None = None
  entropy_cost_steps: int = 1
  value_cost: float = 0.5
  learning_rate: float = 1.23e-3
  learning_rate_end: float = 1.2e-5
  learning_rate_steps: int = 20_000_000
  adam_epsilon: float = 1e-5
  max_gradient_norm: float = 0.5
  unroll_length: int = 20
  batch_size: int = 32
  max_queue_size: int = 64
  variable_update_period: int = 20

  def __post_init__(self):
    """Raises ValueError: a field is out of range."""
    checks.normalise(self)
    variants.check(self.variant)
    if self.influence_measure != type(self).influence_measure:
      from influence_acme import ops  # Takes seconds, with JAX.

      checks.choice(self, 'influence_measure', ops.MEASURES)
    checks.choice(self, 'update', ('vtrace', 'ppo'))
    self._check_numbers()
    self._check_counts()
    if self.has_moa and self.unroll_length < 2:
      raise ValueError(
        f'unroll_length is {self.unroll_length}: it must be at least 2 with '
        f'the variant {self.variant!r}, or no MOA is ever trained.'
      )
    self._check_weights()
    self._check_update()
    if self.max_queue_size < self.batch_size:
      raise ValueError(
        f'max_queue_size is {self.max_queue_size}: it must be at least '
        f'batch_size, {self.batch_size}, or no batch ever fills.'
      )
    options.check_applicable(self)

  def _check_numbers(self) -> None:
    shares = 'discount', 'vtrace_lambda', 'inequity_smoothing'
    checks.number(self, *shares, high=1.0)
    checks.number(
      self,
      'prosocial_weight',
      'inequity_behind',
      'inequity_ahead',
      'svo_weight',
      'message_extrinsic_weight',
      'message_loss_weight',
      'message_entropy_cost',
      'moa_loss_weight',
      'entropy_cost',
      'value_cost',
      'learning_rate_end',
    )
    checks.number(self, 'svo_target', low=-math.pi, high=math.pi)
    if self.entropy_cost_start is not None:
      checks.number(self, 'entropy_cost_start')
    checks.boolean(
      self,
      'influencee_reward',
      'moa_only_visible',
      'normalise_returns',
      'normalise_influence',
    )
    checks.positive(
      self,
      'reward_scale',
      'min_return_scale',
      'learning_rate',
      'adam_epsilon',
      'max_gradient_norm',
    )

  def _check_counts(self) -> None:
    checks.count(
      self,
      'hidden_size',
      'influence_curriculum_steps',
      'num_influencers',
      'message_embedding_size',
      'entropy_cost_steps',
      'learning_rate_steps',
      'unroll_length',
      'batch_size',
      'max_queue_size',
      'variable_update_period',
    )
    checks.count(self, 'num_symbols', low=2)

  @property
  def has_moa(self) -> bool:
    """True if some agents have a model of the others."""
    return bool(variants.members(self.variant, 'moa').any())

  @property
  def has_influencers(self) -> bool:
    """True if some agents act first within a step, and others observe it."""
    return bool(variants.members(self.variant, 'basic').any())

  @property
  def has_messages(self) -> bool:
    """True if some agents choose a message beside their action."""
    return bool(variants.members(self.variant, 'communication').any())

  def _check_weights(self) -> None:
    weights = self.influence_weight
    each = weights if isinstance(weights, tuple) else (weights,)
    if not each or not all(checks.is_number(w) and w >= 0 for w in each):
      raise ValueError(
        f'influence_weight is {weights!r}: it must be a finite number of at '
        'least 0, or a tuple of one for each agent.'
      )

  def _check_update(self) -> None:
    """Raises ValueError: options of the update do not go together."""
    if self.batch_size % self.ppo.num_minibatches and self.update == 'ppo':
      raise ValueError(
        f'ppo.num_minibatches is {self.ppo.num_minibatches}: it must divide '
        f'batch_size, {self.batch_size}.'
      )
    if self.ppo != PPOConfig() and self.update != 'ppo':
      raise ValueError(
        f'ppo is {self.ppo}: leave it at its default with update '
        f"{self.update!r}; only 'ppo' heeds it."
      )
    if self.normalise_influence and not self.normalise_returns:
      raise ValueError(
        'normalise_influence is True: it must be False where '
        'normalise_returns is, as influence is brought to the size of returns.'
      )
