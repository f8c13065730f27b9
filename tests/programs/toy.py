"""The smallest agent and environment that a program can run, without JAX nets.

Actions depend on the parameters, and the parameters on all that was observed:
whatever differs between two runs shows in both.
"""

from influence_acme import compat  # noqa: F401  Before acme.jax.

# isort: split

import functools

import dm_env
import numpy as np
import reverb
from acme import core
from acme.adders import reverb as reverb_adders
from acme.agents.jax import builders
from acme.jax import variable_utils
from dm_env import specs as dm_specs

from influence_acme import programs
from influence_acme.agents import influence

AGENT_IDS = ('agent_0', 'agent_1')
BATCH_SIZE = 2
NUM_ACTIONS = 3
# Of `make_trainable`: an iteration plays as many steps as the product of two.
TRAINABLE = {'hidden_size': 8, 'batch_size': 2, 'unroll_length': 5}


class ToyEnvironment(dm_env.Environment):
  """Random observations, rewards by the actions, episodes of random length."""

  def __init__(self, seed, width=2, step_fn=lambda: None):
    self._random = np.random.Generator(np.random.Philox(seed))
    self._width = width
    self._step_fn = step_fn
    self._left = 0

  def reset(self):
    self._left = int(self._random.integers(3, 9))
    return dm_env.restart(self._observe())

  def step(self, action):
    self._step_fn()
    self._left -= 1
    reward = {k: np.float32(action[k] + self._random.random()) for k in action}
    finish = dm_env.termination if self._left == 0 else dm_env.transition
    return finish(reward, self._observe())

  def _observe(self):
    return {
      k: {'x': self._random.random(self._width, np.float32)} for k in AGENT_IDS
    }

  def action_spec(self):
    return {k: dm_specs.DiscreteArray(NUM_ACTIONS) for k in AGENT_IDS}

  def observation_spec(self):
    x = dm_specs.Array((self._width,), np.float32)
    return {k: {'x': x} for k in AGENT_IDS}

  def reward_spec(self):
    return {k: dm_specs.Array((), np.float32) for k in AGENT_IDS}


class ToyActor(core.Actor):
  """Acts at random, with odds that the parameters shift."""

  def __init__(self, key, adder, variable_source):
    self._key = np.asarray(key).tolist()
    self._adder = adder
    self._client = variable_utils.VariableClient(variable_source, ['params'])
    self._steps = 0

  def select_action(self, observation):
    del observation
    # A counter-based generator, as JAX's: the step is folded into the key.
    random = np.random.default_rng([*self._key, self._steps])
    shift = float(np.sum(self._client.params))
    return {
      k: np.int32(int(random.random() * 1e3 + shift) % NUM_ACTIONS)
      for k in AGENT_IDS
    }

  def observe_first(self, timestep):
    self._adder.add_first(timestep)

  def observe(self, action, next_timestep):
    self._adder.add(action, next_timestep)
    self._steps += 1

  def update(self, wait=False):
    self._client.update(wait)


class ToyLearner(core.Learner):
  """Mixes whatever it gets into its parameters, as an optimiser would."""

  def __init__(self, key, dataset, counter, logger, num_params, step_fn):
    random = np.random.default_rng(np.asarray(key).tolist())
    self._state = {
      'params': random.random(num_params, np.float32),
      'momentum': np.zeros(num_params, np.float32),
    }
    self._dataset = dataset
    self._counter = counter
    self._logger = logger
    self._step_fn = step_fn

  def step(self):
    data = next(self._dataset).data
    self._step_fn()
    rewards = sum(
      np.sum(data.reward[k] * data.observation[k]['x'][..., 0])
      for k in AGENT_IDS
    )
    steps = self._counter.get_counts().get('environment_steps', 0)
    momentum = np.float32(0.9) * self._state['momentum'] + np.float32(rewards)
    params = self._state['params'] + momentum / np.float32(1 + steps)
    self._state = {'params': params, 'momentum': momentum}
    counts = self._counter.increment(steps=1)
    self._logger.write({'reward': rewards, **counts})

  def get_variables(self, names):
    return [self._state[name] for name in names]

  def save(self):
    return self._state

  def restore(self, state):
    self._state = state


class ToyBuilder(builders.ActorLearnerBuilder):
  """A queue of overlapping sequences that run on over episode ends."""

  def __init__(self, logger, num_params=4, queue_size=8, step_fn=lambda: None):
    self._logger = logger
    self._num_params = num_params
    self._queue_size = queue_size
    self._step_fn = step_fn

  def make_replay_tables(self, environment_spec):
    return [
      reverb.Table.queue(
        reverb_adders.DEFAULT_PRIORITY_TABLE,
        self._queue_size,
        signature=reverb_adders.SequenceAdder.signature(environment_spec),
      )
    ]

  def make_dataset_iterator(self, replay_client):
    dataset = reverb.TrajectoryDataset.from_table_signature(
      replay_client.server_address,
      reverb_adders.DEFAULT_PRIORITY_TABLE,
      max_in_flight_samples_per_worker=4,
      num_workers_per_iterator=1,
    )
    return dataset.batch(BATCH_SIZE, drop_remainder=True).as_numpy_iterator()

  def make_adder(self, replay_client):
    return reverb_adders.SequenceAdder(
      replay_client,
      sequence_length=4,
      period=3,
      end_of_episode_behavior=reverb_adders.EndBehavior.CONTINUE,
    )

  def make_learner(
    self, random_key, networks, dataset, replay_client=None, counter=None
  ):
    del networks, replay_client
    return ToyLearner(
      random_key,
      dataset,
      counter,
      self._logger,
      self._num_params,
      self._step_fn,
    )

  def make_actor(
    self, random_key, policy_network, adder=None, variable_source=None
  ):
    del policy_network
    return ToyActor(random_key, adder, variable_source)


def make_experiment(run_dir, **overrides):
  """Returns the toy experiment."""
  defaults = {
    'builder_factory': ToyBuilder,
    'environment_factory': ToyEnvironment,
    'network_factory': lambda spec: None,
    'num_steps': 100,
    'run_dir': run_dir,
  }
  return programs.Experiment(**{**defaults, **overrides})


class _Watched:
  """An environment that calls a function before every step."""

  def __init__(self, environment, step_fn):
    self._environment = environment
    self._step_fn = step_fn

  def __getattr__(self, name):
    return getattr(self._environment, name)

  def step(self, action):
    self._step_fn()
    return self._environment.step(action)


def make_trainable(
  run_dir,
  *,
  builder=influence.InfluenceBuilder,
  num_actions=3,
  step_fn=lambda: None,
  agent=None,
  **overrides,
):
  """Returns the smallest experiment that the fused trainer takes.

  Args:
    run_dir: of the run.
    builder: of the agents.
    num_actions: of the game.
    step_fn: called before every step of an environment.
    agent: fields of the agents' configuration that differ.
    **overrides: fields of the experiment that differ.
  """
  config = influence.InfluenceConfig(
    **{**TRAINABLE, 'max_queue_size': 4, **(agent or {})}
  )

  def make_environment(seed):
    environment = influence.make_environment(
      'coordination',
      config,
      seed,
      num_agents=2,
      num_actions=num_actions,
      episode_length=7,
    )
    return _Watched(environment, step_fn)

  return make_experiment(
    run_dir,
    **{
      'builder_factory': functools.partial(builder, config),
      'environment_factory': make_environment,
      'network_factory': functools.partial(
        influence.make_networks, config=config
      ),
      **overrides,
    },
  )
