import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from influence_acme.environments.grid import draws


def _words(*values):
  return jnp.array(values, jnp.uint32)


def test_draw_has_the_shapes_asked_for():
  drawn = draws.draw(jax.random.PRNGKey(0), (3, 4), 2, 5)
  assert [x.shape for x in drawn] == [(3, 4), (2,), (5,)]
  assert all(x.dtype == jnp.uint32 for x in drawn)


def test_draw_has_no_word_twice():
  drawn = draws.draw(jax.random.PRNGKey(0), (25, 18), 5, 10)
  words = np.concatenate([np.ravel(x) for x in drawn])
  assert len(np.unique(words)) == len(words)


def test_ranks_and_order_by_hand():
  words = _words(1 << 20, 3 << 20, 2 << 20)
  np.testing.assert_array_equal(draws.ranks(words), [2, 0, 1])
  np.testing.assert_array_equal(draws.order(draws.ranks(words)), [1, 2, 0])


def test_equal_words_still_have_different_ranks():
  ranks = draws.ranks(jnp.full(10, 7, jnp.uint32))
  assert sorted(ranks.tolist()) == list(range(10))


def test_distinct_keeps_shape_and_upper_bits():
  words = jnp.full((25, 18), 0xFFFFFFFF, jnp.uint32)
  values = np.asarray(draws.distinct(words))
  assert values.shape == (25, 18)
  assert len(np.unique(values)) == 450
  assert (values >> 9 == 0x7FFFFF).all()  # 450 cells are numbered in 9 bits.


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 2**32 - 1), min_size=5, max_size=5))
def test_order_undoes_ranks(values):
  ranks = draws.ranks(_words(*values))
  np.testing.assert_array_equal(ranks[draws.order(ranks)], np.arange(5))


def test_ranks_are_uniform_permutations():
  words = jax.random.bits(jax.random.PRNGKey(1), (6000, 3), jnp.uint32)
  ranks = np.asarray(jax.vmap(draws.ranks)(words))
  _, counts = np.unique(ranks, axis=0, return_counts=True)
  assert len(counts) == 6
  assert stats.chisquare(counts).pvalue > 1e-3
