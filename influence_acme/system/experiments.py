"""Registers the paper's experiments; a new one is a module and a line here."""

from influence_acme.system import basic, communication, moa

# An agent takes part in one of them at most: the rewarded influence is a sum.
EXPERIMENTS = {
  'basic': basic.EXPERIMENT,
  'communication': communication.EXPERIMENT,
  'moa': moa.EXPERIMENT,
}
