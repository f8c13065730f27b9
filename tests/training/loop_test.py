"""One iteration of the fused trainer: what acts, what learns, what counts."""

import dataclasses

import jax
import numpy as np
import pytest
import tiny

from influence_acme import environments
from influence_acme.rollouts import host_environments, layout
from influence_acme.system import networks as networks_lib
from influence_acme.system import policy as policy_lib
from influence_acme.system import specs, wrap
from influence_acme.training import loop, rollout_makers

_PURE = environments.functional('coordination', episode_length=7)
_AGENT = tiny.make_agent(influence_weight=2.0)


def _host(seed):
  host = environments.MultiAgentEnvironment(_PURE, seed)
  return wrap.wrap_environment(host, _AGENT)


def _trainer(*, on_host=False, update='vtrace'):
  agent = dataclasses.replace(_AGENT, update=update)
  spec = specs.make_environment_spec(_host(0))
  networks = networks_lib.from_spec(spec, agent)
  policy = policy_lib.make_joint_policy(networks, agent)
  if on_host:
    batch = host_environments.HostEnvironments(
      [_host(seed) for seed in range(tiny.B)], networks.agent_ids
    )
    rollout = host_environments.make_rollout(
      batch, policy, tiny.T, layout.to_learner
    )
  else:
    rollout, _ = rollout_makers.compiled(_PURE, networks, agent)(policy, 0)
  return loop.Trainer(rollout, networks, agent, jax.random.PRNGKey(0))


def _init(trainer, **options):
  keys = [jax.random.PRNGKey(seed) for seed in range(tiny.B)]
  return trainer.init(keys, keys, **options)


@pytest.fixture(scope='module')
def iterations():
  """The states of three iterations, copied, and what each gave."""
  return _iterate(_trainer())


def _iterate(trainer):
  state, parts = _init(trainer)
  states, given = [jax.device_get(state)], [parts]
  for _ in range(3):
    state, iteration = trainer.iterate(state)
    states.append(jax.device_get(state))
    given.append(iteration)
  trainer.close()
  return states, given


def test_padding_is_no_environment_step(iterations):
  # An episode has 7 steps and a padding row: of 4 environments each, the first
  # 11 rows hold one padding row, and 10 more one each time but the last.
  states, given = iterations
  steps = [int(state.environment_steps) for state in states]
  rows = [11, 21, 31, 41]
  assert steps == [tiny.B * (n - n // 8) for n in rows]
  assert [int(state.learner_steps) for state in states] == [0, 1, 2, 3]
  assert len(given[0]) == 2
  assert all(len(iteration.episodes) == 1 for iteration in given[1:])


def test_a_batch_is_learned_from_after_the_one_that_it_follows(iterations):
  states, given = iterations
  for before, after, iteration in zip(
    states[:-1], states[1:], given[1:], strict=True
  ):
    jax.tree_util.tree_map(
      np.testing.assert_array_equal, iteration.batch, before.batch
    )
    # Batches meet in a row, which bootstraps the first.
    np.testing.assert_array_equal(
      before.batch.own_actions[:, -1], after.batch.own_actions[:, 0]
    )


def test_with_vtrace_what_acts_is_one_update_old(iterations):
  states, _ = iterations
  for before, after in zip(states[:-1], states[1:], strict=True):
    old, new = _errors(after.batch, (before, after))
    # But for the recurrent state after the first row.
    assert old < 0.1 * new


def test_with_ppo_what_acts_is_what_was_just_learned():
  states, _ = _iterate(_trainer(update='ppo'))
  for before, after in zip(states[:-1], states[1:], strict=True):
    old, new = _errors(after.batch, (before, after))
    assert new < 0.1 * old


def _errors(batch, states):
  """Returns how far policies are from the one that acted, by state.

  The behaviour logits of a batch are those of the parameters that unrolled it.
  """
  agent = _trainer()._networks.agent
  errors = []
  for state in states:
    output = jax.vmap(agent.unroll)(
      state.training.params,
      batch.observation,
      batch.actions,
      batch.start_of_episode,
      batch.core_state,
    )
    error = output.logits - batch.behaviour_logits
    is_padding = np.roll(batch.start_of_episode, -1, axis=1)
    # Others acted in the first row, and of the last one it is not known whether
    # it is padding.
    errors.append(
      np.abs(np.where(is_padding[..., None], 0, error))[:, 1:-1].max()
    )
  return errors


def test_the_weight_is_that_of_the_steps_before_the_unroll(iterations):
  states, _ = iterations
  for before, after in zip(states[:-1], states[1:], strict=True):
    batch = after.batch
    weight = 2.0 * int(before.environment_steps) / 1000
    weighted = (batch.reward - batch.extrinsic)[:, 1:]
    np.testing.assert_allclose(
      weighted, weight * batch.influence[:, 1:], atol=1e-6
    )


@pytest.mark.slow
@pytest.mark.parametrize('on_host', [False, True])
def test_an_accelerator_computes_the_same(iterations, monkeypatch, on_host):
  # There all agents are updated in one call, while their parameters act.
  monkeypatch.setattr(jax, 'default_backend', lambda: 'gpu')
  trainer = _trainer(on_host=on_host)
  state, _ = _init(trainer)
  for expected in iterations[0]:
    jax.tree_util.tree_map(
      lambda x, y: np.testing.assert_allclose(x, y, atol=1e-5),
      (state.training.params, state.batch._replace(core_state=())),
      (expected.training.params, expected.batch._replace(core_state=())),
    )
    state, _ = trainer.iterate(state)
  trainer.close()
