"""How many steps a second an environment makes on one core.

All agents act at random; observations, rewards and all else that a step gives
come to the host after every step. Compilation is not counted. One line a batch
size: environment steps a second, median and range of the repeats, and the share
of the core that the process got, which is below 100% on a busy machine.

  python examples/bench_environment.py --environment=cleanup --num_agents=5
"""

import os

# Before JAX is imported: it starts a thread for every core it may run on.
os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
os.environ.setdefault('JAX_PLATFORMS', 'cpu')

# isort: split
# ruff: noqa: E402
import statistics
import time

import jax
import numpy as np
from absl import app, flags

from influence_acme import environments

_ENVIRONMENT = flags.DEFINE_string('environment', 'cleanup', 'Its name.')
_NUM_AGENTS = flags.DEFINE_integer('num_agents', 5, 'How many agents act.')
_BATCH_SIZES = flags.DEFINE_list(
  'batch_sizes', ['1', '16', '128', '1024'], 'How many environments at once.'
)
_REPEATS = flags.DEFINE_integer('repeats', 7, 'Measurements a batch size.')
_SECONDS = flags.DEFINE_float('seconds', 1.0, 'Time of one measurement.')


def measure(batch_size: int) -> tuple[list[float], float]:
  """Returns environment steps/s of each repeat, and the share of the core."""
  env = environments.functional(
    _ENVIRONMENT.value, num_agents=_NUM_AGENTS.value
  )
  step = jax.jit(jax.vmap(env.step))
  shape = (64, batch_size, env.num_agents)
  actions = np.random.default_rng(0).integers(env.num_actions, size=shape)
  actions = actions.astype(np.int32)
  keys = jax.random.split(jax.random.PRNGKey(0), batch_size)
  state, _ = jax.jit(jax.vmap(env.reset))(keys)

  def play(state, seconds):
    start, num_steps = time.perf_counter(), 0
    while time.perf_counter() < start + seconds:
      state, output = step(state, actions[num_steps % len(actions)])
      jax.device_get(output)
      num_steps += 1
    return state, num_steps * batch_size / (time.perf_counter() - start)

  state, _ = play(state, 0.1)  # Compiles.
  rates = []
  wall, cpu = time.perf_counter(), time.process_time()
  for _ in range(_REPEATS.value):
    state, rate = play(state, _SECONDS.value)
    rates.append(rate)
  share = (time.process_time() - cpu) / (time.perf_counter() - wall)
  return rates, share


def main(_: list[str]) -> None:
  """Prints the table."""
  print(
    f'{_ENVIRONMENT.value}, {_NUM_AGENTS.value} agents, one core, '
    f'JAX {jax.__version__}'
  )
  print(f'{"batch":>6} {"steps/s":>10} {"range":>19} {"core share":>11}')
  for batch_size in map(int, _BATCH_SIZES.value):
    rates, share = measure(batch_size)
    spread = f'{min(rates):,.0f} - {max(rates):,.0f}'
    median = statistics.median(rates)
    print(f'{batch_size:>6} {median:>10,.0f} {spread:>19} {share:>11.0%}')


if __name__ == '__main__':
  app.run(main)
