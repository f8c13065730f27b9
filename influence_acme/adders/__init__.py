"""Adders that put social influence into the reward.

- `InfluenceAdder`: wraps any Acme adder.
- `ShapingAdder`: wraps any Acme adder, and shapes rewards without influence.
- `InfluenceStep`: the input of its influence function.
"""

from influence_acme import compat  # noqa: F401  Before any import of acme.jax.

# isort: split

from influence_acme.adders.influence import InfluenceAdder, InfluenceStep
from influence_acme.adders.shaping import ShapingAdder

__all__ = ['InfluenceAdder', 'InfluenceStep', 'ShapingAdder']
