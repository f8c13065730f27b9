"""Social influence as intrinsic motivation, as DeepMind Acme components.

Import the part that you need, for example `from influence_acme import ops`:
no part loads another that it does not use.
"""
