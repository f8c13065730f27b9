"""Influence and losses of a batch, against plain NumPy."""

import functools

import jax
import numpy as np
import pytest
from acme import types
from oracles import influence_oracle, intrinsic_oracle, sample_oracle

from influence_acme.agents import intrinsic
from influence_acme.agents.intrinsic import training

OWN, N, A, HIDDEN = 1, 3, 3, 4
OTHERS = [0, 2]
PIXELS, VECTOR = (5, 5, 3), (6,)


def _config(**settings):
  return intrinsic.MOAConfig(
    own_index=OWN,
    num_agents=N,
    num_actions=A,
    hidden_size=HIDDEN,
    **{'view_shape': PIXELS, **settings},
  )


@functools.lru_cache
def _state(view_shape=PIXELS):
  """Returns parameters that are far from uniform, of any settings."""
  moa = training.MOA(_config(view_shape=view_shape), 'actions', 'visible')
  state = jax.jit(moa.init)(jax.random.PRNGKey(0))
  params = {
    module: {k: x * (3 if 'moa_core' in module else 1.5) for k, x in w.items()}
    for module, w in state.params.items()
  }
  return state._replace(params=params)


@functools.lru_cache
def _moa(**settings):
  """Returns the update of the model, compiled, and a state."""
  moa = training.MOA(_config(**settings), 'actions', 'visible')
  return jax.jit(moa.update), _state(settings.get('view_shape', PIXELS))


@functools.lru_cache
def _sequences(length=8, view_shape=PIXELS):
  """Returns what the rows of three sequences hold, and the batch."""
  random = np.random.default_rng(0)
  made = functools.partial(
    sample_oracle.random_episode, random, own_index=OWN, view_shape=view_shape
  )
  cuts = [
    ([made(3, True), made(2, False), made(9, True)], 1),
    ([made(4, False)], 0),  # Padded.
    ([made(5, True), made(9, True)], 0),
  ]
  kinds, steps = zip(
    *(sample_oracle.sequence(e, OWN, first, length) for e, first in cuts),
    strict=True,
  )
  return kinds, sample_oracle.stack(steps)


def _model(state):
  return intrinsic_oracle.Model(state.params, OWN)


@pytest.mark.parametrize(
  ('measure', 'source', 'view_shape'),
  [
    ('kl', 'extras', PIXELS),
    ('kl', 'function', PIXELS),
    ('kl', 'model', PIXELS),
    ('kl', 'model', VECTOR),
    ('pmi', 'extras', PIXELS),
  ],
)
def test_influence_of_sequences_is_the_oracles(measure, source, view_shape):
  kinds, data = _sequences(view_shape=view_shape)
  update, state = _moa(influence_measure=measure, view_shape=view_shape)
  logits = data.extras['logits']
  if source == 'function':
    logits = np.cos(logits)
  if source == 'model':
    logits = None
  _, judgement = update(state, data, logits)
  expected = intrinsic_oracle.influence(
    _model(state), OWN, kinds, data, logits, measure
  )
  assert np.abs(expected).max() > 1e-2
  np.testing.assert_allclose(judgement.influence, expected, atol=1e-5)


def test_burn_in_warms_the_state_and_earns_nothing():
  kinds, data = _sequences()
  update, state = _moa(burn_in_length=2)
  _, judgement = update(state, data, None)
  expected, whole = (
    intrinsic_oracle.influence(
      _model(state), OWN, kinds, data, None, 'kl', burn_in_length
    )
    for burn_in_length in (2, 0)
  )
  np.testing.assert_allclose(judgement.influence, expected, atol=1e-5)
  np.testing.assert_array_equal(expected[:, 2:], whole[:, 2:])
  assert np.all(expected[:, :2] == 0) and np.any(whole[:, :2] > 0)


@pytest.mark.parametrize(
  ('only_visible', 'burn_in_length'), [(True, 2), (False, 0)]
)
def test_losses_of_sequences_are_the_oracles(only_visible, burn_in_length):
  kinds, data = _sequences()
  settings = {} if only_visible else {'moa_only_visible': False}
  if burn_in_length:
    settings['burn_in_length'] = burn_in_length
  update, state = _moa(**settings)
  _, judgement = update(state, data, None)
  loss, accuracy, own = intrinsic_oracle.losses(
    _model(state), OWN, kinds, data, only_visible, burn_in_length
  )
  metrics = judgement.metrics
  np.testing.assert_allclose(metrics['moa_loss'], loss, rtol=1e-5)
  np.testing.assert_allclose(metrics['moa_accuracy'], accuracy, rtol=1e-5)
  np.testing.assert_allclose(metrics['present_loss'], own, rtol=1e-5)


def test_means_are_over_steps():
  kinds, data = _sequences()
  update, state = _moa()
  _, judgement = update(state, data, None)
  is_step = np.stack([sample_oracle.masks(k, 0).is_step for k in kinds])
  for name, values in (
    ('extrinsic', data.reward),
    ('influence', judgement.influence),
  ):
    np.testing.assert_allclose(
      judgement.metrics[name], values[is_step].mean(), rtol=1e-5
    )


def test_rows_that_are_no_steps_change_nothing():
  """Whatever stands in padding and padded rows, and in actions after them."""
  kinds, data = _sequences()
  update, state = _moa()
  is_step = np.array([[kind == 'step' for kind in row] for row in kinds])
  noise = np.random.default_rng(1).normal(size=data.extras['logits'].shape)
  logits = np.where(is_step[..., None], data.extras['logits'], noise)
  before = update(state, data, data.extras['logits'])
  after = update(state, data, np.float32(logits))
  jax.tree_util.tree_map(np.testing.assert_array_equal, before, after)


def _transitions():
  random = np.random.default_rng(2)
  episode = sample_oracle.random_episode(random, 9, True, own_index=OWN)
  steps = [step for _, step in sample_oracle.rows_of(episode, OWN)]
  data = [
    types.Transition(
      now.observation, now.action, now.reward, now.discount, then.observation
    )
    for now, then in zip(steps[:-1], steps[1:], strict=True)
  ]
  return sample_oracle.stack(data)


@pytest.mark.parametrize(
  ('measure', 'source'), [('kl', 'function'), ('jsd', 'model')]
)
def test_transitions_are_the_oracles(measure, source):
  data = _transitions()
  update, state = _moa(influence_measure=measure)
  logits = None
  if source == 'function':
    logits = np.random.default_rng(3).normal(size=(9, A)).astype(np.float32)
  _, judgement = update(state, data, logits)

  model, influence, losses, present_losses = _model(state), [], [], []
  for t in range(9):
    before, after = (
      {k: v[t] for k, v in observation.items()}
      for observation in (data.observation, data.next_observation)
    )
    actions = after['actions']
    asked, _ = model.next(before['world'], actions, model.nothing_known())
    present, expected = (
      model.present(x['world'], x['actions'], np.zeros(HIDDEN))
      for x in (before, after)
    )
    is_last = t == 8
    visible = before['visible'][OTHERS] & (not is_last)
    reward, _ = influence_oracle.influence_reward(
      asked,
      present[OWN] if logits is None else logits[t],
      actions[OWN],
      measure=measure,
      mask=visible,
    )
    influence.append(reward)
    for j in np.flatnonzero(visible):
      target = influence_oracle.softmax(expected[OTHERS[j]])
      said = influence_oracle.softmax(asked[actions[OWN], j])
      losses.append(-np.sum(target * np.log(said)))
    for i in range(N):
      present_losses.append(
        -np.log(influence_oracle.softmax(present[i])[actions[i]])
      )

  assert np.max(influence) > 1e-2
  np.testing.assert_allclose(judgement.influence, influence, atol=1e-5)
  metrics = judgement.metrics
  np.testing.assert_allclose(metrics['moa_loss'], np.mean(losses), rtol=1e-5)
  np.testing.assert_allclose(
    metrics['present_loss'], np.mean(present_losses), rtol=1e-5
  )


def test_transitions_lack_what_pmi_needs():
  moa = training.MOA(_config(influence_measure='pmi'), 'actions', 'visible')
  with pytest.raises(ValueError, match="influence_measure is 'pmi'"):
    jax.eval_shape(moa.update, _state(), _transitions(), None)


@pytest.mark.parametrize('shape', [(3, 8, 4), (3, 7, 3), (3, 3), (3,)])
def test_logits_of_another_shape_raise(shape):
  _, data = _sequences()
  moa = training.MOA(_config(), 'actions', 'visible')
  with pytest.raises(ValueError, match='logits of the own policy'):
    jax.eval_shape(moa.update, _state(), data, np.zeros(shape, np.float32))


def test_where_others_have_more_actions_those_are_none_of_its_own():
  _, data = _sequences()
  update, state = _moa()
  few = np.random.default_rng(0).normal(size=(*data.reward.shape, A - 1))
  none = np.full((*data.reward.shape, 1), -np.inf)
  found = update(state, data, few.astype(np.float32))[1].influence
  padded = np.concatenate([few, none], -1).astype(np.float32)
  expected = update(state, data, padded)[1].influence
  np.testing.assert_array_equal(found, expected)
  assert np.all(np.isfinite(found))


def test_foreign_actions_are_noticed():
  _, data = _sequences()
  update, state = _moa()
  assert update(state, data, None)[1].is_consistent
  others = data._replace(action=(data.action + 1) % A)
  assert not update(state, others, None)[1].is_consistent


def test_nothing_to_learn_from_gives_zeros():
  """As a batch that begins with the last step of its episode."""
  episode = sample_oracle.random_episode(
    np.random.default_rng(4), 1, True, own_index=OWN
  )
  _, step = sample_oracle.sequence([episode], OWN, 0, 8)
  update, state = _moa()
  next_state, judgement = update(state, sample_oracle.stack([step] * 3), None)
  np.testing.assert_array_equal(judgement.influence, 0)
  assert judgement.metrics['moa_loss'] == 0
  assert judgement.metrics['present_loss'] > 0
  for leaf in jax.tree_util.tree_leaves(next_state):
    assert np.isfinite(leaf).all()
