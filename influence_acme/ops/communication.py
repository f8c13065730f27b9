"""Measures the consistency of messages, and the coordination of agents.

    row t        k sends m_t^k  <- speaker consistency ->  k acts a_t^k
                       |
           instantaneous coordination
                       v
    row t + 1    j acts a_{t+1}^j

A row holds everyone's message and action of that step, which agents observe one
step later: `observation['messages']` and `['actions']` are one step older.

Both are estimates from counts, and are too large for few rows: two unrelated
signals of S and A values have a mutual information of about
(S - 1) (A - 1) / 2n nats in n rows (0.32 for S = A = 9, n = 100), so the few
influential steps of an episode need many episodes, and a control: the same with
the sources' rows shuffled. Neither shows that a message caused anything.

Source: Jaques et al. 2019 (arXiv 1810.08647v4), Eq. 8 and the section on
communication; on what such measures miss: Lowe et al. 2019 (arXiv 1903.05168).

Letters: T rows, N agents, M symbols, A actions.
"""

import math
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp

from influence_acme import checks
from influence_acme.ops import arguments


class IC(NamedTuple):
  """Holds the instantaneous coordination of every agent with every other.

  Attributes:
    max: float32 [], nats; the largest of `pairs`, which the paper reports.
    pairs: float32 [N, N], nats; row k, column j: the mutual information of k's
      choice at t and j's at t + 1. The diagonal is 0.
  """

  max: jax.Array
  pairs: jax.Array


def speaker_consistency(
  messages: chex.Array,
  actions: chex.Array,
  *,
  num_symbols: int,
  num_actions: int,
) -> jax.Array:
  """Measures the consistency of agents' messages with their actions (Eq. 8).

  For each agent k, the mean of two means:
  - over symbols c, of 1 - H(p(a^k | m^k = c)) / log A;
  - over actions a, of 1 - H(p(m^k | a^k = a)) / log M;
  and then the mean over agents. The paper prints sums and calls the result a
  score from 0 to 1, which makes them means. Symbols and actions that an agent
  never uses have no distribution and are left out, and so are agents without a
  row that has both a message and an action. All used ones have equal weight,
  however rare: an agent with one message and one action throughout has 1.

  Args:
    messages: int [T, N] in 0..M-1, the symbols sent; -1 if there is none, then
      the row does not count for that agent.
    actions: int [T, N] in 0..A-1, the same agents' actions; -1 likewise.
    num_symbols: M, at least 2.
    num_actions: A, at least 2.

  Returns:
    float32 [] in [0, 1]; 0 if no row counts. A number below -1 or too large
    makes it NaN.

  Raises:
    ValueError: num_symbols or num_actions is below 2.
  """
  _check_sizes(2, num_symbols=num_symbols, num_actions=num_actions)
  _check_rows(messages, actions, 'messages', 'actions')
  said, is_wrong_said = _one_hot(messages, num_symbols)  # [T, N, M]
  done, is_wrong_done = _one_hot(actions, num_actions)  # [T, N, A]
  counts = jnp.einsum('tnm,tna->nma', said, done)
  of_symbols = _mean_certainty(counts)  # [N]
  of_actions = _mean_certainty(counts.swapaxes(-1, -2))  # [N]
  counts_at_all = counts.any((-2, -1))  # [N]; 0 in both means where not.
  total = (of_symbols + of_actions).sum() / 2
  consistency = total / jnp.maximum(counts_at_all.sum(), 1)
  return jnp.where((is_wrong_said | is_wrong_done).any(), jnp.nan, consistency)


def instantaneous_coordination(
  sources: chex.Array,
  targets: chex.Array,
  *,
  num_sources: int,
  num_targets: int,
  mask: chex.Array | None = None,
) -> IC:
  """Computes the mutual information of one agent's choices and others' next.

  With messages as sources and actions as targets this is the paper's
  symbol/action measure; with actions as both, its action/action measure. It
  looks one step ahead: it misses meanings spread over several messages.

  Args:
    sources: int [T, N], each agent's message (or action) in each row, in
      0..num_sources-1; -1 if none, then the pair of rows does not count.
    targets: int [T, N], each agent's action, in 0..num_targets-1; -1 likewise.
    num_sources: number of different sources, at least 1.
    num_targets: number of different targets, at least 1.
    mask: bool [T-1, N], the steps t at which a source counts, to look at
      influential steps alone (influence at least its mean), or to leave out
      pairs of rows that belong to two episodes; by default all do.

  Returns:
    The coordination of all pairs, see `IC`; 0 for a pair without rows that
    count. A number below -1 or too large makes its agent's pairs NaN, and so
    the maximum.

  Raises:
    ValueError: num_sources or num_targets is below 1.
  """
  _check_sizes(1, num_sources=num_sources, num_targets=num_targets)
  _check_rows(sources, targets, 'sources', 'targets')
  num_rows, num_agents = jnp.shape(sources)
  before, is_wrong_before = _one_hot(sources, num_sources)  # [T, N, S]
  after, is_wrong_after = _one_hot(targets, num_targets)  # [T, N, A]
  before, after = before[:-1], after[1:]
  arguments.check_flags('mask', mask)
  if mask is not None:
    chex.assert_shape(
      mask, (num_rows - 1, num_agents), custom_message='mask must be [T-1, N].'
    )
    before = jnp.where(jnp.asarray(mask, bool)[..., None], before, 0)
  pairs = _mutual_information(jnp.einsum('tks,tja->kjsa', before, after))
  is_wrong = is_wrong_before[:, None] | is_wrong_after[None, :]  # [N, N]
  pairs = jnp.where(is_wrong, jnp.nan, pairs)
  pairs = jnp.where(jnp.eye(num_agents, dtype=bool), 0, pairs)
  return IC(pairs.max(), pairs)


def scramble(
  messages: chex.Array, key: chex.PRNGKey, *, mask: chex.Array | None = None
) -> jax.Array:
  """Shuffles each agent's messages in time, as a control.

  Consistency and coordination of the result are due to chance, and to the
  frequency of each symbol.

  Args:
    messages: int [T, N].
    key: of the shuffle.
    mask: bool [T, N]; steps with True are shuffled among each other, and so are
      the others. For measures of some steps alone, in which symbols may have
      other frequencies. By default all steps are shuffled together.

  Returns:
    int [T, N]; the same messages of each agent, at other steps.
  """
  messages = jnp.asarray(messages)
  arguments.check_type('messages', messages, int)
  arguments.check_flags('mask', mask)
  chex.assert_shape(
    messages, (None, None), custom_message='messages must be [T, N].'
  )
  if mask is not None:
    chex.assert_shape(
      mask,
      messages.shape,
      custom_message='mask must be [T, N], as messages are.',
    )
  chance = jax.random.uniform(key, messages.shape)  # Below 1.
  group = jnp.zeros(messages.shape) if mask is None else jnp.asarray(mask) * 1.0
  places = jnp.argsort(group, axis=0)  # Of each group, those of it in turn.
  shuffled = jnp.argsort(group + chance, axis=0)
  agents = jnp.arange(messages.shape[1])
  taken = jnp.take_along_axis(messages, shuffled, axis=0)
  return messages.at[places, agents].set(taken)


def _check_sizes(minimum: int, **sizes: int) -> None:
  for name, size in sizes.items():
    checks.integer(name, size, minimum)


def _check_rows(
  first: chex.Array, second: chex.Array, first_name: str, second_name: str
) -> None:
  """Asserts that both are int [T, N]."""
  chex.assert_shape(
    first,
    (None, None),
    custom_message=f'{first_name} must be [T, N]; use jax.vmap for a batch.',
  )
  chex.assert_shape(
    second,
    jnp.shape(first),
    custom_message=f'{second_name} must be [T, N], as {first_name} are.',
  )
  arguments.check_type(first_name, first, int)
  arguments.check_type(second_name, second, int)


def _one_hot(indices: chex.Array, size: int) -> tuple[jax.Array, jax.Array]:
  """Returns one-hot [T, N, size], zeros for -1, and bool [N]: out of range."""
  indices = jnp.asarray(indices, jnp.int32)
  is_wrong = ((indices < -1) | (indices >= size)).any(0)
  return jax.nn.one_hot(indices, size, dtype=jnp.float32), is_wrong


def _mean_certainty(counts: jax.Array) -> jax.Array:
  """Averages 1 - H(y | x) / log Y over the x that occur, of [N, X, Y], [N]."""
  total = counts.sum(-1)  # [N, X]
  probs = counts / jnp.maximum(total, 1)[..., None]
  entropy = jax.scipy.special.entr(probs).sum(-1)  # [N, X]
  # Rounding alone can make it negative.
  certainty = jnp.maximum(1 - entropy / math.log(counts.shape[-1]), 0)
  is_used = total > 0
  used_certainty = jnp.where(is_used, certainty, 0).sum(-1)
  return used_certainty / jnp.maximum(is_used.sum(-1), 1)


def _mutual_information(counts: jax.Array) -> jax.Array:
  """Computes the mutual information [...] of joint counts [..., X, Y], nats."""
  total = counts.sum((-2, -1), keepdims=True)
  expected = counts.sum(-1, keepdims=True) * counts.sum(-2, keepdims=True)
  # Of whole numbers: 1, so that its log is 0, where the two are independent.
  ratio = counts * total / jnp.maximum(expected, 1)
  information = jax.scipy.special.xlogy(counts, ratio).sum((-2, -1))
  information /= jnp.maximum(total[..., 0, 0], 1)
  # Rounding alone can make it negative.
  return jnp.maximum(information, 0)
