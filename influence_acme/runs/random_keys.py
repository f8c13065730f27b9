"""Derives every random key of a run from its seed, the same on every way."""

import jax
import numpy as np

# The learner's place among the numbers of actors, which no actor has.
_LEARNER_ID = 2**32 - 1


def learner_key(seed: int) -> jax.Array:
  """Returns the key of the first parameters and of the updates."""
  return jax.random.fold_in(jax.random.PRNGKey(seed), _LEARNER_ID)


def actor_key(seed: int, index: int, first_step: int) -> jax.Array:
  """Returns the key of the agents' actions in one environment.

  Args:
    seed: of the run.
    index: of the environment.
    first_step: global environment steps at which it starts: 0, or those of a
      resume. A resumed run repeats no draw.

  Returns:
    fold_in(PRNGKey(seed), index), with the first step folded in on top if it
    is not 0.
  """
  key = jax.random.fold_in(jax.random.PRNGKey(seed), index)
  return jax.random.fold_in(key, first_step) if first_step else key


def environment_seed(seed: int, index: int, first_step: int) -> int:
  """Returns the seed of one environment, in [0, 2**32).

  Args:
    seed: of the run.
    index: of the environment.
    first_step: as for `actor_key`.
  """
  entropy = np.random.SeedSequence([seed, index, first_step])
  return int(entropy.generate_state(1)[0])
