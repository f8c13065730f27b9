"""Derives every random key of a run from its seed, the same on every way."""

import jax
import numpy as np

# Places of other roles among the numbers of actors, which no actor has.
_LEARNER_ID = 2**32 - 1
_EVALUATOR_ID = 2**32 - 2
# The place of a resume among the numbers of steps, which no step has.
_RESUME_ID = 2**32 - 1


def learner_key(seed: int) -> jax.Array:
  """Returns the key of the first parameters and of the updates."""
  return jax.random.fold_in(jax.random.PRNGKey(seed), _LEARNER_ID)


def evaluator_key(seed: int) -> jax.Array:
  """Returns the key of the agents' actions in evaluations."""
  return jax.random.fold_in(jax.random.PRNGKey(seed), _EVALUATOR_ID)


def actor_key(seed: int, index: int, first_step: int) -> jax.Array:
  """Returns the key of the agents' actions in the environment of an index.

  It is fold_in(PRNGKey(seed), index). Of a resume, whose global environment
  steps are not 0, a constant and the steps are folded in on top, as a step
  alone gives the key of a step: so a resumed run repeats no draw.
  """
  key = jax.random.fold_in(jax.random.PRNGKey(seed), index)
  if not first_step:
    return key
  resumed = jax.random.fold_in(key, _RESUME_ID)
  return jax.random.fold_in(resumed, first_step % 2**32)


def environment_seed(seed: int, index: int, first_step: int) -> int:
  """Returns the seed of one environment, in [0, 2**32); see `actor_key`."""
  entropy = np.random.SeedSequence([seed, index, first_step])
  return int(entropy.generate_state(1)[0])
