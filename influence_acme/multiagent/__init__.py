"""Several Acme agents in one multi-agent environment.

`specs` slices and stacks the environment's specs and time steps by agent,
`actor` and `learner_set` join single-agent actors and learners, `variables`
names each agent's variables. `observers` measure how the group fares, in any
Acme environment loop.
"""

from influence_acme import compat  # noqa: F401  Before any import of acme.jax.
