"""Unrolls all agents in many environments, in one compiled call."""
