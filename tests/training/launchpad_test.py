"""Runs that go from Launchpad to the fused trainer, and back."""

import functools

import jax
import numpy as np
import pytest

pytest.importorskip('launchpad')

import tiny

from influence_acme import environments, programs
from influence_acme.agents import influence
from influence_acme.system import config as config_lib

AGENTS = {
  'moa': tiny.make_agent('moa'),
  'communication': tiny.make_agent(
    'communication',
    update='ppo',
    normalise_returns=True,
    ppo=config_lib.PPOConfig(num_epochs=2, num_minibatches=2),
  ),
}


def _launch(path, agent, episode_length=7, **options):
  """Runs the same agents in threads of Launchpad, and returns the exit code."""
  game = {'episode_length': episode_length}
  experiment = programs.Experiment(
    builder_factory=functools.partial(influence.InfluenceBuilder, agent),
    environment_factory=lambda seed: influence.make_environment(
      'coordination', agent, seed, **game
    ),
    network_factory=functools.partial(influence.make_networks, config=agent),
    batch_size=agent.batch_size,
    run_dir=path,
    identity={'environment': 'coordination'},
    num_environments=agent.batch_size,
    functional_environment=environments.functional('coordination', **game),
    **options,
  )
  return programs.launch(programs.make_program(experiment), 'threads')


def _assert_it_went_on(before, after, num_steps):
  for name in ('environment_steps', 'learner_steps', 'actor_steps'):
    assert after.counts[name] > before.counts[name] > 0
  assert after.counts['environment_steps'] >= num_steps
  name = "['counts']['learner_steps']"
  assert after.learner[name] > before.learner[name]
  assert after.learner.keys() == before.learner.keys()
  # Adam counts its steps from the first one, in whichever way they were made.
  (count,) = (x for x in after.learner if x.endswith('.count'))
  assert np.all(after.learner[count] >= after.learner[name])
  assert not np.array_equal(*(x.learner[count] for x in (before, after)))


@pytest.mark.slow
@pytest.mark.parametrize('variant', list(AGENTS))
def test_the_fused_trainer_goes_on_with_a_launchpad_run(tmp_path, variant):
  path, agent = tmp_path / 'run', AGENTS[variant]
  assert _launch(path, agent, num_steps=500) == 0
  before = tiny.load(path)
  assert before.rollout is None
  steps = before.counts['environment_steps'] + 500
  assert tiny.resume(path, agent, num_steps=steps) == 0
  after = tiny.load(path)
  _assert_it_went_on(before, after, steps)

  # And Launchpad with that.
  assert _launch(path, agent, num_steps=steps + 500, resume=True) == 0
  _assert_it_went_on(after, tiny.load(path), steps + 500)


@pytest.mark.slow
def test_the_first_parameters_of_a_seed_are_the_same(tmp_path):
  frozen = tiny.make_agent(learning_rate=1e-30, learning_rate_end=0.0)
  found = []
  for name, run in (('fused', tiny.run), ('threads', _launch)):
    assert run(tmp_path / name, frozen, num_steps=50, seed=3) == 0
    learner = tiny.load(tmp_path / name).learner
    found.append({k: v for k, v in learner.items() if '.params' in k})
  assert found[0]
  jax.tree_util.tree_map(
    lambda x, y: np.testing.assert_allclose(x, y, rtol=0, atol=1e-25), *found
  )


@pytest.mark.slow
def test_two_agents_learn_to_coordinate_by_ppo_in_threads(tmp_path):
  code = _launch(
    tmp_path / 'run',
    tiny.make_learning_agent('ppo'),
    tiny.LONG,
    num_steps=tiny.NUM_STEPS,
  )
  assert code == 0
  assert tiny.learned_return(tmp_path / 'run') >= 0.95 * tiny.OPTIMUM
