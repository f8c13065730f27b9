"""PPO: advantages, the clipped surrogate, and gradients of the right head."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tabular

from influence_acme.system import (
  actor_critic,
  losses,
  normalisation,
  ppo,
  update,
)
from influence_acme.system import config as config_lib


def _config(variant='baseline', **options):
  ppo_config = config_lib.PPOConfig(
    **{'gae_lambda': 0.5, 'num_minibatches': 1, **options.pop('ppo', {})}
  )
  return config_lib.InfluenceConfig(
    **{
      'variant': variant,
      'discount': 0.5,
      'update': 'ppo',
      'ppo': ppo_config,
      'reward_scale': 1.0,
      **options,
    }
  )


def _head(value, reward, unit=1.0, **fields):
  shape = np.shape(value)
  logits = np.zeros((*shape, tabular.A), np.float32)
  return actor_critic.Head(
    logits=fields.get('logits', logits),
    value=np.asarray(value, np.float32) / unit,
    choices=fields.get('choices', np.zeros(shape, np.int32)),
    behaviour_logits=fields.get('behaviour_logits', logits),
    reward=np.asarray(reward, np.float32),
    unit=np.float32(unit),
  )


# Two steps, the last observation of their episode (value 4), and three steps of
# the next one. The first sequence's episode ends by a time limit, the second's
# by a death. What stands in the padding row and the last one is no reward.
_STARTS = tabular.make_starts((2, 9), (2, 9), num_rows=7)
_VALUES = np.array([[1, 2, 4, 3, 2, 1, 8]] * 2, np.float32).T
_REWARDS = np.array([[1, 2, 7, 1, 0, 4, 100]] * 2, np.float32).T
_DISCOUNTS = np.array(
  [[1, 1, 0, 1, 1, 1, 1], [1, 0, 0, 1, 1, 1, 1]], np.float32
).T
# gamma = lambda = 1/2. Backwards, in the first sequence:
#   row 5   4 + 8/2 - 1 = 7                      the sequence's end bootstraps
#   row 4   0 + 1/2 - 2 + 7/4 = 1/4
#   row 3   1 + 2/2 - 3 + 1/16 = -15/16
#   row 1   2 + 4/2 - 2 = 2                      as does a time limit
#   row 0   1 + 2/2 - 1 + 2/4 = 3/2
# and in the second one, where a death does not:
#   row 1   2 - 2 = 0
#   row 0   1 + 2/2 - 1 + 0 = 1
_STEPS = np.array([0, 1, 3, 4, 5])
_ADVANTAGES = np.array([[1.5, 2, -0.9375, 0.25, 7], [1, 0, -0.9375, 0.25, 7]]).T
_MEAN, _VARIANCE = 1.7125, 7.780625  # Of these ten.


@pytest.mark.parametrize('unit', [1.0, 2.0])
def test_advantages_of_time_limits_deaths_and_padding_by_hand(unit):
  found = ppo.estimate(
    _head(_VALUES, _REWARDS, unit),
    _DISCOUNTS,
    tabular.is_padding(_STARTS),
    _config(),
  )
  np.testing.assert_allclose(
    found.target[_STEPS], _ADVANTAGES + _VALUES[_STEPS], rtol=1e-6
  )
  np.testing.assert_allclose(
    found.advantage[_STEPS],
    (_ADVANTAGES - _MEAN) / np.sqrt(_VARIANCE),
    rtol=1e-5,
  )


def test_what_stands_in_padding_and_in_the_last_row_changes_no_step():
  clean = ppo.estimate(
    _head(_VALUES, _REWARDS),
    _DISCOUNTS,
    tabular.is_padding(_STARTS),
    _config(),
  )
  rewards, discounts = _REWARDS.copy(), _DISCOUNTS.copy()
  rewards[[2, 6]], discounts[[2, 6]] = -50, 1
  dirty = ppo.estimate(
    _head(_VALUES, rewards), discounts, tabular.is_padding(_STARTS), _config()
  )
  for x, y in zip(dirty, clean, strict=True):
    np.testing.assert_array_equal(x[_STEPS], y[_STEPS])


def test_vanishing_rewards_are_not_blown_up():
  # Their deviation is 1e-4, and the floor 0.02 of the unit of 5.
  rewards = np.array([[1e-4, -1e-4] * 3], np.float32).T
  starts = tabular.make_starts((9,), num_rows=6)
  config = _config(discount=0.0, ppo={'advantage_floor': 0.02})
  ones = np.ones((6, 1), np.float32)
  found = ppo.estimate(
    _head(0 * ones, rewards, unit=5.0),
    ones,
    tabular.is_padding(starts),
    config,
  )
  # The mean of five is a fifth of one.
  np.testing.assert_allclose(
    found.advantage[:, 0],
    (rewards[:5, 0] - 2e-5) / 0.1,
    rtol=1e-4,
  )
  large = ppo.estimate(
    _head(0 * ones, 1e6 * rewards, unit=5.0),
    ones,
    tabular.is_padding(starts),
    config,
  )
  np.testing.assert_allclose(np.std(large.advantage), 1.0, rtol=1e-5)


def test_equal_rewards_have_no_advantage():
  ones = np.ones((6, 1), np.float32)
  starts = tabular.make_starts((9,), num_rows=6)
  found = ppo.estimate(
    _head(0 * ones, ones), ones, tabular.is_padding(starts), _config(discount=0)
  )
  np.testing.assert_array_equal(found.advantage, 0)


def test_the_clipped_surrogate_by_hand():
  # Two ratios above 1.2 and two below 0.8, with advantages of either sign, and
  # a padding row between them.
  starts = tabular.make_starts((2, 9), num_rows=6)
  ratio = np.array([[1.5, 0.5, 9.0, 1.5, 0.5]], np.float32).T
  estimates = actor_critic.Estimates(
    advantage=np.array([[1.0, 1.0, 9.0, -1.0, -1.0]], np.float32).T,
    target=np.array([[2.0, 4.0, 9.0, 0.0, -2.0]], np.float32).T,
  )
  head = _head(np.zeros((6, 1)), np.zeros((6, 1)), unit=2.0)

  def policy_loss(log_ratio):
    found = ppo.losses(
      head, log_ratio, estimates, tabular.is_padding(starts), _config()
    )
    return found['policy_loss'], found

  (loss, found), grad = jax.value_and_grad(policy_loss, has_aux=True)(
    jnp.log(ratio)
  )
  # min(1.5, 1.2) + min(0.5, 0.8) + min(-1.5, -1.2) + min(-0.5, -0.8) = -0.6.
  np.testing.assert_allclose(loss, 0.6 / 4, rtol=1e-6)
  # Only what is not clipped moves: the second and the third step.
  np.testing.assert_allclose(
    grad[:, 0], [0, -0.5 / 4, 0, 1.5 / 4, 0], rtol=1e-6, atol=1e-9
  )
  # Errors in units of 2 are 1, 2, 0 and 1.
  np.testing.assert_allclose(found['value_loss'], (1 + 4 + 0 + 1) / 8)
  np.testing.assert_allclose(found['entropy'], np.log(4), rtol=1e-6)
  np.testing.assert_allclose(found['clip_fraction'], 1.0)
  np.testing.assert_allclose(
    found['policy_kl'], -np.log(1.5 * 0.5) / 2, rtol=1e-5
  )


def test_ratios_within_the_clip_are_not_counted_as_clipped():
  starts = tabular.make_starts((9,), num_rows=5)
  ratio = np.array([[1.1, 0.9, 1.3, 1.0]], np.float32).T
  zeros = np.zeros((4, 1), np.float32)
  found = ppo.losses(
    _head(np.zeros((5, 1)), np.zeros((5, 1))),
    jnp.log(ratio),
    actor_critic.Estimates(zeros, zeros),
    tabular.is_padding(starts),
    _config(),
  )
  np.testing.assert_allclose(found['clip_fraction'], 0.25)


class _Oracle:
  """PPO of one head, episode by episode, in loops."""

  def __init__(self, head, starts, discounts, config):
    self._head, self._config = head, config
    self.advantage: dict[tuple[int, int], float] = {}
    self.target: dict[tuple[int, int], float] = {}
    values = head.value * head.unit
    num_rows, batch_size = starts.shape
    for b in range(batch_size):
      begins = [*np.flatnonzero(starts[:, b]), num_rows]
      if begins[0] > 0:
        begins = [0, *begins]
      for begin, end in zip(begins[:-1], begins[1:], strict=True):
        # The row before the next episode only has its last observation, and
        # that at the end of the sequence only bootstraps.
        self._add_episode(values, discounts, b, range(begin, end - 1))
    mean = np.mean(list(self.advantage.values()))
    deviation = np.std(list(self.advantage.values()))
    floor = config.ppo.advantage_floor * head.unit
    self.normalised = {
      key: (x - mean) / max(deviation, floor)
      for key, x in self.advantage.items()
    }

  def _add_episode(self, values, discounts, b, steps):
    gamma, lambda_ = self._config.discount, self._config.ppo.gae_lambda
    errors = {
      t: self._head.reward[t, b]
      + gamma * discounts[t, b] * values[t + 1, b]
      - values[t, b]
      for t in steps
    }
    for t in steps:
      total, factor = 0.0, 1.0
      for k in range(t, steps.stop):
        total += factor * errors[k]
        factor *= gamma * discounts[k, b] * lambda_
      self.advantage[t, b] = total
      self.target[t, b] = total + values[t, b]

  def losses(self):
    head, clip = self._head, self._config.ppo.clip
    rows = []
    for t, b in self.advantage:
      new, old = (
        np.exp(x[t, b]) / np.exp(x[t, b]).sum()
        for x in (head.logits, head.behaviour_logits)
      )
      choice = head.choices[t, b]
      ratio = new[choice] / old[choice]
      advantage = self.normalised[t, b]
      bounded = min(max(ratio, 1 - clip), 1 + clip)
      error = head.value[t, b] - self.target[t, b] / head.unit
      rows.append(
        {
          'policy_loss': -min(ratio * advantage, bounded * advantage),
          'value_loss': error**2 / 2,
          'entropy': -np.sum(new * np.log(new)),
          'value': head.value[t, b] * head.unit,
          'clip_fraction': abs(ratio - 1) > clip,
          'policy_kl': ratio - 1 - np.log(ratio),
        }
      )
    return {name: np.mean([row[name] for row in rows]) for name in rows[0]}


@pytest.mark.parametrize('seed', range(5))
def test_random_batches_equal_a_slow_oracle(seed):
  rng = np.random.default_rng(seed)
  shape = num_rows, batch_size = 14, 6
  starts = tabular.make_starts(
    *rng.integers(1, 6, (batch_size, num_rows)), num_rows=num_rows
  )
  if seed % 2:
    starts[0, ::2] = False  # Some begin in the middle of an episode.
  padding = tabular.is_padding(starts)
  before_padding = np.roll(padding, -1, axis=0)
  discounts = np.where(
    padding | (before_padding & (rng.random(shape) < 0.5)), 0.0, 1.0
  ).astype(np.float32)
  logits, behaviour_logits = rng.normal(size=(2, *shape, tabular.A))
  head = _head(
    rng.normal(size=shape),
    rng.normal(size=shape),
    unit=3.0,
    logits=logits.astype(np.float32),
    behaviour_logits=behaviour_logits.astype(np.float32),
    choices=rng.integers(0, tabular.A, shape).astype(np.int32),
  )
  config = _config(discount=0.9, ppo={'gae_lambda': 0.8, 'clip': 0.3})
  oracle = _Oracle(head, starts, discounts, config)
  found = ppo.estimate(head, discounts, padding, config)
  for (t, b), target in oracle.target.items():
    np.testing.assert_allclose(found.target[t, b], target, atol=1e-4)
    np.testing.assert_allclose(
      found.advantage[t, b], oracle.normalised[t, b], atol=1e-4
    )
  actual = ppo.losses(
    head, actor_critic.log_ratio(head), found, padding, config
  )
  assert actual.keys() == oracle.losses().keys()
  for name, value in oracle.losses().items():
    np.testing.assert_allclose(
      actual[name], value, rtol=1e-4, atol=1e-5, err_msg=name
    )


def _of_speaker(advantages, **changes):
  """Returns the loss of an agent that speaks, and its gradient by head."""
  starts = tabular.make_starts((9,), num_rows=2)
  sequences = tabular.make_sequences(starts, speaks=True)._replace(**changes)
  config = _config(
    'communication',
    num_symbols=tabular.M,
    value_cost=0.0,
    message_loss_weight=1.0,
    message_entropy_cost=0.0,
  )
  zeros = np.zeros((1, 1), np.float32)
  estimates = [
    actor_critic.Estimates(np.full((1, 1), x, np.float32), zeros)
    for x in advantages
  ]
  return jax.value_and_grad(
    losses.make_loss(tabular.AGENT, config), has_aux=True
  )(
    tabular.make_params(2, 1, speaks=True),
    0,
    sequences,
    0.0,
    normalisation.init(2),
    estimates,
  )


def test_each_surrogate_moves_its_own_head_alone():
  _, of_action = _of_speaker([1.0, 0.0])
  _, of_message = _of_speaker([0.0, 1.0])
  # On policy, at uniform logits: pi(k) - 1{k = choice}.
  np.testing.assert_allclose(
    of_action['logits'][0, 0], [-0.75, 0.25, 0.25, 0.25], rtol=1e-6
  )
  np.testing.assert_array_equal(of_action['message_logits'], 0)
  np.testing.assert_allclose(
    of_message['message_logits'][0, 0], [-2 / 3, 1 / 3, 1 / 3], rtol=1e-6
  )
  np.testing.assert_array_equal(of_message['logits'], 0)


def test_one_ratio_serves_the_action_and_the_message():
  # The symbol was chosen with 3/4 where it is 1/3 now, and the action with 1/5
  # where it is 1/4: the ratio of both is 4/9 * 5/4 = 5/9, outside the clip, so
  # that a positive advantage counts by it and a negative one by 0.8.
  action, message = (
    np.log(np.array(x, np.float32))[None, None].repeat(2, 0)
    for x in ([0.2, 0.3, 0.3, 0.2], [0.75, 0.125, 0.125])
  )
  sequences = tabular.make_sequences(
    tabular.make_starts((9,), num_rows=2), speaks=True
  )
  changes = {
    'behaviour_logits': action,
    'messages': sequences.messages._replace(behaviour_logits=message),
  }
  (_, (metrics, _)), grads = _of_speaker([1.0, -1.0], **changes)
  np.testing.assert_allclose(metrics['policy_loss'], -5 / 9, rtol=1e-5)
  np.testing.assert_allclose(metrics['message_policy_loss'], 0.8, rtol=1e-5)
  np.testing.assert_allclose(
    grads['logits'][0, 0], 5 / 9 * np.array([-0.75, 0.25, 0.25, 0.25]), 1e-5
  )
  np.testing.assert_array_equal(grads['message_logits'], 0)


def test_on_policy_a_single_step_is_that_of_the_policy_gradient():
  rng = np.random.default_rng(0)
  starts = tabular.make_starts((2, 9), (4, 9), (9,), num_rows=8)
  padding = tabular.is_padding(starts)
  params = tabular.make_params(8, 3, rng=rng)
  sequences = tabular.make_sequences(
    starts,
    reward=rng.normal(size=(8, 3)).astype(np.float32),
    own_actions=rng.integers(0, tabular.A, (8, 3)).astype(np.int32),
    behaviour_logits=params['logits'],
  )
  config = _config(value_cost=0.3, ppo={'num_epochs': 1, 'num_minibatches': 1})
  estimates = ppo.estimate(
    _head(params['value'], sequences.reward),
    sequences.discount,
    padding,
    config,
  )

  def loss_fn(params):
    log_policy = jnp.take_along_axis(
      jax.nn.log_softmax(params['logits'][:-1]),
      sequences.own_actions[:-1, :, None],
      axis=-1,
    )[..., 0]
    probabilities = jax.nn.softmax(params['logits'][:-1])
    entropy = -jnp.sum(probabilities * jnp.log(probabilities), axis=-1)
    error = params['value'][:-1] - estimates.target
    of_row = -log_policy * estimates.advantage + 0.15 * error**2 - 0.2 * entropy
    return jnp.mean(of_row[~padding[:-1]])

  # One agent, of the two that a state is stacked for.
  state = jax.tree_util.tree_map(
    lambda x: x[0],
    update.init(
      jax.tree_util.tree_map(lambda x: np.stack([x, x]), params), config
    ),
  )
  optimizer = update.make_optimizer(config)
  updates, _ = optimizer.update(jax.grad(loss_fn)(params), state.opt_state)
  rates = update.Rates(np.float32(0.1), np.float32(0.2))
  new, metrics = jax.jit(update.make_update(tabular.AGENT, config))(
    state, sequences, 0, rates, jax.random.PRNGKey(0)
  )
  for name, x in params.items():
    np.testing.assert_allclose(
      new.params[name], x - 0.1 * updates[name], rtol=1e-5, atol=1e-6
    )
    assert not np.array_equal(new.params[name], x)
  np.testing.assert_allclose(metrics['policy_kl'], 0.0, atol=1e-6)
  np.testing.assert_array_equal(metrics['clip_fraction'], 0.0)


def test_every_epoch_takes_each_sequence_once():
  # At a learning rate of 0, whose estimates hardly matter: metrics of equally
  # long sequences are means over the batch.
  rng = np.random.default_rng(1)
  starts = tabular.make_starts(*[(9,)] * 6, num_rows=5)
  params = tabular.make_params(5, 6, rng=rng)
  sequences = tabular.make_sequences(
    starts, reward=rng.normal(size=(5, 6)).astype(np.float32)
  )
  found = []
  for num_minibatches in (1, 3):
    config = _config(
      batch_size=6, ppo={'num_epochs': 2, 'num_minibatches': num_minibatches}
    )
    stacked = jax.tree_util.tree_map(lambda x: np.stack([x, x]), params)
    state = jax.tree_util.tree_map(lambda x: x[0], update.init(stacked, config))
    _, metrics = jax.jit(update.make_update(tabular.AGENT, config))(
      state,
      sequences,
      0,
      update.Rates(np.float32(0), np.float32(0)),
      jax.random.PRNGKey(0),
    )
    found.append(metrics)
  whole, parts = found
  for name in ('policy_loss', 'value_loss', 'entropy', 'policy_kl'):
    np.testing.assert_allclose(parts[name], whole[name], rtol=1e-4)


def test_minibatches_divide_the_batch():
  with pytest.raises(
    ValueError,
    match=r'ppo\.num_minibatches is 3: it must divide batch_size, 32',
  ):
    _config(batch_size=32, ppo={'num_minibatches': 3})


@pytest.mark.parametrize(
  'field, value',
  [
    ('clip', 0.0),
    ('gae_lambda', 1.5),
    ('num_epochs', 0),
    ('num_minibatches', 0),
    ('advantage_floor', 0.0),
  ],
)
def test_fields_out_of_range_are_named(field, value):
  with pytest.raises(ValueError, match=f'{field} is {value}'):
    config_lib.PPOConfig(**{field: value})


def test_options_of_ppo_need_ppo():
  options = config_lib.PPOConfig(num_epochs=2)
  with pytest.raises(ValueError, match="ppo is .*only 'ppo' heeds it"):
    dataclasses.replace(config_lib.InfluenceConfig(), ppo=options)
