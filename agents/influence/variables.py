"""Fetches the learner's parameters for an actor."""

from influence_acme import compat  # noqa: F401  Before acme.jax.

# isort: split

from typing import Any

import jax
import numpy as np
from acme.jax import variable_utils


class HeldVariables:
  """Keeps the parameters fixed between `select_action` and `observe`.

  So a step uses one version of them, even if a fetch ends in between.
  """

  def __init__(self, client: variable_utils.VariableClient):
    """Wraps a client of 'params' and 'counts', in this order.

    The client must leave them on the host: on a device JAX would cut counts to
    32 bits.
    """
    self._client = client
    self._counts: Any = None

  def take(self) -> None:
    """Switches to the parameters fetched last."""
    params, counts = self._client.params
    if counts is not self._counts:
      self.params = jax.device_put(params, jax.devices('cpu')[0])
      self._counts = counts

  @property
  def learner_steps(self) -> np.int32:
    """Learner step of the parameters."""
    return np.int32(self._counts['learner_steps'])

  @property
  def environment_steps(self) -> int:
    """Global environment steps at which the parameters were published."""
    return int(self._counts['environment_steps'])

  def update(self, wait: bool) -> None:
    """Fetches parameters: at once if `wait`, else periodically."""
    if wait:
      self._client.update_and_wait()
    else:
      self._client.update()
