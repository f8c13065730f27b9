"""Provides the agents, one folder each."""
