"""Stock agents are paid the influence that theory gives.

One of the others copies what the agent did last: given a, it does a for
certain, and a with the agent's own probability p(a) if a is not known. So the
KL is -log p(a), and on average the entropy of p (Jaques et al., 2019, eq. 1-3).
The third agent heeds nobody: the influence on it is 0.
"""

from influence_acme import compat  # noqa: F401

# isort: split

import math
from typing import Any, NamedTuple

import acme
import numpy as np
import pytest
import stock_agents
from acme.jax.layouts import local_layout
from acme.utils import loggers

from influence_acme.agents import intrinsic

NUM_STEPS = 6_000
NUM_LAST = 60  # Batches over which is averaged, of about 180.
A = stock_agents.NUM_ACTIONS


class _Case(NamedTuple):
  """A stock agent.

  Attributes:
    settings: of its config.
    payoff: of each action.
    policy: p that it has in the end, in some order.
    moa: settings of the model of others.
  """

  settings: dict[str, Any]
  payoff: list[float]
  policy: list[float]
  moa: dict[str, Any]


UNIFORM = [1 / A] * A
CASES = {
  # Where nothing else is paid, influence and entropy ask for p to be uniform.
  'impala': _Case({}, [0.0] * A, UNIFORM, {}),
  # It writes no more of its policy than how likely the action was: a head of
  # the model of others learns the rest, and must keep up with it.
  'ppo': _Case(
    {'entropy_cost': 1.0, 'learning_rate': 3e-5}, [0.0] * A, UNIFORM, {}
  ),
  'dqn': _Case({'epsilon': 1.0, 'batch_size': 32}, [0.0] * A, UNIFORM, {}),
  # It explores with 0.4, and does else what is paid.
  'r2d2': _Case(
    {'learning_rate': 1e-2, 'batch_size': 8},
    [1.0, 0.0, 0.0],
    [0.6 + 0.4 / A, 0.4 / A, 0.4 / A],
    {'burn_in_length': 2},
  ),
}


class _Recording(intrinsic.InfluenceLearnerBuilder):
  """Keeps what the model of others judges."""

  def __init__(self, *args, **kwargs):
    super().__init__(*args, **kwargs)
    self.samples: list[Any] = []

  def make_dataset_iterator(self, replay_client):
    for sample in super().make_dataset_iterator(replay_client):
      self.samples.append(sample.data)
      yield sample


def _train(name):
  """Returns what the learner was given, and what was logged of it."""
  case = CASES[name]
  environment = stock_agents.make_environment(
    episode_length=1_000,  # The last step of an episode influences nobody.
    payoff=[[own] * A for own in case.payoff],
  )
  agent = stock_agents.make(name, environment, **case.settings)
  log = loggers.InMemoryLogger()
  builder = _Recording(
    agent.builder,
    moa_config=stock_agents.moa_config(
      environment,
      influence_weight=0.1,
      learning_rate=2e-2,
      **{'hidden_size': 32, **case.moa},
    ),
    logger_fn=lambda: log,
  )
  layout = local_layout.LocalLayout(
    0,
    acme.make_environment_spec(environment),
    builder,
    agent.networks,
    agent.policy,
    workdir=None,
    min_replay_size=2 * agent.rows,
    samples_per_insert=agent.batch_size / agent.rows,
    batch_size=agent.batch_size,
  )
  loop = acme.EnvironmentLoop(environment, layout, logger=loggers.NoOpLogger())
  loop.run(num_steps=NUM_STEPS)
  return builder.samples[-NUM_LAST:], log.data[-NUM_LAST:]


def _entropy(probabilities):
  return -sum(p * math.log(p) for p in probabilities)


def _theory(samples):
  """Returns the mean of -log p(a), by the agent's own account if it gives one.

  Else p is counted from what it did, as it does not depend on what it sees.
  """
  if 'logits' in (extras := samples[0].extras or {}):  # Behaviour's.
    logits = np.concatenate([sample.extras['logits'] for sample in samples])
    actions = np.concatenate([sample.action for sample in samples])
    chosen = np.take_along_axis(logits, actions[..., None], axis=-1)
    return np.mean(np.log(np.exp(logits).sum(-1)) - chosen[..., 0])
  if 'log_prob' in extras:
    return -np.mean([sample.extras['log_prob'] for sample in samples])
  actions = np.concatenate([np.ravel(sample.action) for sample in samples])
  return _entropy(np.bincount(actions, minlength=A) / actions.size)


@pytest.mark.slow
@pytest.mark.parametrize('name', CASES)
def test_influence_is_what_theory_says(name):
  samples, log = _train(name)
  assert len(samples) == len(log) == NUM_LAST
  influence = np.mean([row['influence'] for row in log])
  assert influence == pytest.approx(_theory(samples), rel=0.05)
  # And the agent behaves as it was meant to, roughly: some learn to.
  assert influence == pytest.approx(_entropy(CASES[name].policy), rel=0.1)
  assert np.mean([row['moa_accuracy'] for row in log]) > 0.99
