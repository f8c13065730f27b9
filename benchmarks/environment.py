"""The environment alone: everyone acts at random.

Observations, rewards and all else that a step gives come to the host after
every step, as for an actor that is not compiled together with it.
"""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from benchmarks import settings, timing
from influence_acme import environments


def measure(
  workload: settings.Workload,
  plan: settings.Plan,
  ready: Callable[[], None],
) -> dict[str, Any]:
  """Returns `timing.Rates` of environment steps, by the batch size."""
  environment = environments.functional(
    workload.environment,
    num_agents=workload.num_agents,
    episode_length=workload.episode_length,
  )
  found = {}
  for batch_size in plan.environment_batches:
    work = make_work(environment, batch_size)
    work()
    ready()
    found[str(batch_size)] = timing.measure(work, plan.repeats, plan.seconds)
  return found


def make_work(
  environment: environments.FunctionalEnvironment, batch_size: int
) -> Callable[[], float]:
  """Returns a function that plays one step of a batch of environments.

  Args:
    environment: what is played.
    batch_size: how many of them at once.

  Returns:
    It returns the number of environment steps, once their results are there.
  """
  step = jax.jit(jax.vmap(environment.step))
  shape = (64, batch_size, environment.num_agents)
  rng = np.random.default_rng(0)
  actions = rng.integers(environment.num_actions, size=shape, dtype=np.int32)
  keys = jax.random.split(jax.random.PRNGKey(0), batch_size)
  state, _ = jax.jit(jax.vmap(environment.reset))(keys)
  num_calls = 0

  def work() -> float:
    nonlocal state, num_calls
    state, output = step(state, actions[num_calls % len(actions)])
    jax.device_get(output)
    num_calls += 1
    return batch_size

  return work
