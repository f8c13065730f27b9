"""Implements the paper's multi-agent system: pure functions of all agents."""
