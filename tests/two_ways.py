"""Two ways to play the same environments: step by step, and vectorised."""

from typing import Any

import acme
import jax
import numpy as np
import reverb
from acme.adders.reverb import base as reverb_base
from acme.utils import loggers

from influence_acme import environments
from influence_acme.agents import influence
from influence_acme.agents.influence import rollout_actor

B, NUM_SEQUENCES = 2, 4
SEEDS = (11, 2**32 - 5)


class Learner:
  """A variable source whose parameters do not change."""

  def __init__(self, params, environment_steps=5):
    self.params = params
    self.counts = {
      'learner_steps': np.int32(3),
      'environment_steps': np.int64(environment_steps),
    }

  def get_variables(self, names):
    return [{'params': self.params, 'counts': self.counts}[n] for n in names]


class Game:
  """An environment, an agent for it, and the rows that both actors write."""

  def __init__(
    self, name, measure='kl', unroll_length=6, config=None, **overrides
  ):
    self.functional = environments.functional(name, **overrides)
    self.name, self.overrides = name, overrides
    self.config = influence.InfluenceConfig(
      hidden_size=16,
      influence_measure=measure,
      influence_curriculum_steps=10,
      unroll_length=unroll_length,
      batch_size=1,
      **{'influence_weight': 2.0, **(config or {})},
    )
    self.builder = influence.InfluenceBuilder(self.config, loggers.NoOpLogger())
    self.spec = acme.make_environment_spec(self.make_environment(0))
    self.networks = influence.make_networks(self.spec, self.config)
    self._servers = []
    self.learner: Any = Learner(self._make_params())
    self.keys = [jax.random.fold_in(jax.random.PRNGKey(4), i) for i in range(B)]

  def _make_params(self):
    # Far from uniform policies and models; to draw them in JAX takes longer.
    rng = np.random.default_rng(0)
    return jax.tree_util.tree_map(
      lambda x: rng.normal(0, 0.3, x.shape).astype(x.dtype),
      jax.eval_shape(self.networks.init, jax.random.PRNGKey(0)),
    )

  def make_environment(self, seed):
    """Makes the dm_env adapter, as the step-by-step actor plays it."""
    return influence.make_environment(
      self.name, self.config, seed, **self.overrides
    )

  def make_actor(self, client):
    """Makes the vectorised actor."""
    return rollout_actor.RolloutActor(
      self.builder,
      self.networks,
      self.functional,
      seeds=SEEDS,
      keys=self.keys,
      variable_source=self.learner,
      replay=client,
    )

  def step_by_step(self):
    """Returns sequences [B, NUM_SEQUENCES, T + 1, ...] of the Acme actor."""
    return jax.tree_util.tree_map(
      lambda *xs: np.stack(xs),
      *[self._step_by_step(b) for b in range(B)],
    )

  def _step_by_step(self, b):
    client, iterator = self.make_replay()
    actor = self.builder.make_actor(
      self.keys[b],
      self.networks,
      self.builder.make_adder(client),
      self.learner,
    )
    loop = acme.EnvironmentLoop(
      self.make_environment(SEEDS[b]), actor, logger=loggers.NoOpLogger()
    )
    num_rows = NUM_SEQUENCES * self.config.unroll_length + 3
    loop.run(num_steps=num_rows)
    return _stack(next(iterator) for _ in range(NUM_SEQUENCES))

  def vectorised(self):
    """Returns the same of the vectorised actor."""
    client, iterator = self.make_replay()
    actor = self.make_actor(client)
    unrolls = []
    for _ in range(NUM_SEQUENCES):
      sequences, _, _ = actor.play()
      actor.write(sequences, lambda: None)
      unrolls.append(_stack(next(iterator) for _ in range(B)))
    return jax.tree_util.tree_map(lambda *xs: np.stack(xs, axis=1), *unrolls)

  def make_replay(self):
    """Makes a server with the builder's table: its client, and an iterator."""
    server = reverb.Server(self.builder.make_replay_tables(self.spec))
    self._servers.append(server)  # It lives as long as the game.
    client = reverb.Client(f'localhost:{server.port}')
    return client, self.builder.make_dataset_iterator(client)


def _stack(samples):
  """Stacks batches of one."""
  return jax.tree_util.tree_map(
    lambda *xs: np.concatenate(xs), *[_plain(sample.data) for sample in samples]
  )


def _plain(data):
  """Makes our own tuples again of what TensorFlow made look-alikes of."""
  states = tuple(jax.tree_util.tree_leaves(data.extras['core_state']))
  data = reverb_base.Trajectory(*data)
  return data._replace(extras={**data.extras, 'core_state': states})
