"""Influence of a population whose causes are known, in every row, by hand.

Of four agents with four actions, and four symbols where they speak,

  agent_0, B, does or says 0, 1, 2, 3 with probabilities .4, .3, .2, .1;
  agent_1, C, ignores all, and is ignored;
  agent_2, A, does what B did one step before with probability .7;
  agent_3, D, does what B says, or does now if it sees it, with probability .7;

and the rest is even. So whose choice x is known does x with probability .7, and
each other thing with .1; had B chosen as it does, it would do x with
.1 + .6 p(x) = .34, .28, .22, .16. The divergence of the former from the latter,
.7 log(.7 / m(x)) + sum over the rest of .1 log(.1 / m), is the influence of x:

  x                0          1          2          3
  nats             .27668     .39318     .53788     .72895

Where this stands is another matter in each of the paper's experiments:

  basic            B acts first, D sees it: B -> D at t, in the last step too.
                   A looks at the step before: no influence within the step.
  communication    D obeys at t + 1: B -> D in the row of the symbol, and none
                   of the last step's, as nobody hears it.
  moa              everyone's model knows that A copies: B -> A in the row of
                   the action, and none in the last step.
"""

import functools
from typing import Any

import acme
import jax
import numpy as np
import pytest
import reverb
from acme.utils import loggers

from influence_acme.agents import influence
from influence_acme.multiagent import recording
from influence_acme.programs import evaluation
from influence_acme.testing import fakes

N, A, U = 4, 4, 4
B_, A_, D_ = 0, 2, 3
NATS = np.array([0.27668, 0.39318, 0.53788, 0.72895])
POLICY = np.log([0.4, 0.3, 0.2, 0.1])
OBEYS = np.log(7.0) / np.tanh(1.0) * np.eye(A)  # On cells of tanh(1): .7 to .1.
# Of an episode of three steps.
EXTRINSIC = np.array([[1, 0, -2, 0.5], [0, 3, 0, 1], [2, 2, -1, 0]])
# Variant -> whom B influences, whether in the last step, and for pay.
CASES: dict[str, tuple[int | None, bool, bool]] = {
  'baseline': (None, False, False),
  'visible_actions': (D_, True, False),
  'basic_influence': (D_, True, True),
  'comm_baseline': (D_, False, False),
  'communication': (D_, False, True),
  'moa_baseline': (A_, False, False),
  'moa': (A_, False, True),
}


class Source:
  """A variable source, of the hand-built parameters."""

  def __init__(self, params):
    self._params = params

  def get_variables(self, names):
    counts = {
      'learner_steps': np.int32(1),
      'environment_steps': np.int64(10**6),
    }
    return [{'params': self._params, 'counts': counts}[n] for n in names]


def _heed(core, agent, slot):
  """Makes an agent's cells the one-hot of what is at a slot of its inputs."""
  core['w'][agent, slot : slot + A, U : 2 * U] = 50 * np.eye(A)
  # Inputs are let in, what was is forgotten.
  core['b'][agent, :U] = core['b'][agent, 3 * U :] = 50
  core['b'][agent, 2 * U : 3 * U] = -50


def _make_params(networks, config):
  params: Any = jax.tree_util.tree_map(
    lambda x: np.zeros(x.shape, x.dtype),
    jax.eval_shape(networks.init, jax.random.PRNGKey(0)),
  )
  core, head = params['policy_core'], params['policy_value_head/policy']
  actions = 32  # After the view's features come everyone's last actions ...
  if config.has_influencers or config.has_moa:
    _heed(core, A_, actions + B_ * A)
    head['w'][A_] = OBEYS
  if config.has_influencers:  # ... and the influencers' current ones,
    _heed(core, D_, actions + N * A + B_ * A)
    head['w'][D_] = OBEYS
  if config.has_messages:  # or else everyone's last messages.
    _heed(core, D_, actions + B_ * A)
    head['w'][D_] = OBEYS
    params['message_head/policy']['b'][B_] = POLICY
  else:
    head['b'][B_] = POLICY
  if config.has_moa:
    for me in range(N):
      _heed(params['moa_core/~/lstm'], me, actions + B_ * A)
      if me != A_:
        place = A_ - (me < A_)
        columns = slice(place * A, (place + 1) * A)
        params['moa_core/~/others']['w'][me, :, columns] = OBEYS
  return params


class Population:
  """The agents, their environment, and their replay."""

  def __init__(self, variant):
    options: dict[str, Any] = {}
    if CASES[variant][1]:
      options['num_influencers'] = 2
    if variant.startswith('comm'):
      options['num_symbols'] = A
    self.config = influence.InfluenceConfig(
      variant=variant,
      hidden_size=U,
      influence_weight=2.0,
      influence_curriculum_steps=1,
      unroll_length=40,
      batch_size=1,
      **options,
    )
    last = len(EXTRINSIC) - 1
    kinds = fakes.dm_env.StepType
    # An end for good: it is no time limit that makes the last step another.
    script = [
      (e, float(t < last), kinds.MID if t < last else kinds.LAST)
      for t, e in enumerate(EXTRINSIC)
    ]
    self.environment = influence.wrap_environment(
      fakes.FakeMultiAgentEnvironment(N, A, script=script), self.config
    )
    self.spec = acme.make_environment_spec(self.environment)
    self.builder = influence.InfluenceBuilder(self.config, loggers.NoOpLogger())
    self.networks = influence.make_networks(self.spec, self.config)
    self.source = Source(_make_params(self.networks, self.config))

  @functools.cached_property
  def rows(self):
    """Rows [40, ...] of ten episodes, as a learner samples them."""
    server = reverb.Server(self.builder.make_replay_tables(self.spec))
    client = reverb.Client(f'localhost:{server.port}')
    iterator = self.builder.make_dataset_iterator(client)
    actor = self.builder.make_actor(
      jax.random.PRNGKey(1),
      self.networks,
      self.builder.make_adder(client),
      self.source,
    )
    loop = acme.EnvironmentLoop(
      self.environment, actor, logger=loggers.NoOpLogger()
    )
    loop.run(num_episodes=11)
    data = next(iterator).data
    return jax.tree_util.tree_map(lambda x: x[0, :-1], data)

  def episode(self):
    """Returns an evaluated episode."""
    adder = recording.RecordingAdder()
    actor = self.builder.make_evaluator(
      jax.random.PRNGKey(2), self.networks, adder, self.source
    )
    return evaluation.record_episode(self.environment, actor, adder)


# By default those who are paid: whether they are is the only difference.
@pytest.fixture(
  scope='module',
  params=[
    pytest.param(name, marks=[] if is_paid else [pytest.mark.slow])
    for name, (_, _, is_paid) in CASES.items()
  ],
)
def population(request):
  return Population(request.param)


def _counts(population):
  """Returns bool [T], in which steps of an episode B has influence."""
  target, in_last_step, _ = CASES[population.config.variant]
  return np.array([True, True, in_last_step]) & (target is not None)


def test_every_row_of_scripted_episodes(population):
  config, rows = population.config, population.rows
  choices = rows.action['message'] if config.has_messages else rows.action
  assert len(set(choices[:, B_])) == A
  extrinsic = np.concatenate([EXTRINSIC, np.zeros((1, N))])  # No step.
  counts = np.append(_counts(population), False)
  for t in range(40):
    expected = np.zeros(N)
    expected[B_] = NATS[choices[t, B_]] * counts[t % 4]
    is_paid = CASES[config.variant][2]
    np.testing.assert_allclose(
      rows.extras['influence'][t], expected, atol=2e-5, err_msg=str(t)
    )
    np.testing.assert_array_equal(rows.extras['extrinsic'][t], extrinsic[t % 4])
    np.testing.assert_allclose(
      rows.reward[t], extrinsic[t % 4] + 2 * is_paid * expected, atol=5e-5
    )


def test_the_agents_do_what_they_are_said_to_do(population):
  config, rows = population.config, population.rows
  probabilities = np.asarray(jax.nn.softmax(rows.extras['logits']))
  for t in range(40):
    if t % 4 == 3:
      continue
    obeyed = {}  # Who -> whose choice it heeds.
    if t % 4 and (config.has_influencers or config.has_moa):
      obeyed[A_] = rows.action[t - 1, B_]
    if t % 4 and config.has_messages:
      obeyed[D_] = rows.action['message'][t - 1, B_]
    if config.has_influencers:
      obeyed[D_] = rows.action[t, B_]
    for agent in range(N):
      expected = np.full(A, 0.25)
      if agent in obeyed:
        expected = np.where(np.arange(A) == obeyed[agent], 0.7, 0.1)
      elif agent == B_ and not config.has_messages:
        expected = np.exp(POLICY)
      np.testing.assert_allclose(probabilities[t, agent], expected, atol=1e-5)


def test_every_pair_of_the_matrix(population):
  episode = population.episode()
  target, _, _ = CASES[population.config.variant]
  if target is None:
    assert episode.influence is None
    return
  choices = (
    episode.messages if population.config.has_messages else episode.actions
  )
  expected = np.zeros((len(EXTRINSIC), N, N))
  expected[:, np.arange(N), np.arange(N)] = np.nan
  expected[:, B_, target] = NATS[choices[:, B_]] * _counts(population)
  np.testing.assert_allclose(episode.influence, expected, atol=2e-5)
