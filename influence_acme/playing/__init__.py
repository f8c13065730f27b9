"""Trained agents to act with, and their evaluation."""

from influence_acme.playing.agent_policy import AgentPolicy
from influence_acme.playing.evaluation import evaluate, Evaluation
from influence_acme.playing.policy import Policy
from influence_acme.playing.storage import export, load

__all__ = ('AgentPolicy', 'evaluate', 'Evaluation', 'export', 'load', 'Policy')
