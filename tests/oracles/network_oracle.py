"""The paper's network for one agent in slow, plain NumPy (float64).

It shares no code with `influence_acme.networks` and reads that one's
parameters by name. Letters: H x W the view, N agents, J others, A actions, K
own counterfactual actions, U hidden units.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

Params = Mapping[str, Mapping[str, Any]]
State = tuple[np.ndarray, np.ndarray]  # Hidden and cell, [U] each.


def _sigmoid(x: np.ndarray) -> np.ndarray:
  return 1.0 / (1.0 + np.exp(-x))


def _linear(params: Params, name: str, x: np.ndarray) -> np.ndarray:
  weights = np.asarray(params[name]['w'], np.float64)
  return x @ weights + np.asarray(params[name]['b'], np.float64)


def _torso(params: Params, world: np.ndarray) -> np.ndarray:
  """The convolution of pixels; a vector, float32 [D], as it is."""
  if 'pixel_conv' in params:
    return _conv(params, world)
  return np.asarray(world, np.float64)


def _conv(params: Params, world: np.ndarray) -> np.ndarray:
  """A valid 3x3 convolution by loops; [H, W, 3] to [(H-2) * (W-2) * 6]."""
  height, width, channels = world.shape
  pixels = world.astype(np.float64) / 255.0
  kernel = np.asarray(params['pixel_conv']['w'], np.float64)
  kernel = kernel.reshape(3, 3, channels, -1)
  bias = np.asarray(params['pixel_conv']['b'], np.float64)
  output = np.zeros((height - 2, width - 2, kernel.shape[-1]))
  for row in range(height - 2):
    for column in range(width - 2):
      window = pixels[row : row + 3, column : column + 3]
      for channel in range(kernel.shape[-1]):
        output[row, column, channel] = (
          np.sum(window * kernel[..., channel]) + bias[channel]
        )
  return np.maximum(output, 0.0).reshape(-1)


def _dense(params: Params, stack: int, features: np.ndarray) -> np.ndarray:
  # The first layers of all stacks stand side by side.
  joined = np.maximum(_linear(params, 'dense', features), 0.0)
  part = joined[32 * stack : 32 * (stack + 1)]
  name = f'dense/stack_{stack}/~/linear_0'
  return np.maximum(_linear(params, name, part), 0.0)


def _lstm(params: Params, name: str, x: np.ndarray, state: State) -> State:
  hidden, cell = (np.asarray(s, np.float64) for s in state)
  gates = np.concatenate([x, hidden]) @ np.asarray(
    params[name]['w'], np.float64
  ) + np.asarray(params[name]['b'], np.float64)
  size = len(hidden)
  i = _sigmoid(gates[:size])
  g = np.tanh(gates[size : 2 * size])
  f = _sigmoid(gates[2 * size : 3 * size] + 1.0)
  o = _sigmoid(gates[3 * size :])
  cell = f * cell + i * g
  return o * np.tanh(cell), cell


def _one_hots(actions: np.ndarray, num_actions: int) -> np.ndarray:
  encoded = np.zeros((len(actions), num_actions))
  for agent, action in enumerate(actions):
    if action >= 0:
      encoded[agent, action] = 1.0
  return encoded.reshape(-1)


def policy(
  params: Params,
  world: np.ndarray,
  last_actions: np.ndarray,
  state: State,
  influencers_actions: Any = (),
  num_choices: int | None = None,
) -> tuple[np.ndarray, float, State]:
  """One step of the policy.

  Args:
    params: of one agent.
    world: uint8 [H, W, C] or float32 [D].
    last_actions: int [N], -1 before the first; with messages, the last
      messages.
    state: the policy's, before the step.
    influencers_actions: int [I], the influencers' current actions; -1 in an
      influencer's own observation.
    num_choices: how many messages there are, with messages; else A.

  Returns:
    Logits [A], the value, and the next state.
  """
  num_actions = np.shape(params['policy_value_head/policy']['b'])[0]
  features = _dense(params, 0, _torso(params, world))
  actions = np.concatenate([last_actions, influencers_actions]).astype(int)
  inputs = np.concatenate(
    [features, _one_hots(actions, num_choices or num_actions)]
  )
  state = _lstm(params, 'policy_core', inputs, state)
  logits = _linear(params, 'policy_value_head/policy', state[0])
  value = _linear(params, 'policy_value_head/value', state[0])
  return logits, float(value[0]), state


def message(params: Params, hidden: np.ndarray) -> tuple[np.ndarray, float]:
  """Returns the logits of the message, and its value.

  Args:
    params: of one agent.
    hidden: [U], of the policy, after the step.
  """
  embedded = _linear(params, 'message_embedding', hidden)
  logits = _linear(params, 'message_head/policy', embedded)
  value = _linear(params, 'message_head/value', embedded)
  return logits, float(value[0])


def counterfactuals(
  params: Params,
  world: np.ndarray,
  actions: np.ndarray,
  state: State,
  own_index: int,
) -> tuple[np.ndarray, State]:
  """The MOA's step: every own action is tried, in a loop.

  Args:
    params: of one agent.
    world: uint8 [H, W, C] or float32 [D].
    actions: int [N], as really taken.
    state: the MOA's, before the step.
    own_index: which agent this is.

  Returns:
    Logits [K, J, A], and the state after the actions really taken.
  """
  num_actions = np.shape(params['policy_value_head/policy']['b'])[0]
  features = _dense(params, 1, _torso(params, world))

  def after(joint_actions: np.ndarray) -> State:
    inputs = np.concatenate([features, _one_hots(joint_actions, num_actions)])
    return _lstm(params, 'moa_core/~/lstm', inputs, state)

  logits = []
  for own_action in range(num_actions):
    counterfactual = np.array(actions)
    counterfactual[own_index] = own_action
    hidden, _ = after(counterfactual)
    predicted = _linear(params, 'moa_core/~/others', hidden)
    logits.append(predicted.reshape(len(actions) - 1, num_actions))
  return np.stack(logits), after(np.asarray(actions))
