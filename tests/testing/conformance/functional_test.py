import jax.numpy as jnp
import numpy as np
import pytest

from influence_acme.environments import matrix
from influence_acme.testing import conformance, fakes


class _Changed(matrix.Coordination):
  """Changes the steps of a good environment."""

  def events(self, state):
    return {'steps': jnp.full(2, state.time), 'now': 7 - state.time}

  def reset(self, key):
    state, step = super().reset(key)
    return state, self.changed(state, step)

  def step(self, state, actions):
    state, step = super().step(state, actions)
    return state, self.changed(state, step)

  def changed(self, state, step):
    return step


class IntegerReward(_Changed):
  def changed(self, state, step):
    return step._replace(reward=step.reward.astype(int))


class OneReward(_Changed):
  def changed(self, state, step):
    return step._replace(reward=step.reward[0])


class WeakDiscount(_Changed):
  def changed(self, state, step):
    return step._replace(discount=jnp.asarray(1.0))


class GrowingState(_Changed):
  def step(self, state, actions):
    state, step = super().step(state, actions)
    return state._replace(time=state.time.astype('float32')), step


class RewardOnFirst(_Changed):
  def changed(self, state, step):
    return step._replace(reward=step.reward + 1)


class DiscountOnFirst(_Changed):
  def changed(self, state, step):
    discount = (state.time > 0).astype('float32')
    return step._replace(discount=discount)


class DiscountOutOfRange(_Changed):
  def changed(self, state, step):
    return step._replace(discount=1 + state.time.astype('float32'))


class NotFinite(_Changed):
  def changed(self, state, step):
    reward = jnp.where(state.time == 3, jnp.nan, step.reward)
    return step._replace(reward=reward)


class UnknownStepType(_Changed):
  def changed(self, state, step):
    return step._replace(step_type=step.step_type + (state.time == 3) * 7)


class GoesOnAfterLast(_Changed):
  def changed(self, state, step):
    return step._replace(
      step_type=jnp.where(step.step_type == 0, 1, step.step_type)
    )


class StopsAtLast(matrix.Coordination):
  def step(self, state, actions):
    following, step = super().step(state, actions)
    ended = following.time == 0
    time = jnp.where(ended, state.time, following.time)
    step_type = jnp.where(ended, 2, step.step_type).astype('int32')
    return following._replace(time=time), step._replace(step_type=step_type)


class DrawsOutsideTheKey(_Changed):
  def changed(self, state, step):
    draw = np.random.uniform()
    return step._replace(reward=step.reward + draw * (state.time > 0))


class SeesItself(matrix.Coordination):
  def visible(self, state):
    return jnp.ones((2, 2), bool)


class SeesTooLittle(matrix.Coordination):
  def visible(self, state):
    return jnp.zeros(2, bool)


class GreyPicture(matrix.Coordination):
  def render(self, state):
    return super().render(state)[..., 0]


class CountsOn(matrix.Coordination):
  def events(self, state):
    return {'steps': jnp.full(2, state.time + 1)}


class CountsDown(matrix.Coordination):
  def events(self, state):
    return {'steps': jnp.full(2, -state.time)}


class CountsTheWrongAgents(matrix.Coordination):
  def events(self, state):
    return {'steps': jnp.full(3, state.time)}


class CountsInFloats(matrix.Coordination):
  def events(self, state):
    return {'steps': jnp.full(2, state.time, jnp.float32)}


class Vector(fakes.FakeVectorEnvironment):
  pass


class PixelsOfAnotherType(Vector):
  observation_dtype = np.uint8


class VectorsAsPixels(Vector):
  observation_shape = (1, 4, 1)


class DoubleVector(Vector):
  observation_dtype = np.float64


class VectorNotFinite(Vector):
  def _step_at(self, state, reward):
    step = super()._step_at(state, reward)
    return step._replace(observation=step.observation / (state.time != 3))


class VectorOfAnotherLength(Vector):
  observation_shape = (3,)


class IntegerVector(Vector):
  def _step_at(self, state, reward):
    step = super()._step_at(state, reward)
    return step._replace(observation=step.observation.astype(int))


class TooFewIds(matrix.Coordination):
  agent_ids = ('agent_0',)


BROKEN = {
  IntegerReward: 'int32',
  OneReward: 'shape',
  WeakDiscount: 'weak type',
  GrowingState: 'float32',
  RewardOnFirst: 'FIRST must have reward 0',
  DiscountOnFirst: 'FIRST must have .* discount 1',
  DiscountOutOfRange: r'discount must be in \[0, 1\]',
  NotFinite: 'finite',
  UnknownStepType: "dm_env's values",
  GoesOnAfterLast: 'FIRST must come from reset',
  StopsAtLast: 'FIRST must come from reset',
  DrawsOutsideTheKey: 'not equal|differ|close',
  SeesItself: 'diagonal',
  SeesTooLittle: 'shape',
  GreyPicture: 'shape',
  CountsOn: 'steps must be 0 when an episode begins',
  CountsDown: 'steps must not fall',
  CountsTheWrongAgents: 'shape',
  CountsInFloats: 'float32',
  PixelsOfAnotherType: r'pixels, or float32 \[D\].* is \(4,\) and .* uint8',
  VectorsAsPixels: r'uint8 \[H, W, C\].* is \(1, 4, 1\) and .* float32',
  DoubleVector: r'float32 \[D\], a vector; .*float64',
  VectorNotFinite: 'observation must be finite',
  VectorOfAnotherLength: 'shape',
  IntegerVector: 'int32',
  TooFewIds: 'agent_ids must be a tuple of 2',
}


def test_a_good_environment_passes():
  # Its episodes are of 20 steps; the next one must begin within the check.
  conformance.check_functional(_Changed(), num_steps=21)
  conformance.check_functional(Vector(), num_steps=21)


@pytest.mark.parametrize('broken', BROKEN, ids=lambda cls: cls.__name__)
def test_a_broken_environment_is_found(broken):
  with pytest.raises(AssertionError, match=f'(?s){BROKEN[broken]}'):
    conformance.check_functional(broken(), num_steps=25)


def test_episodes_must_end():
  with pytest.raises(AssertionError, match='give num_steps'):
    conformance.check_functional(matrix.Coordination(), num_steps=20)


def test_environments_must_be_hashable():
  class Unhashable(matrix.Coordination):
    __hash__ = None  # type: ignore[assignment]

  with pytest.raises(TypeError, match='unhashable'):
    conformance.check_functional(Unhashable())
