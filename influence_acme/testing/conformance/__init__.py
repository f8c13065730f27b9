"""Checks that an environment or an adder of your own keeps the contract.

Each check raises an AssertionError that says what is wrong.
"""

from influence_acme.testing.conformance.adder import check_adder
from influence_acme.testing.conformance.environment import check_environment
from influence_acme.testing.conformance.functional import check_functional

__all__ = ('check_adder', 'check_environment', 'check_functional')
