"""Haiku modules of the paper's agent, and the agent as pure functions."""

from influence_acme.networks.agent import make_agent_networks
from influence_acme.networks.heads import PolicyValueHead
from influence_acme.networks.lstm import LSTM
from influence_acme.networks.moa import MOACore
from influence_acme.networks.records import (
  AgentNetworks,
  CoreState,
  HeadOutput,
  Observation,
  StepOutput,
  UnrollOutput,
)
from influence_acme.networks.torso import Dense, PixelConv

__all__ = [
  'AgentNetworks',
  'CoreState',
  'Dense',
  'HeadOutput',
  'LSTM',
  'MOACore',
  'Observation',
  'PixelConv',
  'PolicyValueHead',
  'StepOutput',
  'UnrollOutput',
  'make_agent_networks',
]
