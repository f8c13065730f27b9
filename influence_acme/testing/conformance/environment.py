"""The contract of a multi-agent dm_env, as a check."""

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jax
import numpy as np
from dm_env import specs

from influence_acme.environments import base
from influence_acme.testing.conformance import assertions, timesteps


def check_environment(
  environment: Any, *, max_steps: int = 2_000, seed: int = 0
) -> None:
  """Plays a multi-agent dm_env with random actions and checks what it shows.

  Checked are specs and their keys, what each time step holds, the timing of
  'actions', 'messages' and 'visible' where they are observed, starting anew
  before the first reset and after LAST, resetting in mid-episode, errors on bad
  actions, and, where the environment has them, `save` and `restore`. Dicts of
  actions come in any order, which must make no difference. An action may be a
  dict, as one with a message is; each entry is then checked alone.

  Args:
    environment: a new environment, on which nothing was called yet.
    max_steps: within which an episode must end.
    seed: of the random actions.

  Raises:
    AssertionError: the environment breaks the contract.
  """
  _check_specs(environment)
  rng = np.random.default_rng(seed)
  sample = functools.partial(_sample_actions, environment, rng)

  timesteps.check_first(
    environment, environment.step(sample()), 'step before reset'
  )
  for _ in range(max_steps):
    actions = sample()
    timestep = environment.step(actions)
    timesteps.check_later(environment, timestep, actions)
    if timestep.last():
      break
  else:
    raise AssertionError(
      f'No episode ended within {max_steps} steps: end it, or give max_steps.'
    )
  timesteps.check_first(
    environment, environment.step(sample()), 'step after LAST'
  )
  environment.step(sample())
  timesteps.check_first(
    environment, environment.reset(), 'reset in mid-episode'
  )

  _check_refusals(environment, sample)
  actions = sample()
  timesteps.check_later(environment, environment.step(actions), actions)
  if _can_be_saved(environment):
    _check_restore(environment, sample)


def _check_specs(environment: Any) -> None:
  """Checks ids, and the specs' keys and kinds."""
  ids: Any = getattr(environment, 'agent_ids', None)
  assertions.require(
    isinstance(ids, tuple) and ids and len(set(ids)) == len(ids),
    f'agent_ids must be a tuple of different names; it is {ids!r}.',
  )
  for name in ('action_spec', 'observation_spec', 'reward_spec'):
    spec = getattr(environment, name)()
    assertions.require(
      isinstance(spec, Mapping) and tuple(spec) == ids,
      f'{name}() must be a dict with keys {ids}, in this order.',
    )
  for agent_id in ids:
    leaves = jax.tree_util.tree_leaves(
      environment.action_spec()[agent_id],
      is_leaf=lambda spec: not isinstance(spec, Mapping),
    )
    assertions.require(
      leaves and all(isinstance(leaf, specs.DiscreteArray) for leaf in leaves),
      f'Actions of {agent_id!r} must be DiscreteArray, or dicts of them; they '
      f'hold {leaves}.',
    )
    observation = environment.observation_spec()[agent_id]
    assertions.require(
      isinstance(observation, Mapping) and 'world' in observation,
      f"The observation of {agent_id!r} must be a dict with 'world'.",
    )
    world = observation['world']
    assertions.require(
      base.is_observation(world.shape, world.dtype),
      f"'world' of {agent_id!r} must be {base.OBSERVATIONS}; it is {world!r}.",
    )
  discount = environment.discount_spec()
  assertions.require(
    isinstance(discount, specs.Array) and discount.shape == (),
    'discount_spec() must be one scalar for all agents.',
  )


def _sample_actions(
  environment: Any, rng: np.random.Generator
) -> timesteps.Actions:
  """Returns random valid actions of all agents, a dict in a random order."""

  def sample(spec: specs.DiscreteArray) -> np.generic:
    return spec.dtype.type(rng.integers(spec.num_values))

  action_spec = environment.action_spec()
  return {
    agent_id: jax.tree_util.tree_map(sample, action_spec[agent_id])
    for agent_id in map(str, rng.permutation(environment.agent_ids))
  }


def _check_refusals(
  environment: Any, sample: Callable[[], timesteps.Actions]
) -> None:
  """Checks the errors on every kind of bad action."""
  agent_id = environment.agent_ids[-1]
  own_spec, valid = environment.action_spec()[agent_id], sample()[agent_id]
  for bad in _bad_actions(own_spec, valid):
    _check_refused(environment, {**sample(), agent_id: bad}, agent_id)
  missing = sample()
  del missing[agent_id]
  _check_refused(environment, missing, agent_id)
  stranger = 'nobody_of_this_name'
  unknown = {**sample(), stranger: sample()[agent_id]}
  _check_refused(environment, unknown, stranger)


def _bad_actions(spec: Any, valid: Any) -> Iterator[Any]:
  """Yields actions of one agent that are bad in one place each.

  Args:
    spec: the agent's action spec, a DiscreteArray or a dict of them.
    valid: an action that is not bad.
  """
  if not isinstance(spec, Mapping):
    yield from (-1, spec.num_values, 0.5, np.nan)
    return
  yield 0  # No dict.
  for name in spec:
    yield {key: value for key, value in valid.items() if key != name}
    for bad in _bad_actions(spec[name], valid[name]):
      yield {**valid, name: bad}


def _check_refused(
  environment: Any, actions: timesteps.Actions, name: str
) -> None:
  """Checks that these actions raise a ValueError that names the agent."""
  try:
    environment.step(actions)
  except ValueError as error:
    assertions.require(
      name in str(error), f'The error does not name {name!r}: {error}'
    )
    return
  except Exception as error:
    raise AssertionError(
      f'These actions must raise ValueError: {actions}; they raised {error!r}.'
    ) from error
  raise AssertionError(f'These actions must raise ValueError: {actions}.')


def _can_be_saved(environment: Any) -> bool:
  """Wrappers may have a `save` where the innermost environment has none."""
  try:
    environment.save()
  except AttributeError:
    return False
  return True


def _check_restore(
  environment: Any, sample: Callable[[], timesteps.Actions]
) -> None:
  """Checks that the same follows after `restore`, and after refused actions."""
  environment.reset()
  if environment.step(sample()).last():
    environment.reset()  # Actions are not refused after LAST.
  state = environment.save()
  plays = [sample() for _ in range(5)]
  before = [environment.step(actions) for actions in plays]
  environment.restore(state)
  _check_refusals(environment, sample)
  np.testing.assert_equal(
    environment.save(),
    state,
    'After restore() and refused actions, save() must return the same state.',
  )
  after = [environment.step(dict(reversed(x.items()))) for x in plays]
  np.testing.assert_equal(
    after,
    before,
    'After restore(), the same actions must give the same, in whatever order '
    'the dict has them.',
  )
