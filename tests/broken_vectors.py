"""An environment of vectors one of whose numbers is wrong at one step."""

import dataclasses
import math

import jax.numpy as jnp

from influence_acme.testing import fakes

# What is wrong, when, and what is said of it by compiled ways to play.
CASES = [
  ('observation', 0, 'The observation of agent_1 is not finite at step 0 of'),
  ('observation', 3, 'The observation of agent_1 is not finite at step 3 of'),
  ('reward', 2, 'The reward of agent_1 is not finite at step 2 of'),
  ('discount', 5, r'The discount of agent_0, agent_1 is not in \[0, 1\] at st'),
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class BrokenVectors(fakes.FakeVectorEnvironment):
  """Has a wrong number of the second agent, or of all, in each episode.

  Attributes:
    name: of the field of `Step`.
    time: of the step in its episode.
    value: the wrong number.
  """

  name: str
  time: int
  value: float = math.nan

  def _step_at(self, state, reward):
    step = super()._step_at(state, reward)
    array = getattr(step, self.name)
    place = (slice(1, 2),) if array.ndim else ()
    wrong = jnp.asarray(array).at[place].set(self.value)
    is_time = state.time == self.time
    return step._replace(**{self.name: jnp.where(is_time, wrong, array)})
