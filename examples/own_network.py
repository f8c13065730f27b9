"""A model of other agents in a Haiku network of your own.

  python examples/own_network.py

Agent 1 copies what agent 0 did, agent 2 does as it likes. The network sees
nothing but who does what, learns what they do next, and says how much each
action of agent 0 changes it. It needs JAX, Haiku and optax, and no Acme,
and takes less than a minute.
"""

from collections.abc import Sequence
from typing import Any

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
import optax
from absl import app

from influence_acme import networks, ops

NUM_UPDATES = 500
NUM_AGENTS, NUM_ACTIONS = 3, 4
NUM_ROWS, BATCH_SIZE = 20, 16


def play(random: np.random.Generator) -> np.ndarray:
  """Returns int32 [T, B, N], what all do; the first row is at random."""
  shape = (NUM_ROWS, BATCH_SIZE, NUM_AGENTS)
  actions = random.integers(NUM_ACTIONS, size=shape, dtype=np.int32)
  actions[1:, :, 1] = actions[:-1, :, 0]
  return actions


def network(actions: jax.Array) -> tuple[jax.Array, jax.Array]:
  """Returns the others' next actions, as logits, and those of all I could do.

  Args:
    actions: int32 [T, B, N].

  Returns:
    float32 [T, B, J, A] and [T, B, K, J, A].
  """
  own_index = 0
  # Features of your own stand here: any float32 [T, B, F].
  features = hk.nets.MLP([32])(jax.nn.one_hot(actions[..., 2], NUM_ACTIONS))
  core = networks.MOACore(NUM_AGENTS, NUM_ACTIONS, hidden_size=32)

  def step(state, inputs):
    features, actions = inputs
    logits, next_state = core((features, actions), state)
    counterfactual = core.counterfactuals(
      features, actions, state, own_index=own_index
    )
    return next_state, (logits, counterfactual)

  state = core.initial_state(actions.shape[1])
  _, outputs = hk.scan(step, state, (features, actions))
  return outputs


def main(argv: Sequence[str]) -> None:
  """Trains the network, and prints the influence that it sees."""
  if len(argv) > 1:
    raise app.UsageError(f'Unknown argument: {argv[1]}')
  random = np.random.default_rng(0)
  model: Any = hk.without_apply_rng(hk.transform(network))
  optimizer = optax.adam(1e-2)
  params = model.init(jax.random.PRNGKey(0), play(random))
  opt_state = optimizer.init(params)

  def loss_fn(params, actions):
    logits, counterfactual = model.apply(params, actions)
    moa = ops.moa_loss(logits, actions[..., 1:])  # Of the others, J = N - 1.
    my_policy = jnp.zeros((*actions.shape[:2], NUM_ACTIONS))  # Uniform.
    influence = ops.influence_reward(counterfactual, my_policy, actions[..., 0])
    return moa.loss, (moa.accuracy, influence.per_agent.mean((0, 1)))

  @jax.jit
  def update(params, opt_state, actions):
    gradient, parts = jax.grad(loss_fn, has_aux=True)(params, actions)
    updates, opt_state = optimizer.update(gradient, opt_state)
    return optax.apply_updates(params, updates), opt_state, parts

  print('update  accuracy  influence on agents 1 and 2, in nats')
  for i in range(NUM_UPDATES):
    params, opt_state, parts = update(params, opt_state, play(random))
    if (i + 1) % 100 == 0:
      accuracy, influence = jax.device_get(parts)
      copier, other = influence
      print(f'{i + 1:6d}  {accuracy:8.2f}  {copier:.3f} {other:.3f}')


if __name__ == '__main__':
  app.run(main)
