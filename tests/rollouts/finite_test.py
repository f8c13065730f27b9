"""Marks of numbers that are not finite, and the error that tells of one.

That all ways to play do, tests of the trainer, the actor and evaluations hold.
"""

import math

import jax
import numpy as np
import pytest

from influence_acme.rollouts import finite, vector_environment

B = 2
AGENT_IDS = ('agent_0', 'agent_1')


def _step(**changes):
  """Returns a valid step of all environments, with changes."""
  return vector_environment.VectorStep(
    **{
      'observation': {
        'world': np.zeros((2, B, 3), np.float32),
        'actions': np.zeros((2, B, 2), np.int32),
        'visible': np.zeros((2, B, 2), bool),
      },
      'reward': np.zeros((2, B), np.float32),
      'discount': np.ones(B, np.float32),
      'is_first': np.zeros(B, bool),
      'is_last': np.zeros(B, bool),
      'events': {},
      **changes,
    }
  )


@pytest.mark.parametrize('bad', [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(
  'name, place',
  [('observation', (1, 1, 2)), ('reward', (1, 1)), ('discount', (1,))],
)
def test_marks_are_of_the_agent_and_environment(name, place, bad):
  step = _step()
  array = getattr(step, name)
  (array['world'] if name == 'observation' else array)[place] = bad
  marks = jax.jit(finite.mark)(step)
  assert marks.keys() == {'observation', 'reward', 'discount'}
  for each, mark in marks.items():
    of_both = each == 'discount'  # They share it.
    wrong = [[True, False], [True, False]] if of_both else [[1, 1], [1, 0]]
    expected = wrong if each == name else [[True, True], [True, True]]
    np.testing.assert_array_equal(mark, expected, each)


@pytest.mark.parametrize('discount', [-0.1, 1.1])
def test_a_discount_is_from_0_to_1(discount):
  marks = finite.mark(_step(discount=np.array([1, discount], np.float32)))
  np.testing.assert_array_equal(marks['discount'], [[True, False]] * 2)


def test_pixels_are_not_looked_at():
  pixels = _step(observation={'world': np.zeros((2, B, 5, 5, 3), np.uint8)})
  assert finite.mark(pixels).keys() == {'reward', 'discount'}


def test_the_first_wrong_step_is_named():
  marks = {'reward': np.ones((3, 2, B), bool)}
  finite.check(marks, 0, AGENT_IDS)
  marks['reward'][1:, 1, 1] = False
  times = np.array([[4, 7], [5, 8], [6, 0]])
  with pytest.raises(
    FloatingPointError,
    match='The reward of agent_1 is not finite at step 8 of the episode, in '
    'environment 1 of the batch: it must be finite',
  ):
    finite.check(marks, times, AGENT_IDS)
