"""Measures of an episode, shared by every way to play."""
