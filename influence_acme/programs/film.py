"""Films an episode, as long as the environment gives pictures."""

from typing import Any

import numpy as np


class Film:
  """Collects frames; one that is no picture ends the film, not the episode.

  Attributes:
    frames: uint8 [H, W, 3] each, all of one size; none after a failure.
    failure: a sentence on it; '' without any.
  """

  def __init__(self, environment: Any):
    """Starts without frames; films the environment if it has `render()`."""
    self.frames: list[np.ndarray] = []
    self.failure = ''
    self._render = getattr(environment, 'render', None)

  def take(self) -> None:
    """Adds the environment's picture of now."""
    if self._render is None or self.failure:
      return
    try:
      picture = self._render()
      frame = np.asarray(picture)
    except Exception as error:  # noqa: BLE001  An episode needs no film.
      self._fail(f'render() raises {type(error).__name__}: {error}')
      return
    shape = self.frames[0].shape if self.frames else frame.shape
    is_picture = len(shape) == 3 and shape[-1] == 3 and 0 not in shape
    if is_picture and frame.shape == shape and frame.dtype == np.uint8:
      self.frames.append(np.array(frame))
      return
    found = type(picture).__name__
    if hasattr(picture, 'dtype'):
      found = f'{frame.dtype}{list(frame.shape)}'
    size = f'of the size {list(shape)}' if self.frames else '[H, W, 3]'
    self._fail(f'render() returns {found}: it must be uint8 {size}')

  def _fail(self, reason: str) -> None:
    self.frames = []
    self.failure = f'There is no film, as {reason}.'
