"""Our own adders keep the contract that others' are checked against."""

import numpy as np
import pytest

from influence_acme import adders, wrappers
from influence_acme.testing import conformance, fakes


def _environment():
  game = wrappers.OthersActionsWrapper(fakes.FakeMultiAgentEnvironment())
  return wrappers.SingleAgentView(game, 'agent_0', {'agent_1': lambda _: 0})


def _extras(random):
  return {
    'logits': random.normal(size=3).astype(np.float32),
    'influence_inputs': np.float32(random.normal()),
  }


@pytest.mark.parametrize('keep_parts', [True, False])
@pytest.mark.parametrize('delay', [0, 1])
def test_influence_adder(delay, keep_parts):
  conformance.check_adder(
    lambda inner: adders.InfluenceAdder(
      inner,
      lambda step, following: step.extras['influence_inputs'],
      0.5,
      delay=delay,
      keep_parts=keep_parts,
    ),
    _environment(),
    extras_fn=_extras,
  )


def test_shaping_adder():
  def shape(reward, state):
    return reward + state, state + reward

  conformance.check_adder(
    lambda inner: adders.ShapingAdder(inner, shape, np.float32(0)),
    _environment(),
    extras_fn=_extras,
  )
