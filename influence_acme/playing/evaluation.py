"""Evaluates a policy: returns, influence, and a film.

Episode e draws all its chance from (seed, e), however many are played at once.

Letters: E episodes, L steps of one, B environments, N agents.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from influence_acme import checks, environments, types
from influence_acme.playing import episodes
from influence_acme.playing import policy as policy_lib
from influence_acme.rollouts import finite
from influence_acme.rollouts import vector_environment as vector_lib
from influence_acme.runs import episode_record

# At most: environments at once, and steps in one compiled call.
_BATCH_SIZE = 32
_NUM_STEPS = 100


class Film(NamedTuple):
  """One episode, to be rendered.

  Attributes:
    environment: that it was played in.
    states: of the environment, [L + 1, ...].
    views: what each agent observed, [L + 1, N, ...].
    messages: int32 [L, N]; None of agents without messages.
  """

  environment: environments.FunctionalEnvironment
  states: Any
  views: np.ndarray
  messages: np.ndarray | None

  def frames(self) -> Iterator[np.ndarray]:
    """Renders the states, uint8 [H, W, 3] each."""
    for t in range(len(self.views)):
      state = jax.tree_util.tree_map(lambda x, t=t: x[t], self.states)
      yield np.asarray(self.environment.render(state))


class Evaluation(NamedTuple):
  """Episodes of a policy.

  Attributes:
    agent_ids: the agents' names, in the order of every axis N.
    returns: float32 [E, N], of extrinsic rewards.
    lengths: int32 [E], in steps.
    influence: float32 [N, N], nats per step by KL, over all steps: of the
      row's agent on the column's; the diagonal is NaN. None of agents without
      influence inputs.
    film: of the first episode.
    records: of each episode, step by step, without film; that of the first
      alone has measures.
  """

  agent_ids: tuple[types.AgentId, ...]
  returns: np.ndarray
  lengths: np.ndarray
  influence: np.ndarray | None
  film: Film
  records: tuple[episode_record.EpisodeRecord, ...]


def evaluate(
  policy: policy_lib.Policy,
  environment: environments.FunctionalEnvironment | None = None,
  *,
  num_episodes: int = 100,
  seed: int = 0,
  greedy: bool = False,
) -> Evaluation:
  """Plays episodes with a policy.

  Args:
    policy: of `load`.
    environment: to play in; that of the training if None.
    num_episodes: E, at least 1.
    seed: of all randomness.
    greedy: whether agents take the most probable choices instead of samples.

  Returns:
    The episodes' returns, the influence in them, and a film of the first.

  Raises:
    ValueError: there is no environment, or it is not of the policy's sizes; or
      no episode.
    FloatingPointError: the environment put out a number that is not finite.
  """
  environment = environment or policy.environment
  if environment is None:
    raise ValueError(
      'environment is None: it must be given, as the policy was trained in '
      'one that is not among environments.names().'
    )
  checks.integer('num_episodes', num_episodes, 1)
  checks.integer('seed', seed, 0, 2**32 - 1)
  checks.flag('greedy', greedy)
  policy.wrap(environments.MultiAgentEnvironment(environment))  # Checks it.
  batch_size = math.ceil(num_episodes / math.ceil(num_episodes / _BATCH_SIZE))
  functions = episodes.make_functions(
    vector_lib.VectorEnvironment(environment, policy.config.has_messages),
    policy.joint,
    min(getattr(environment, 'episode_length', _NUM_STEPS), _NUM_STEPS),
    greedy,
  )
  records, film = [], None
  for first in range(0, num_episodes, batch_size):
    numbers = np.arange(first, first + batch_size, dtype=np.uint32)
    state, begun, steps = _play(
      functions, policy, seed, numbers, numbers >= num_episodes
    )
    film = film or _make_film(environment, begun, steps, state.lengths[0])
    records += [
      _make_record(policy, environment, steps, state, b, first + b == 0)
      for b in np.flatnonzero(numbers < num_episodes)
    ]
  assert film is not None
  return _summarise(policy.agent_ids, film, records)


def _play(
  functions: episodes.Functions,
  policy: policy_lib.Policy,
  seed: int,
  numbers: np.ndarray,
  is_over: np.ndarray,
) -> tuple[episodes.State, episodes.Frame, episodes.Frame]:
  """Plays episodes of these numbers at once, but for those that are over.

  Returns:
    The state after the longest; what was before the first step; and the steps,
    [T, ...], of which shorter episodes have fewer; with what a film shows if
    episode 0 is among them.
  """
  fold_in = jax.vmap(jax.random.fold_in, in_axes=(None, 0))
  keys = fold_in(jax.random.PRNGKey(seed), numbers)
  state, first = functions.begin(policy.params, keys, is_over)
  finite.check(first.is_finite, 0, policy.agent_ids)
  parts: list[episodes.Frame] = []
  while not np.all(state.is_over):
    before = int(state.num_steps)
    state, steps = functions.advance(policy.params, state)
    times = np.arange(before + 1, int(state.num_steps) + 1)[:, None]
    finite.check(steps.is_finite, times, policy.agent_ids)
    if numbers[0]:  # The film is of episode 0.
      steps = steps._replace(state=(), views=())
    parts.append(jax.device_get(steps))
  steps = jax.tree_util.tree_map(lambda *x: np.concatenate(x), *parts)
  return jax.device_get(state), jax.device_get(first), steps


def _make_film(
  environment: environments.FunctionalEnvironment,
  first: episodes.Frame,
  steps: episodes.Frame,
  length: int,
) -> Film:
  """Makes the film of the first environment's episode."""
  states, views = jax.tree_util.tree_map(
    lambda x, y: np.concatenate([np.asarray(x)[None], y[:length]]),
    (first.state, first.views),
    (steps.state, steps.views),
  )
  messages = steps.messages
  if messages is not None:
    messages = messages[:length, :, 0]
  return Film(environment, states, views, messages)


def _make_record(
  policy: policy_lib.Policy,
  environment: environments.FunctionalEnvironment,
  steps: episodes.Frame,
  state: episodes.State,
  b: int,
  is_first: bool,
) -> episode_record.EpisodeRecord:
  """Makes the record of an environment's episode, with measures if first."""
  length = state.lengths[b]
  own = jax.tree_util.tree_map(
    lambda x: x[:length, ..., b],
    (steps.rewards, steps.actions, steps.messages, steps.events),
  )
  rewards, actions, messages, events = own
  influence = None
  if not isinstance(steps.influence, tuple):
    influence = steps.influence[:length, :, b]  # [L, N, N]
    if jax.tree_util.tree_leaves(state.before) and length > 1:
      # It was known a step late; that of the last step came with the other.
      influence = np.concatenate([influence[1:], 0 * influence[:1]])
    influence[:, np.eye(len(policy.agent_ids), dtype=bool)] = np.nan
  measures: dict[str, float] = {}
  if is_first:
    measures = episode_record.measure(
      rewards,
      actions if messages is None else {'action': actions, 'message': messages},
      influence,
      agent_ids=policy.agent_ids,
      num_choices=(environment.num_actions, policy.networks.num_symbols),
      events={name: x[-1] for name, x in events.items()},
    )
  return episode_record.EpisodeRecord(
    agent_ids=policy.agent_ids,
    rewards=rewards,
    actions=actions,
    influence=influence,
    frames=(),
    action_names=tuple(getattr(environment, 'action_names', ())),
    messages=messages,
    measures=measures,
  )


def _summarise(
  agent_ids: tuple[types.AgentId, ...],
  film: Film,
  records: Sequence[episode_record.EpisodeRecord],
) -> Evaluation:
  """Brings the episodes of all batches together."""
  lengths = np.array([len(record.rewards) for record in records], np.int32)
  steps = [x.influence for x in records if x.influence is not None]
  return Evaluation(
    agent_ids,
    np.stack([record.rewards.sum(axis=0) for record in records]),
    lengths,
    np.concatenate(steps).mean(axis=0, dtype=np.float64).astype(np.float32)
    if steps
    else None,
    film,
    tuple(records),
  )
