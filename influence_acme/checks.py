"""Checks fields and arguments; errors name them and their values."""

import dataclasses
import math
import numbers
import os
from collections.abc import Collection, Mapping
from typing import Any


def is_integer(value: Any) -> bool:
  """Returns whether a value is an integer of Python or NumPy, and no bool."""
  return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
  """Returns whether a value is a finite real number, and no bool."""
  return (
    isinstance(value, numbers.Real)
    and not isinstance(value, bool)
    and math.isfinite(value)
  )


def normalise(record: Any) -> None:
  """Makes the fields of a configuration plain, before they are checked.

  Numbers of NumPy become Python's, and integers floats in fields of that type;
  arrays, and the lists that JSON makes of tuples, become tuples; dicts that
  `dataclasses.asdict` makes of nested configurations become these. So a
  configuration that was written as JSON equals the one that is made of what is
  read.

  Args:
    record: a frozen dataclass, in its `__post_init__`.
  """
  for field in dataclasses.fields(record):
    value, nested = getattr(record, field.name), type(field.default)
    if isinstance(value, Mapping) and dataclasses.is_dataclass(nested):
      value = nested(**value)
    value = plain(value)
    if field.type is float and is_integer(value):
      value = float(value)
    object.__setattr__(record, field.name, value)


def plain(value: Any) -> Any:
  """Returns a value of NumPy or JSON as one of Python, see `normalise`."""
  if isinstance(value, os.PathLike):
    return os.fspath(value)
  if hasattr(value, 'tolist'):
    value = value.tolist()
  if type(value) in (list, tuple):
    return tuple(plain(each) for each in value)
  if type(value) is dict:
    return {key: plain(each) for key, each in value.items()}
  return value


def integer(
  name: str, value: Any, least: int, most: int | None = None, why: str = ''
) -> int:
  """Checks a field that holds an integer.

  Args:
    name: of the field, for the error.
    value: a Python or NumPy integer; True and 1.0 are not integers.
    least: the lowest allowed.
    most: the highest allowed; None: there is no limit.
    why: the origin of the limits, for the error.

  Returns:
    The value as a Python integer.

  Raises:
    ValueError: it is not an integer, or out of range.
  """
  _require(is_integer(value), name, value, 'an integer', least, most, why)
  return int(value)


def real(
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
  _require(is_number(value), name, value, 'a finite number', least, most)
  return float(value)


def _require(
  is_valid: bool,
  name: str,
  value: Any,
  kind: str,
  least: float,
  most: float | None,
  why: str = '',
) -> None:
  """Raises ValueError: a value is of another kind, or out of range."""
  if not is_valid or value < least or (most is not None and value > most):
    allowed = (
      f'of at least {least}' if most is None else f'from {least} to {most}'
    )
    raise ValueError(f'{name} is {value!r}: it must be {kind} {allowed}{why}.')


def flag(name: str, value: Any) -> bool:
  """Returns a value; raises ValueError: it is neither True nor False."""
  if not isinstance(value, bool):
    raise ValueError(f'{name} is {value!r}: it must be True or False.')
  return value


def function(name: str, value: Any) -> Any:
  """Returns a value; raises ValueError: it is no function."""
  if not callable(value):
    raise ValueError(f'{name} is {value!r}: it must be a function.')
  return value


def number(
  record: Any, *names: str, low: float = 0.0, high: float = math.inf
) -> None:
  """Checks fields that are finite numbers in [low, high].

  Args:
    record: with the fields.
    *names: of the fields.
    low: smallest value allowed.
    high: largest value allowed.

  Raises:
    ValueError: a field is no such number.
  """
  allowed = (
    f'a finite number of at least {low}'
    if high == math.inf
    else f'a number in [{low}, {high}]'
  )
  for name in names:
    value = getattr(record, name)
    if not is_number(value) or not low <= value <= high:
      raise ValueError(f'{name} is {value!r}: it must be {allowed}.')


def positive(record: Any, *names: str) -> None:
  """Raises ValueError: a field is no finite number above 0."""
  for name in names:
    value = getattr(record, name)
    if not is_number(value) or value <= 0:
      raise ValueError(
        f'{name} is {value!r}: it must be a finite number above 0.'
      )


def count(record: Any, *names: str, low: int = 1) -> None:
  """Raises ValueError: a field is no integer of at least `low`."""
  for name in names:
    value = getattr(record, name)
    if not is_integer(value) or value < low:
      raise ValueError(
        f'{name} is {value!r}: it must be an int of at least {low}.'
      )


def boolean(record: Any, *names: str) -> None:
  """Raises ValueError: a field is neither True nor False."""
  for name in names:
    flag(name, getattr(record, name))


def choice(record: Any, name: str, allowed: Collection[str]) -> None:
  """Raises ValueError: a field is none of the allowed names."""
  one_of(name, getattr(record, name), allowed)


def one_of(name: str, value: Any, allowed: Collection[str]) -> None:
  """Raises ValueError: a value is none of the allowed names."""
  if not isinstance(value, str) or value not in allowed:
    raise ValueError(
      f'{name} is {value!r}: it must be one of {", ".join(allowed)}.'
    )
