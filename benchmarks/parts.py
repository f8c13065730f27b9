"""Measures one part of training in this process: GEMM, environment, agent.

  python -m benchmarks.parts PART ARGUMENTS SECONDS

prints rates as a line of JSON. A process for each part can be bound to cores
before JAX starts its threads.
"""

import itertools
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from influence_acme import environments

# Does work, waits for its results, and returns how much it was.
Work = Callable[[], float]


def gemm(size: int) -> Work:
  """Multiplies float32 matrices [size, size]; returns 10**9 operations."""
  multiply = jax.jit(jnp.matmul)
  x, y = jax.random.normal(jax.random.PRNGKey(0), (2, size, size))

  def work() -> float:
    multiply(x, y).block_until_ready()
    return 2e-9 * size**3

  return work


def environment(size: int, name: str, num_agents: int) -> Work:
  """Steps environments under random actions, and brings results to the host."""
  game = environments.functional(name, num_agents=num_agents)
  step = jax.jit(jax.vmap(game.step))
  actions = np.random.default_rng(0).integers(
    game.num_actions, size=(64, size, num_agents), dtype=np.int32
  )
  turns = itertools.cycle(actions)
  keys = jax.random.split(jax.random.PRNGKey(0), size)
  state, _ = jax.jit(jax.vmap(game.reset))(keys)

  def work() -> float:
    nonlocal state
    state, output = step(state, next(turns))
    jax.device_get(output)
    return size

  return work


def make_agent(size: int, name: str, num_agents: int) -> tuple[Work, Work]:
  """Returns acting (unrolls of `size` environments) and learning (updates).

  Neither depends on the other: actors keep their parameters, and learning is
  from one batch of `size` sequences. Both return environment steps.
  """
  # They load TensorFlow, which the other parts do without.
  import reverb
  from acme import specs
  from acme.utils import counting, loggers

  from influence_acme.agents import influence
  from influence_acme.agents.influence import rollout_actor

  config = influence.InfluenceConfig(batch_size=size, max_queue_size=2 * size)
  game = {'num_agents': num_agents}
  spec = specs.make_environment_spec(
    influence.make_environment(name, config, 0, **game)
  )
  builder = influence.InfluenceBuilder(config, loggers.NoOpLogger())
  networks = influence.make_networks(spec, config=config)
  server = reverb.Server(builder.make_replay_tables(spec))
  key, *keys = jax.random.split(jax.random.PRNGKey(0), size + 1)
  batches: list[Any] = []
  # Actors ask for the counts that schedules read: none play here, so all are 0.
  counter = counting.Counter(time_delta=0.0)
  counter.increment(environment_steps=0)
  learner = builder.make_learner(
    key, networks, itertools.cycle(batches), counter=counter
  )
  actor = rollout_actor.RolloutActor(
    builder,
    networks,
    environments.functional(name, **game),
    seeds=range(size),
    keys=keys,
    variable_source=learner,
    replay=server.localhost_client(),
  )

  def act() -> float:
    sequences, num_steps, _ = actor.play()
    jax.block_until_ready(sequences)
    return num_steps

  def learn() -> float:
    if not batches:
      actor.write(actor.play()[0], lambda: None)
      replay = server.localhost_client()
      batches.append(next(builder.make_dataset_iterator(replay)))
    learner.step()
    # The metrics of an update may be there before its parameters.
    learner.get_variables(['params'])
    return size * config.unroll_length

  return act, learn


def measure(work: Work, seconds: float) -> list[float]:
  """Returns work per second in five repeats of at least so many seconds."""
  work()  # It compiles.
  rates = []
  for _ in range(5):
    start, amount, elapsed = time.perf_counter(), 0.0, 0.0
    while elapsed < seconds:
      amount += work()
      elapsed = time.perf_counter() - start
    rates.append(amount / elapsed)
  return rates


def main(part: str, arguments: str, seconds: str) -> None:
  """Measures a part and prints its rates."""
  parts: dict[str, Callable[..., Work]] = {
    'gemm': gemm,
    'environment': environment,
    'acting': lambda **each: make_agent(**each)[0],
    'learning': lambda **each: make_agent(**each)[1],
  }
  work = parts[part](**json.loads(arguments))
  print(json.dumps(measure(work, float(seconds))))


if __name__ == '__main__':
  main(*sys.argv[1:])
