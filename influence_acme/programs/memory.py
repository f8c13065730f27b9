"""How a process of a program gets and keeps its memory."""

import ctypes

from absl import logging

# Of mallopt(3).
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX, _ARENA_MAX = -1, -2, -4, -8


def keep() -> None:
  """Makes this process keep memory that it frees, to use it again.

  Every compiled call needs some hundred megabytes for its intermediate results
  and gives them back at its end. By default the C library hands blocks of that
  size straight back to the kernel, which clears each page anew for the next
  call: a quarter of a learner's time. Does nothing with another C library.
  """
  try:
    mallopt = ctypes.CDLL(None).mallopt
  except AttributeError:
    logging.info('The C library has no mallopt(): memory is used as it comes.')
    return
  # One arena, as only that of the main thread can grow beyond 64 MB.
  for option, value in (
    (_ARENA_MAX, 1),
    (_MMAP_MAX, 0),
    (_TRIM_THRESHOLD, 2**31 - 1),
    (_TOP_PAD, 2**26),
  ):
    mallopt(option, value)
