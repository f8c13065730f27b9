"""Tests of what a sweep runs."""

import dataclasses

import pytest

from influence_acme import training
from influence_acme.reproduction import sweep as sweep_lib
from influence_acme.system import presets


def test_runs_in_order(make_sweep):
  sweep = make_sweep()
  runs = sweep.runs()
  names = [r.directory.path.relative_to(sweep.directory) for r in runs]
  assert [str(name) for name in names] == [
    'baseline/paper/seed_0',
    'baseline/paper/seed_1',
    'moa/paper/seed_0',
    'moa/paper/seed_1',
  ]
  assert runs[3].config == presets.make_config(
    'moa', 'cleanup', 'moa', batch_size=2, max_queue_size=4
  )


def test_the_fused_trainer_runs_a_sweep_unless_told_otherwise(make_sweep):
  assert make_sweep().launch == 'single'
  assert make_sweep(launch='threads').launch == 'threads'


def test_a_search_draws_settings_that_seeds_share(make_sweep):
  runs = make_sweep(search=3).runs()
  assert len(runs) == 2 * 3 * 2
  assert [run.setting for run in runs[:4]] == [
    *['setting_000'] * 2,
    *['setting_001'] * 2,
  ]
  assert runs[0].config == runs[1].config != runs[2].config
  # More settings keep the ones that there are.
  more = make_sweep(search=4).runs()
  assert set(runs) < set(more)


def test_the_configuration_of_a_run(make_sweep):
  sweep = make_sweep(num_agents=3)
  run = sweep.runs()[-1]
  assert sweep.make_config(run, resume=True) == training.TrainConfig(
    agent=run.config,
    game='cleanup',
    num_agents=3,
    episode_length=10,
    num_steps=100,
    seed=1,
    run_dir=str(run.directory.path),
    resume=True,
  )


def test_the_program_of_a_run(make_sweep):
  sweep = make_sweep(num_agents=3)
  run = sweep.runs()[-1]
  pytest.importorskip('acme')
  from influence_acme.reproduction import launchpad_run

  experiment = launchpad_run.make_experiment(sweep, run, resume=True)
  assert experiment.directory == run.directory
  assert (experiment.seed, experiment.resume) == (1, True)
  assert (experiment.num_steps, experiment.num_environments) == (100, 2)
  environment = experiment.environment_factory(experiment.seed)
  assert len(environment.agent_ids) == 3
  observation = environment.reset().observation['agent_0']
  assert set(observation) >= {'world', 'actions', 'visible'}


def test_what_runs_share_is_kept(make_sweep):
  make_sweep().prepare()
  # Other runs may be added, or made longer.
  make_sweep(
    variants=('moa',), seeds=(7,), num_steps=200, launch='threads', search=2
  ).prepare()
  for name, value in {
    'game': 'harvest',
    'num_agents': 3,
    'episode_length': 20,
    'num_environments': 4,
    'search_seed': 1,
  }.items():
    with pytest.raises(ValueError, match=f'{name} is {value!r}, but the sweep'):
      make_sweep(**{name: value}).prepare()


def test_a_sweep_that_plays_step_by_step_is_found_again(make_sweep):
  with pytest.raises(ValueError, match="at least 1 if launch is 'single'"):
    make_sweep(num_environments=0).prepare()
  sweep = make_sweep(num_environments=0, launch='threads', seeds=(3,))
  assert not sweep.directory.exists()
  sweep.prepare()
  for run in sweep.runs():
    run.directory.prepare()
    run.directory.write_config(vars(sweep))
  found = sweep_lib.find(sweep.directory)
  assert (found.num_environments, found.seeds) == (0, (3,))


def test_shares_are_settings_of_the_rewarded_variants(make_sweep):
  sweep = make_sweep(
    experiment='practical',
    game='cleanup_small',
    variants=('baseline', 'moa'),
    seeds=(3,),
    num_environments=4,
    shares=(0.1, 1.0),
  )
  runs = sweep.runs()
  assert [run.name for run in runs] == [
    'baseline/practical/seed_3',
    'moa/share_0.1/seed_3',
    'moa/share_1.0/seed_3',
  ]
  assert [run.config.normalise_influence for run in runs] == [False, True, True]
  assert [run.config.influence_weight for run in runs[1:]] == [0.1, 1.0]
  assert {run.config.update for run in runs} == {'ppo'}
  sweep.prepare()
  for run in runs:
    run.directory.prepare()
    run.directory.write_config(vars(sweep))
  assert sweep_lib.find(sweep.directory) == sweep


def test_what_is_not_given_is_that_of_game_and_settings(make_sweep):
  own = {
    'num_environments': None,
    'num_agents': None,
    'episode_length': None,
  }
  config = make_sweep(**own).runs()[0].config
  assert (config.batch_size, config.max_queue_size) == (144, 288)
  small = {'experiment': 'practical', 'game': 'harvest_small'}
  sweep = make_sweep(**own, **small)
  run = sweep.runs()[0]
  assert run.config.batch_size == 64
  environment = sweep.make_config(run).make_environment()
  assert environment.num_agents == 3


def test_the_ways_to_launch_are_those_of_programs():
  programs = pytest.importorskip('influence_acme.programs')
  assert sweep_lib.LAUNCHES == programs.LAUNCHES


@pytest.mark.parametrize(
  ('overrides', 'message'),
  [
    ({'variants': ()}, r'variants is \(\): it must hold at least one'),
    ({'seeds': (1, 1)}, r'seeds is \(1, 1\): .* none twice'),
    ({'search': -1}, 'search is -1'),
    ({'launch': 'carrier'}, "launch is 'carrier'.*threads, processes, single"),
    ({'variants': ('comm_baseline',)}, 'no column'),
    ({'experiment': 'practical', 'shares': (-0.1,)}, 'shares is -0.1'),
    ({'experiment': 'practical', 'search': 2}, 'search is 2: it must be 0'),
    ({'shares': (0.1,)}, 'shares is .0.1,.: it must be left out'),
    ({'game': 'harvest_small', 'variants': ()}, "game is 'harvest_small'"),
    ({'experiment': 'practical', 'variants': ('noa',)}, "variant is 'noa'"),
    ({'game': 'cleanup_small'}, "game is 'cleanup_small'.*one of cleanup"),
    ({'game': 'chess'}, "game is 'chess'.*one of cleanup"),
  ],
)
def test_settings_are_checked(make_sweep, overrides, message):
  with pytest.raises(ValueError, match=message):
    make_sweep(**overrides)


def test_it_is_frozen(make_sweep):
  with pytest.raises(dataclasses.FrozenInstanceError):
    make_sweep().seeds = (0,)
