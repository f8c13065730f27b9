"""A run keeps no arrays that it does not need: their number stays the same."""

import gc

import jax
import jax.numpy as jnp
import pytest
import two_ways
from acme.utils import counting

WARM_UP, ROUNDS = 3, 30


def _live():
  """Returns how many arrays are on the device, and their bytes."""
  gc.collect()
  arrays = [x for x in jax.live_arrays() if not x.is_deleted()]
  return len(arrays), sum(x.nbytes for x in arrays)


@pytest.mark.slow
def test_no_array_is_left_behind():
  game = two_ways.Game('coordination', num_agents=2, episode_length=4)
  client, iterator = game.make_replay()
  game.learner = game.builder.make_learner(
    jax.random.PRNGKey(0), game.networks, iterator, client, counting.Counter()
  )
  actor = game.make_actor(client)

  def play_and_learn(rounds):
    for _ in range(rounds):
      actor.update(wait=True)
      sequences, _, _ = actor.play()
      actor.write(sequences, lambda: None)
      for _ in range(two_ways.B):  # A sequence is a batch.
        game.learner.step()

  play_and_learn(WARM_UP)
  before = _live()
  play_and_learn(ROUNDS)
  assert _live() == before
  (counts,) = game.learner.get_variables(['counts'])
  assert counts['learner_steps'] == two_ways.B * (WARM_UP + ROUNDS)

  # One that were kept would be seen.
  kept = jnp.zeros(10, jnp.float32)
  assert _live() == (before[0] + 1, before[1] + kept.nbytes)
