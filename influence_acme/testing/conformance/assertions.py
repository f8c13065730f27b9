"""Asserts with messages, for the conformance checks."""

from typing import Any


def require(condition: Any, message: str) -> None:
  """Asserts, also where Python leaves assert statements out.

  Args:
    condition: what must be true.
    message: says what is wrong otherwise.

  Raises:
    AssertionError: the condition is not true.
  """
  if not condition:
    raise AssertionError(message)
