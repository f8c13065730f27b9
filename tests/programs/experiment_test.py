import dataclasses
import functools

import jax
import numpy as np
import pytest
import toy

from influence_acme import compat  # noqa: F401  Before acme.jax.

# isort: split

from acme.agents.jax import impala
from acme.agents.jax.impala import builder as impala_builder

from influence_acme import environments, multiagent, programs
from influence_acme.agents import influence


@pytest.mark.parametrize(
  'field, value',
  [
    ('num_steps', 0),
    ('num_steps', 1.5),
    ('num_actors', -1),
    ('seed', -1),
    ('seed', 2**32),
    ('checkpoint_seconds', 0.0),
    ('logger_factory', 3),
  ],
)
def test_bad_fields_are_named(tmp_path, field, value):
  with pytest.raises(ValueError, match=f'{field} is {value}: it must be'):
    toy.make_experiment(tmp_path, **{field: value})


def test_actors_draw_from_keys_of_their_own(tmp_path):
  experiment = toy.make_experiment(tmp_path, seed=3)
  np.testing.assert_array_equal(
    experiment.actor_key(2, first_step=0),
    jax.random.fold_in(jax.random.PRNGKey(3), 2),
  )
  others = [
    dataclasses.replace(experiment, seed=4).actor_key(2, 0),
    experiment.actor_key(1, 0),
    experiment.actor_key(2, 1000),  # A resumed run draws nothing twice.
    experiment.actor_key(2, 2000),
    experiment.learner_key(),
    experiment.actor_key(2, 0),
  ]
  assert len({tuple(np.asarray(key).tolist()) for key in others}) == 6


def test_environments_get_seeds_of_their_own(tmp_path):
  experiments = [toy.make_experiment(tmp_path, seed=seed) for seed in range(5)]
  seeds = {
    experiment.environment_seed(actor_id, first_step)
    for experiment in experiments
    for actor_id in range(5)
    for first_step in (0, 1, 1000)
  }
  assert len(seeds) == 75
  assert all(isinstance(s, int) and 0 <= s < 2**32 for s in seeds)


def test_identity_tells_environments_and_agents_apart(tmp_path):
  experiment = toy.make_experiment(tmp_path, identity={'environment': 'toy'})
  spec = experiment.make_environment_spec()
  identity = experiment.make_identity(spec)
  assert identity['agent'] == 'ToyBuilder'
  assert identity['environment'] == 'toy'
  assert 'num_values=3' in identity["actions['agent_1']"]
  # Three entries for each agent, discount, and the two above.
  assert len(identity) == 2 * 3 + 3
  wider = dataclasses.replace(
    experiment,
    environment_factory=lambda seed: toy.ToyEnvironment(seed, width=3),
  )
  other = wider.make_identity(wider.make_environment_spec())
  assert [key for key in identity if identity[key] != other[key]] == [
    "observations['agent_0']['x']",
    "observations['agent_1']['x']",
  ]


def test_a_batch_size_that_is_not_the_builders_is_refused(tmp_path):
  config = influence.InfluenceConfig(batch_size=4)
  experiment = programs.Experiment(
    builder_factory=functools.partial(influence.InfluenceBuilder, config),
    environment_factory=functools.partial(
      influence.make_environment, 'coordination', config
    ),
    network_factory=functools.partial(influence.make_networks, config=config),
    num_steps=1,
    run_dir=tmp_path / 'run',
    batch_size=8,
  )
  with pytest.raises(ValueError, match='batch_size is 8: leave it out.* 4'):
    programs.make_program(experiment)
  assert not (tmp_path / 'run').exists()


def _coordination(tmp_path, **options):
  config = influence.InfluenceConfig()
  return programs.Experiment(
    builder_factory=functools.partial(influence.InfluenceBuilder, config),
    environment_factory=functools.partial(
      influence.make_environment, 'coordination', config, episode_length=7
    ),
    network_factory=functools.partial(influence.make_networks, config=config),
    num_steps=1,
    run_dir=tmp_path / 'run',
    **options,
  )


def test_two_games_in_one_experiment_are_refused(tmp_path):
  other = environments.functional('coordination', episode_length=8)
  with pytest.raises(ValueError, match='both must be the same game'):
    programs.make_program(_coordination(tmp_path, functional_environment=other))


def test_settings_hold_all_of_the_experiment(tmp_path):
  experiment = _coordination(tmp_path, seed=np.int64(3), config={'note': 'x'})
  settings = experiment.settings(*experiment.read_environment())
  assert settings['functional_environment']['episode_length'] == 7
  assert settings['agent'] == influence.InfluenceConfig()
  assert (settings['seed'], settings['note']) == (3, 'x')
  assert settings['num_actors'] == 1


def test_settings_hold_the_configurations_of_strangers(tmp_path):
  config = impala.IMPALAConfig(discount=0.9)
  builder = impala_builder.IMPALABuilder(config, ())
  members = {
    'a': multiagent.Member(lambda _: builder, lambda _: None, ('params',))
  }
  experiment = toy.make_experiment(
    tmp_path,
    builder_factory=functools.partial(multiagent.PopulationBuilder, members),
  )
  settings = experiment.settings(*experiment.read_environment())
  assert settings['agent'] == {'a': {'config': config}}
