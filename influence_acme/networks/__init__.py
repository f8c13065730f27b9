"""Haiku modules of the paper's agent, and the agent as pure functions."""

from influence_acme.networks.dense import Dense
from influence_acme.networks.heads import PolicyValueHead
from influence_acme.networks.lstm import LSTM
from influence_acme.networks.make_agent import make_agent_networks
from influence_acme.networks.moa import MOACore
from influence_acme.networks.pixel_conv import PixelConv
from influence_acme.networks.records import (
  AgentNetworks,
  CoreState,
  HeadOutput,
  Observation,
  StepOutput,
  UnrollOutput,
)
from influence_acme.networks.torso import default_torso, Identity, Torso

__all__ = [
  'AgentNetworks',
  'CoreState',
  'Dense',
  'HeadOutput',
  'Identity',
  'LSTM',
  'MOACore',
  'Observation',
  'PixelConv',
  'PolicyValueHead',
  'StepOutput',
  'Torso',
  'UnrollOutput',
  'default_torso',
  'make_agent_networks',
]
