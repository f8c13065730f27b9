"""Checks that an environment of your own keeps the contract of this library.

Each check raises an AssertionError that says what is wrong.
"""

from influence_acme.testing.conformance.environment import check_environment
from influence_acme.testing.conformance.functional import check_functional

__all__ = ('check_environment', 'check_functional')
