"""Vectorised rollouts: many environments, all agents, one compiled call."""
