"""Short training runs of which every row and every parameter is kept."""

import acme
import jax
import numpy as np
import reverb
from acme.utils import counting, loggers

from influence_acme import environments
from influence_acme.agents import influence
from influence_acme.agents.influence import rollout_actor

T, B, LEARNER_STEPS = 5, 3, 10
CURRICULUM = 100  # Environment steps: about a third of a run.
LENGTH = 7  # Of an episode, which has 8 rows: it ends anywhere in a sequence.


class RealRun:
  """A population that learns while it plays a game.

  Attributes:
    config: of the agent.
    versions: learner step -> its 'params' and 'counts'.
    losses: of each learner step.
  """

  def __init__(self, variant, num_agents, **options):
    self.config = influence.InfluenceConfig(
      variant=variant,
      hidden_size=8,
      influence_curriculum_steps=CURRICULUM,
      unroll_length=T,
      batch_size=B,
      max_queue_size=3 * B,
      **{'influence_weight': 2.0, **options},
    )
    # What agents get differs from agent to agent.
    self._game = {
      'num_agents': num_agents,
      'num_actions': 3,
      'episode_length': LENGTH,
      'payoff': ((3.0, 0.0, 1.0), (4.0, 1.0, 0.0), (0.0, 2.0, 2.0)),
    }
    self._environment = influence.make_environment(
      'matrix', self.config, 0, **self._game
    )
    self._spec = acme.make_environment_spec(self._environment)
    self._builder = influence.InfluenceBuilder(self.config, self)
    self._networks = influence.make_networks(self._spec, self.config)
    self._counter = counting.Counter()
    self._batches, self.versions, self.losses = [], {}, []
    self._learner = self._builder.make_learner(
      jax.random.PRNGKey(0), self._networks, self._keep(), None, self._counter
    )
    # Far from uniform policies and models, that go on from there.
    state = self._learner.save()
    rng = np.random.default_rng(0)
    params = jax.tree_util.tree_map(
      lambda x: rng.normal(0, 0.4, x.shape).astype(x.dtype),
      state['state'].params,
    )
    state['state'] = state['state']._replace(params=params)
    self._learner.restore(state)
    self._keep_version()

  def write(self, values):
    """Keeps the learner's log: a logger."""
    self.losses.append(values['loss'])

  def close(self):
    """Does nothing."""

  def step_by_step(self):
    """Trains by Acme's loop; returns rows [1, T', ...] of its environment."""
    client = self._connect()
    actor = self._builder.make_actor(
      jax.random.PRNGKey(1),
      self._networks,
      self._builder.make_adder(client),
      self._learner,
    )
    loop = acme.EnvironmentLoop(
      self._environment, actor, logger=loggers.NoOpLogger()
    )
    for i in range(LEARNER_STEPS):
      # Two episodes have a row more than a batch; the first needs some more.
      num_steps = (3 if i == 0 else 2) * LENGTH
      loop.run(num_steps=num_steps)
      self._learn(num_steps)
      actor.update(wait=True)
    sequences = _stack(self._batches)
    return jax.tree_util.tree_map(
      lambda x: x.reshape((1, -1, *x.shape[3:])), sequences
    )

  def vectorised(self):
    """Trains by rollouts; returns rows [B, T', ...] of all environments."""
    client = self._connect()
    actor = rollout_actor.RolloutActor(
      self._builder,
      self._networks,
      environments.functional('matrix', **self._game),
      seeds=range(B),
      keys=[jax.random.PRNGKey(10 + b) for b in range(B)],
      variable_source=self._learner,
      replay=client,
    )
    for _ in range(LEARNER_STEPS):
      actor.update(wait=True)
      sequences, num_steps, _ = actor.play()
      actor.write(sequences, lambda: None)
      self._learn(num_steps)
    return jax.tree_util.tree_map(
      lambda x: np.swapaxes(x, 0, 1).reshape((B, -1, *x.shape[3:])),
      _stack(self._batches),
    )

  def _connect(self):
    """Makes a server, and lets the learner take from it."""
    self._batches.clear()
    self._server = reverb.Server(self._builder.make_replay_tables(self._spec))
    client = reverb.Client(f'localhost:{self._server.port}')
    self._iterator = self._builder.make_dataset_iterator(client)
    return client

  def _keep(self):
    while True:
      sample = next(self._iterator)
      self._batches.append(sample.data)
      yield sample

  def _learn(self, num_steps):
    self._counter.increment(environment_steps=num_steps)
    self._learner.step()
    self._keep_version()

  def _keep_version(self):
    params, counts = self._learner.get_variables(['params', 'counts'])
    version = {'params': params, 'counts': counts}
    self.versions[int(counts['learner_steps'])] = version


def _stack(batches):
  """Stacks batches, without the row that only bootstraps: the next one's."""
  return jax.tree_util.tree_map(
    lambda *xs: np.stack([x[:, :-1] for x in xs]), *batches
  )
