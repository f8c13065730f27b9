"""Tests of the part of `config.json` that policies are made from."""

import dataclasses
import json

import jax
import pytest

from influence_acme import environments
from influence_acme.runs import population_config, run_dir
from influence_acme.system import config as config_lib
from influence_acme.system import networks as networks_lib
from influence_acme.system import specs, wrap

MIXED = config_lib.InfluenceConfig(
  variant=('moa', 'communication'),
  influence_weight=(0.5, 2.0),
  num_symbols=3,
  update='ppo',
  ppo=config_lib.PPOConfig(num_epochs=2),
)


def make(config, environment):
  wrapped = wrap.wrap_environment(
    environments.MultiAgentEnvironment(environment), config
  )
  spec = specs.make_environment_spec(wrapped)
  networks = networks_lib.from_spec(spec, config)
  return spec, population_config.make(config, networks, spec, environment)


def write(path, population, **changes):
  run = run_dir.RunDirectory(path)
  run.write_config({**population.to_settings(), **changes})
  return run.config_path


@pytest.mark.parametrize(
  'environment',
  [
    environments.functional('cleanup_small', num_agents=2, hit_cost=7.0),
    environments.functional('harvest', num_agents=2, regrowth=(0, 0, 0, 1.0)),
    environments.functional('box_trapped'),
    environments.functional('matrix', payoff=((1, 2), (3, 4.5))),
  ],
  ids=lambda each: type(each).__name__,
)
def test_reads_what_was_written(tmp_path, environment):
  _, population = make(MIXED, environment)
  read = population_config.read(write(tmp_path, population))
  assert read == population
  assert read.agent.influence_weight == (0.5, 2.0)
  assert read.agent.ppo.num_epochs == 2


def test_an_environment_keeps_the_name_that_fits_best(tmp_path):
  small = environments.functional('cleanup_small', num_agents=2)
  path = write(tmp_path, make(MIXED, small)[1])
  settings = json.loads(path.read_text())['config']
  assert settings['functional_environment']['name'] == 'cleanup_small'


def test_networks_are_those_of_the_environment(tmp_path):
  environment = environments.functional('cleanup', num_agents=2)
  spec, population = make(MIXED, environment)
  read = population_config.read(write(tmp_path, population))
  key = jax.random.PRNGKey(0)
  expected = jax.eval_shape(networks_lib.from_spec(spec, MIXED).init, key)
  assert jax.eval_shape(read.make_networks().init, key) == expected


def test_an_environment_that_is_not_ours_is_none(tmp_path):
  _, population = make(MIXED, environments.functional('matrix'))
  other = dataclasses.replace(population, environment=None)
  assert population_config.read(write(tmp_path, other)) == other


def test_settings_of_the_last_resume_count(tmp_path):
  _, population = make(MIXED, environments.functional('matrix'))
  write(tmp_path, population)
  changed = dataclasses.replace(MIXED, entropy_cost=0.5)
  path = write(tmp_path, population, agent=changed)
  assert population_config.read(path).agent.entropy_cost == 0.5


@pytest.mark.parametrize(
  ('content', 'message'),
  [
    ('', 'is not JSON'),
    ('{"config": ', 'is not JSON'),
    ('[1, 2]', "no entry 'config' that is a dict"),
    ('{"learning_rate": 1}', "no entry 'config' that is a dict"),
    ('{"config": {"agent": "IMPALABuilder"}}', "no entry 'agent'"),
  ],
)
def test_other_files_are_refused(tmp_path, content, message):
  path = tmp_path / 'config.json'
  path.write_text(content)
  with pytest.raises(ValueError, match=message) as raised:
    population_config.read(path)
  assert str(path) in str(raised.value)


@pytest.mark.parametrize(
  ('change', 'message'),
  [
    (lambda x: x['agent'].update(colour=1), r"unknown: \['colour'\]"),
    (lambda x: x['agent'].pop('discount'), r"missing: \['discount'\]"),
    (lambda x: x['agent']['ppo'].pop('clip'), r"ppo.*missing: \['clip'\]"),
    (lambda x: x['agent'].update(discount=2.0), 'discount is 2.0'),
    (lambda x: x['networks'].pop('view'), r"networks.*missing: \['view'\]"),
    (lambda x: x['functional_environment'].update(name='go'), "'go'"),
  ],
)
def test_wrong_fields_are_named(tmp_path, change, message):
  path = write(tmp_path, make(MIXED, environments.functional('matrix'))[1])
  record = json.loads(path.read_text())
  change(record['config'])
  path.write_text(json.dumps(record))
  with pytest.raises(ValueError, match=message):
    population_config.read(path)
