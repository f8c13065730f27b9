"""Computes measures of an episode, shared by both rollout paths."""
