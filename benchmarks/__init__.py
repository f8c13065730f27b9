"""How fast everything is, and how much of the machine it takes: `make bench`.

Nothing here imports JAX when it is imported first: a measurement runs in a
process of its own, which chooses its cores before.
"""
