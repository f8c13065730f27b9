"""Two stock Acme agents of different kinds learn in one environment."""

from influence_acme import compat  # noqa: F401

# isort: split

import acme
import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import reverb
from acme.agents.jax import dqn, impala
from acme.agents.jax.dqn import actor as dqn_actor
from acme.agents.jax.dqn import builder as dqn_builder
from acme.agents.jax.dqn import losses as dqn_losses
from acme.agents.jax.impala import builder as impala_builder
from acme.jax import networks as networks_lib
from acme.jax import utils
from acme.utils import loggers

from influence_acme.multiagent import actor, learner_set, variables
from influence_acme.system import specs
from influence_acme.testing import fakes

HIDDEN = 8


def _features(observation):
  """Returns [...] float32 features of one {'world': [H, W, 3]}."""
  return jnp.ravel(observation['world'].astype(jnp.float32)) / 255


class _Recurrent(hk.RNNCore):
  """A small recurrent actor-critic."""

  def __init__(self, num_actions):
    super().__init__(name='network')
    self._core = hk.LSTM(HIDDEN)
    self._head = networks_lib.PolicyValueHead(num_actions)

  def __call__(self, inputs, state):
    hidden, state = self._core(_features(inputs), state)
    return self._head(hidden), state

  def initial_state(self, batch_size=None):
    return self._core.initial_state(batch_size)


def _impala(spec, table):
  """Returns IMPALA's builder, networks and policy."""

  def make():
    return _Recurrent(spec.actions.num_values)

  networks = impala.make_haiku_networks(
    env_spec=spec,
    forward_fn=lambda inputs, state: make()(inputs, state),
    initial_state_fn=lambda batch_size=None: make().initial_state(batch_size),
    unroll_fn=lambda inputs, state: hk.static_unroll(make(), inputs, state),
  )
  config = impala.IMPALAConfig(
    batch_size=2,
    sequence_length=3,
    replay_table_name=table,
    samples_per_insert=None,  # Never makes the actor wait.
  )
  zeros = jnp.zeros(HIDDEN, jnp.float32)
  builder = impala_builder.IMPALABuilder(
    config, hk.LSTMState(zeros, zeros), loggers.NoOpLogger
  )
  return builder, networks, networks


def _dqn(spec, table):
  """Returns DQN's builder, networks and policy."""

  def q_values(inputs):
    return hk.Linear(spec.actions.num_values)(jax.vmap(_features)(inputs))

  network: hk.Transformed = hk.without_apply_rng(hk.transform(q_values))
  example = utils.add_batch_dim(utils.zeros_like(spec.observations))
  networks = networks_lib.FeedForwardNetwork(
    init=lambda key: network.init(key, example), apply=network.apply
  )
  config = dqn.DQNConfig(
    batch_size=4,
    min_replay_size=4,
    n_step=1,
    replay_table_name=table,
    samples_per_insert_tolerance_rate=1e6,  # Never makes the actor wait.
  )
  builder = dqn_builder.DQNBuilder(
    config,
    dqn_losses.PrioritizedDoubleQLearning(discount=config.discount),
    loggers.NoOpLogger,
  )
  return builder, networks, dqn_actor.behavior_policy(networks)


# Agent -> how to make it, and what its actor calls its variables.
AGENTS = {'agent_0': (_impala, 'network'), 'agent_1': (_dqn, '')}


@pytest.fixture
def serve():
  """Yields a function that serves tables until the end of the test."""
  servers = []

  def start(tables):
    servers.append(reverb.Server(tables, port=None))
    return reverb.Client(f'localhost:{servers[-1].port}')

  yield start
  for server in servers:
    server.stop()


def _make_learner(builder, networks, client):
  samples = builder.make_dataset_iterator(client)
  return builder.make_learner(jax.random.PRNGKey(0), networks, samples, client)


def _make_actor(builder, policy, client, source):
  adder = builder.make_adder(client)
  return builder.make_actor(jax.random.PRNGKey(1), policy, adder, source)


def _leaves(learner, name):
  """Returns copies of the parameters under a name."""
  (params,) = learner.get_variables([name])
  return [np.array(leaf) for leaf in jax.tree_util.tree_leaves(params)]


def test_two_stock_agents_learn_independently(serve):
  environment = fakes.FakeMultiAgentEnvironment(num_agents=2, num_actions=3)
  environment_spec = acme.make_environment_spec(environment)
  agents, tables = {}, []
  for agent_id, (make, _) in AGENTS.items():
    spec = specs.agent_spec(environment_spec, agent_id)
    agents[agent_id] = make(spec, table=agent_id)
    tables += agents[agent_id][0].make_replay_tables(spec)
  client = serve(tables)

  learner = learner_set.LearnerSet(
    {
      agent_id: _make_learner(builder, networks, client)
      for agent_id, (builder, networks, _) in agents.items()
    },
    {agent_id: [name] for agent_id, (_, name) in AGENTS.items()},
  )
  joint_actor = actor.JointActor(
    {
      agent_id: _make_actor(
        builder,
        policy,
        client,
        variables.AgentVariableSource(learner, agent_id),
      )
      for agent_id, (builder, _, policy) in agents.items()
    },
    environment.agent_ids,
  )
  logger = loggers.InMemoryLogger()
  loop = acme.EnvironmentLoop(environment, joint_actor, logger=logger)

  names = ['agent_0/network', 'agent_1/']
  before = [_leaves(learner, name) for name in names]
  loop.run(num_episodes=12)
  learner.run(num_steps=3)
  for name, old in zip(names, before, strict=True):
    new = _leaves(learner, name)
    assert all(np.isfinite(leaf).all() for leaf in new)
    assert not all(map(np.array_equal, old, new)), name
  assert logger.data[-1]['episode_return'] == {'agent_0': 5, 'agent_1': 5}
