"""Checks fields of environments; each error states the allowed values."""

from typing import Any

from influence_acme import checks
from influence_acme.checks import integer  # noqa: F401  As `number` here.


def number(
  name: str, value: Any, least: float, most: float | None = None
) -> float:
  """Checks a field that holds a finite number.

  Args:
    name: of the field, for the error.
    value: a Python or NumPy number; True is not one.
    least: the lowest allowed.
    most: the highest allowed; None: there is no limit.

  Returns:
    The value as a Python float.

  Raises:
    ValueError: it is not a finite number, or out of range.
  """
  if (
    not checks.is_number(value)
    or value < least
    or (most is not None and value > most)
  ):
    allowed = (
      f'of at least {least}' if most is None else f'from {least} to {most}'
    )
    raise ValueError(
      f'{name} is {value!r}: it must be a finite number {allowed}.'
    )
  return float(value)
