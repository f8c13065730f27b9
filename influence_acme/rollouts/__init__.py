"""Vectorised rollouts: many environments, all agents, one compiled call."""

from influence_acme import compat  # noqa: F401  Before any import of acme.jax.
