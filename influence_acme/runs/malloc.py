"""Sets how the C library hands out memory to a process, and keeps it."""

import ctypes

from absl import logging

# Of mallopt(3).
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX, _ARENA_MAX = -1, -2, -4, -8


def share_one_arena() -> None:
  """Makes all threads of this process take memory from one place.

  By default the C library gives threads arenas of their own, of 64 MB, which
  keep what is freed in them: an hour of training took up to 300 MB more. Two
  would take 60 MB more than one, and train by a twentieth faster, as threads
  wait for each other here. What a thread has it keeps, so that this must come
  before the threads of JAX. Does nothing with another C library.
  """
  _set_options((_ARENA_MAX, 1))


def keep() -> None:
  """Makes this process keep memory that it frees, to use it again.

  Every compiled call needs some hundred megabytes for its intermediate results
  and gives them back at its end. By default the C library hands blocks of that
  size straight back to the kernel, which clears each page anew for the next
  call: a quarter of a learner's time. Does nothing with another C library.
  """
  _set_options((_MMAP_MAX, 0), (_TRIM_THRESHOLD, 2**31 - 1), (_TOP_PAD, 2**26))


def _set_options(*options: tuple[int, int]) -> None:
  try:
    mallopt = ctypes.CDLL(None).mallopt
  except AttributeError:
    logging.info('The C library has no mallopt(): memory is used as it comes.')
    return
  for option, value in options:
    mallopt(option, value)
