"""No role of a run draws by the key of another."""

import jax
import numpy as np

from influence_acme.runs import random_keys


def test_roles_have_keys_of_their_own():
  actor = random_keys.actor_key(3, 0, 0)
  keys = [
    random_keys.learner_key(3),
    random_keys.evaluator_key(3),
    actor,
    random_keys.actor_key(3, 1, 0),
    # A resume at step 1,000 and at 2**33, and the actor's steps of the same
    # number: these fold the step alone into the actor's key.
    random_keys.actor_key(3, 0, 1000),
    random_keys.actor_key(3, 0, 2**33 + 5),
    jax.random.fold_in(actor, 1000),
    jax.random.fold_in(actor, 5),
  ]
  assert len({tuple(np.asarray(key)) for key in keys}) == len(keys)
