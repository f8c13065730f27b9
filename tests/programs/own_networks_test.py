"""Networks of one's own, of other sizes and inputs than the paper's."""

import functools
from typing import Any

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
import reverb
from acme import environment_loop
from acme.utils import counting, loggers
from dm_env import specs

from influence_acme import networks, programs, wrappers
from influence_acme.agents import influence
from influence_acme.programs import replays
from influence_acme.testing import fakes

HIDDEN = 24  # Others than those of the configuration.
CONFIG = influence.InfluenceConfig(
  variant='baseline', hidden_size=8, unroll_length=4, batch_size=2
)


class Goals(fakes.FakeMultiAgentEnvironment):
  """Shows each agent a 'goal', float32 [3], and no 'world'."""

  def observation_spec(self):
    goal = specs.Array((3,), np.float32, 'goal')
    return {agent_id: {'goal': goal} for agent_id in self.agent_ids}

  def reset(self):
    return self._show(super().reset())

  def step(self, action):
    return self._show(super().step(action))

  def _show(self, timestep):
    goal = np.arange(3, dtype=np.float32)
    seen = {agent_id: {'goal': goal} for agent_id in self.agent_ids}
    return timestep._replace(observation=seen)


def make_environment(seed=0):
  del seed
  return wrappers.OthersActionsWrapper(Goals(num_actions=3, episode_length=5))


def make_networks(spec):
  """Returns networks that read 'goal' alone, with an LSTM of their own."""

  def build():
    core, head = hk.LSTM(HIDDEN), networks.PolicyValueHead(3)

    def step(observation, state):
      hidden, state = core(observation['goal'], state)
      return networks.StepOutput(*head(hidden)), state

    def unroll(observation, actions, start_of_episode, core_state):
      del actions

      def row(state, inputs):
        goal, start = inputs
        state = jax.tree_util.tree_map(
          lambda x: jnp.where(start[:, None], 0, x), state
        )
        hidden, state = core(goal, state)
        return state, head(hidden)

      rows = (observation['goal'], start_of_episode)
      _, (logits, value) = hk.scan(row, core_state.policy, rows)
      return networks.UnrollOutput(logits, value, None)

    init = lambda observation: step(observation, _zeros(1))  # noqa: E731
    return init, (step, unroll)

  made: Any = hk.without_apply_rng(hk.multi_transform(build))
  step, unroll = made.apply
  agent = networks.AgentNetworks(
    init=made.init,
    initial_state=lambda batch_size: networks.CoreState(_zeros(batch_size), ()),
    step=step,
    counterfactuals=None,
    unroll=unroll,
    step_and_counterfactuals=None,
  )
  agent_ids = tuple(spec.actions)

  def init(key):
    keys = jax.random.split(key, len(agent_ids))
    return jax.vmap(lambda x: made.init(x, {'goal': jnp.zeros((1, 3))}))(keys)

  return influence.InfluenceNetworks(agent, agent_ids, 3, 0, init)


def _zeros(batch_size):
  zeros = jnp.zeros((batch_size, HIDDEN))
  return hk.LSTMState(zeros, zeros)


def test_they_go_through_the_replay_and_learn(tmp_path):
  experiment = programs.Experiment(
    functools.partial(influence.InfluenceBuilder, CONFIG),
    make_environment,
    make_networks,
    num_steps=100,
    run_dir=tmp_path / 'run',
  )
  spec, functional = experiment.read_environment()
  assert experiment.settings(spec, functional)['networks'].num_actions == 3
  builder: Any = experiment.builder_factory(loggers.NoOpLogger())
  made = make_networks(spec)
  server = reverb.Server(replays.make_tables(experiment, spec)['replay'])
  client = reverb.Client(f'localhost:{server.port}')
  counter = counting.Counter()
  learner = builder.make_learner(
    jax.random.PRNGKey(0),
    made,
    builder.make_dataset_iterator(client),
    client,
    counter,
  )
  actor = builder.make_actor(
    jax.random.PRNGKey(1), made, builder.make_adder(client), learner
  )
  loop = environment_loop.EnvironmentLoop(
    make_environment(), actor, logger=loggers.NoOpLogger()
  )
  loop.run(num_steps=20)
  (before,) = learner.get_variables(['params'])
  learner.step()
  (after,) = learner.get_variables(['params'])
  assert after['lstm/linear']['w'].shape == (2, 3 + HIDDEN, 4 * HIDDEN)
  assert (
    np.abs(after['lstm/linear']['w'] - before['lstm/linear']['w']).max() > 0
  )
