"""Wrappers of multi-agent dm_envs: what the agents see, and who plays."""

from influence_acme.wrappers.others_actions import OthersActionsWrapper
from influence_acme.wrappers.single_agent import SingleAgentView

__all__ = ('OthersActionsWrapper', 'SingleAgentView')
