"""The contract of an adder that changes what another one writes, as a check."""

import copy
from collections.abc import Callable, Mapping
from typing import Any

import dm_env
import jax
import numpy as np
from dm_env import specs

from influence_acme.testing.conformance import assertions, recording


def check_adder(
  wrap: Callable[[Any], Any],
  environment: dm_env.Environment,
  *,
  extras_fn: Callable[[np.random.Generator], Any] = lambda _: (),
  max_steps: int = 2_000,
  seed: int = 0,
) -> None:
  """Plays episodes of random actions into an adder that wraps another one.

  Such an adder changes rewards or extras, as `adders.InfluenceAdder` does, and
  leaves the rest as it is. Checked is what it tells the inner adder: every step
  once and in order, at the latest by the end of the episode; rewards that are
  finite and of the same shapes and dtypes; extras whose shapes and dtypes are
  always the same; nothing of an episode that was given up by `reset()`. And
  that it changes nothing of the caller's, nor keeps arrays that the caller may
  write the next step into.

  Args:
    wrap: takes the inner adder, and gives the adder to be checked.
    environment: whose steps it gets; its actions are DiscreteArray, or dicts of
      them.
    extras_fn: gives an actor's extras for one step, from a generator of random
      numbers; a dict, None or ().
    max_steps: within which an episode must end.
    seed: of the random actions.

  Raises:
    AssertionError: the adder breaks the contract.
  """
  inner = recording.RecordingAdder()
  adder = wrap(inner)
  random = np.random.default_rng(seed)
  first = environment.reset()
  action = _sample(environment, random)
  following = environment.step(action)
  _check_refused(
    lambda: adder.add(action, following, extras_fn(random)),
    'add() before add_first()',
  )
  _play(environment, adder, extras_fn, random, num_steps=2)
  _check_refused(lambda: adder.add_first(first), 'add_first() in mid-episode')
  adder.reset()
  inner.episodes.clear()
  told = []
  for _ in range(2):  # The first may leave something to the second.
    told.append(_play(environment, adder, extras_fn, random, max_steps))
    assertions.require(
      told[-1].steps[-1].timestep.last(),
      f'No episode ended within {max_steps} steps: give max_steps.',
    )
  assertions.require(
    len(inner.episodes) == len(told),
    f'Of {len(told)} episodes the inner adder was told of '
    f'{len(inner.episodes)}: add_first() must be handed on, once.',
  )
  for expected, found in zip(told, inner.episodes, strict=True):
    _check_episode(expected, found)
  _check_extras(inner.episodes)


def _play(
  environment: dm_env.Environment,
  adder: Any,
  extras_fn: Callable[[np.random.Generator], Any],
  random: np.random.Generator,
  num_steps: int,
) -> recording.Episode:
  """Plays into the adder, and returns what it was told.

  It gets arrays that are overwritten afterwards, as some environments do.
  """
  told = recording.Episode(environment.reset(), [])
  _tell(adder.add_first, told.first)
  for _ in range(num_steps):
    action = _sample(environment, random)
    step = recording.Step(action, environment.step(action), extras_fn(random))
    told.steps.append(copy.deepcopy(step))
    _tell(adder.add, *step)
    if step.timestep.last():
      break
  return told


def _sample(
  environment: dm_env.Environment, random: np.random.Generator
) -> Any:
  """Returns a random valid action."""

  def sample(spec: specs.DiscreteArray) -> np.ndarray:
    return np.array(random.integers(spec.num_values), spec.dtype)

  return jax.tree_util.tree_map(sample, environment.action_spec())


def _tell(call: Callable[..., None], *arguments: Any) -> None:
  """Tells an adder something that it must not change, nor keep."""
  given = _reversed(copy.deepcopy(arguments))
  try:
    call(*given)
  except recording.OutOfTurnError as error:
    raise AssertionError(str(error)) from error
  assertions.require(
    _equal(given, arguments),
    "The adder changed the caller's time step, action or extras: change copies "
    "of them, since Acme's loop goes on with them.",
  )
  for leaf in jax.tree_util.tree_leaves(given):
    if isinstance(leaf, np.ndarray) and leaf.flags.writeable:
      leaf[...] = 0 if leaf.dtype == bool else 77


def _reversed(nest: Any) -> Any:
  """Returns the same with its dicts in another order, which means nothing."""
  if isinstance(nest, Mapping):
    return {key: _reversed(nest[key]) for key in reversed(list(nest))}
  if isinstance(nest, dm_env.TimeStep):
    return dm_env.TimeStep(*map(_reversed, nest))
  return tuple(map(_reversed, nest)) if type(nest) is tuple else nest


def _check_refused(call: Callable[[], None], what: str) -> None:
  """Checks that a call out of turn raises a ValueError."""
  try:
    call()
  except ValueError:
    return
  raise AssertionError(f"{what} must raise ValueError, as Acme's adders do.")


def _check_episode(told: recording.Episode, found: recording.Episode) -> None:
  """Checks what the inner adder was told of an episode."""
  assertions.require(
    _equal(told.first, found.first),
    'The inner adder must be told the first time step as it was.',
  )
  assertions.require(
    len(found.steps) == len(told.steps),
    f'Of {len(told.steps)} steps of an episode the inner adder was told '
    f'{len(found.steps)}: each must be handed on once, at the latest with the '
    'LAST one.',
  )
  for t, (expected, step) in enumerate(
    zip(told.steps, found.steps, strict=True)
  ):
    for name, before, after in (
      ('action', expected.action, step.action),
      ('step_type', expected.timestep.step_type, step.timestep.step_type),
      ('discount', expected.timestep.discount, step.timestep.discount),
      ('observation', expected.timestep.observation, step.timestep.observation),
    ):
      assertions.require(
        _equal(before, after),
        f'The {name} of step {t} is not what it was: hand steps on in order, '
        'and keep copies of arrays, which the caller may overwrite.',
      )
    reward, before = step.timestep.reward, expected.timestep.reward
    assertions.require(
      _layout(reward) == _layout(before),
      f'The reward of step {t} is {_layout(reward)}: it must keep its shape '
      f'and dtype, {_layout(before)}.',
    )
    leaves = jax.tree_util.tree_leaves(reward)
    assertions.require(
      all(np.isfinite(leaf).all() for leaf in leaves),
      f'The reward of step {t} is not finite: {reward}.',
    )


def _check_extras(episodes: list[recording.Episode]) -> None:
  """Checks that the extras of all steps fit one table."""
  layouts = {
    str(_layout(step.extras)) for episode in episodes for step in episode.steps
  }
  assertions.require(
    len(layouts) == 1,
    'extras must have the same entries, shapes and dtypes in every step, or '
    f'they do not fit the table; they have {sorted(layouts)}.',
  )


def _layout(tree: Any) -> Any:
  """Returns a tree with the shapes and dtypes of its leaves."""
  return jax.tree_util.tree_map(
    lambda x: f'{np.asarray(x).dtype}{list(np.shape(x))}', tree
  )


def _equal(one: Any, other: Any) -> bool:
  try:
    np.testing.assert_equal(one, other)
  except AssertionError:
    return False
  return True
