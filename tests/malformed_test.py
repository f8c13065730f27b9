"""Malformed arguments of the public names: refused by name, or meant.

By table: a public name of docs/api.md, its good arguments, and bad values of
one of them. Every error names the argument and what is allowed.
"""

import functools
import math
import pathlib
import re
from typing import Any

import numpy as np
import pytest

from influence_acme import (
  adders,
  environments,
  multiagent,
  networks,
  ops,
  programs,
  types,
  wrappers,
)
from influence_acme.agents import influence, intrinsic
from influence_acme.reproduction import sweep as sweep_lib
from influence_acme.testing import fakes
from influence_acme.training import config as train_config

_TESTS = pathlib.Path(__file__).parent
B, N, J, K, A, T = 2, 3, 2, 3, 3, 4
NAN, INF = math.nan, math.inf

# Bad values by what is asked for.
COUNT = (0, -1, True, 1.5, '3', None, NAN)
COUNT_OR_0 = (-1, True, 1.5, '3', None, NAN)
COUNT_OF_2 = (1, *COUNT)
NUMBER = (-1.0, NAN, INF, '1', True, None, 1j)
POSITIVE = (0.0, *NUMBER)
FLAG = (1, 0, 'yes', None)
FUNCTION = (3, 'f')
SEED = (-1, 2**32, True, 1.5, '0', None)
NAME = ('nope', '', None, 3)


def reals(*shape):
  """Arrays that are not real, or not of the shape."""
  return (np.ones(shape, complex), np.ones((*shape, 1, 1), np.float32))


def floats(*shape):
  return (*reals(*shape), np.ones(shape, int), np.ones(shape, bool))


def ints(*shape):
  return (
    np.zeros(shape, np.float32),
    np.zeros(shape, bool),
    np.zeros((*shape, 1, 1), int),
  )


def flags(*shape):
  return (
    np.full(shape, 0.5),
    np.full(shape, NAN),
    np.full(shape, -1),
    np.full(shape, 2),
    np.ones((*shape, 1, 1), bool),
  )


def weights(*shape):
  return (
    np.full(shape, NAN),
    np.full(shape, INF),
    np.full(shape, -0.5),
    np.full(shape, -1),
    np.ones((*shape, 1, 1), bool),
  )


INFLUENCE: dict[str, Any] = {
  'conditional_logits': np.zeros((B, K, J, A), np.float32),
  'policy_logits': np.zeros((B, K), np.float32),
  'actions': np.zeros(B, int),
  'others_actions': np.zeros((B, J), int),
  'mask': np.ones((B, J), bool),
  'measure': 'pmi',
}
MOA: dict[str, Any] = {
  'logits': np.zeros((T, B, J, A), np.float32),
  'actions': np.zeros((T, B, J), int),
  'mask': np.ones((T, B, J)),
  'episode_mask': np.ones((T, B)),
}
SPOKEN: dict[str, Any] = {
  'messages': np.zeros((T, N), int),
  'actions': np.zeros((T, N), int),
  'num_symbols': 2,
  'num_actions': 3,
}
COORDINATION: dict[str, Any] = {
  'sources': np.zeros((T, N), int),
  'targets': np.zeros((T, N), int),
  'num_sources': 2,
  'num_targets': 3,
  'mask': np.ones((T - 1, N), bool),
}
INEQUITY: dict[str, Any] = {
  'rewards': np.ones(N),
  'smoothed': np.ones(N),
  **dict.fromkeys(('alpha', 'beta', 'gamma', 'lam'), 0.5),
}


def scramble(messages, mask):
  return ops.scramble(messages, np.zeros(2, np.uint32), mask=mask)


def others_actions_wrapper(visible_fn):
  return wrappers.OthersActionsWrapper(
    fakes.FakeMultiAgentEnvironment(), visible_fn
  )


def message_channel(num_symbols):
  return wrappers.MessageChannelWrapper(
    fakes.FakeMultiAgentEnvironment(), num_symbols
  )


def view(agent_id, policies):
  environment = fakes.FakeMultiAgentEnvironment()
  return wrappers.SingleAgentView(environment, agent_id, policies)


def sweep(**fields):
  defaults: dict[str, Any] = {
    'path': 'runs/none',
    'experiment': 'moa',
    'game': 'cleanup',
    'variants': ('moa',),
  }
  return sweep_lib.Sweep(**{**defaults, **fields})


def members(members):
  return multiagent.PopulationBuilder(members)


def member_of(variable_names):
  member = multiagent.Member(lambda _: None, lambda _: None, variable_names)
  return multiagent.PopulationBuilder({'agent_0': member})


def learner_set(variable_names):
  return multiagent.LearnerSet({'a': None}, variable_names)


CONFIG_FIELDS = {
  COUNT: (
    'hidden_size',
    'influence_curriculum_steps',
    'num_influencers',
    'message_embedding_size',
    'entropy_cost_steps',
    'learning_rate_steps',
    'unroll_length',
    'batch_size',
    'max_queue_size',
    'variable_update_period',
  ),
  COUNT_OF_2: ('num_symbols',),
  NUMBER: (
    'influence_weight',
    'prosocial_weight',
    'inequity_behind',
    'inequity_ahead',
    'inequity_smoothing',
    'svo_weight',
    'message_extrinsic_weight',
    'message_loss_weight',
    'message_entropy_cost',
    'moa_loss_weight',
    'discount',
    'vtrace_lambda',
    'entropy_cost',
    'value_cost',
    'learning_rate_end',
  ),
  POSITIVE: (
    'reward_scale',
    'min_return_scale',
    'learning_rate',
    'adam_epsilon',
    'max_gradient_norm',
  ),
  FLAG: (
    'influencee_reward',
    'moa_only_visible',
    'normalise_returns',
    'normalise_influence',
  ),
  NAME: ('variant', 'influence_measure', 'update'),
}
MOA_FIELDS = {
  COUNT: ('num_actions', 'hidden_size'),
  COUNT_OF_2: ('num_agents',),
  COUNT_OR_0: (
    'own_index',
    'influence_curriculum_steps',
    'burn_in_length',
  ),
  NUMBER: ('influence_weight',),
  POSITIVE: ('learning_rate', 'adam_epsilon', 'max_gradient_norm'),
  FLAG: ('moa_only_visible',),
  NAME: ('influence_measure',),
  ((5, 5), 5, (2, 5, 3), 'x', None): ('view_shape',),
}
TRAIN_FIELDS = {
  COUNT: ('num_steps',),
  SEED: ('seed',),
  POSITIVE: ('checkpoint_seconds',),
  FLAG: ('resume',),
  NAME: ('game',),
  tuple(x for x in COUNT if x is not None): ('num_agents', 'episode_length'),
}
SWEEP_FIELDS = {
  COUNT: ('num_steps',),
  COUNT_OR_0: ('search', 'search_seed'),
  # None is meant in these: what the game or the settings have.
  tuple(x for x in COUNT if x is not None): ('num_agents', 'episode_length'),
  tuple(x for x in COUNT_OR_0 if x is not None): ('num_environments',),
  NAME: ('launch', 'experiment', 'game'),
  ((-1,), ('1',), (True,), (1.5,), (), (0, 0), 0, None): ('seeds',),
  ((), ('moa', 'moa'), None): ('variants',),
  ((-0.1,), ('1',), (True,), (), None): ('shares',),
}
MOA_CONFIG: dict[str, Any] = {
  'own_index': 0,
  'num_agents': 2,
  'num_actions': 3,
  'view_shape': (5, 5, 3),
}
AGENT = {
  'num_agents': 3,
  'num_actions': 3,
  'num_influencers': 0,
  'num_symbols': 0,
}
SIZES = {'num_agents': 3, 'episode_length': 9}
ADDER = {'adder': None, 'influence_fn': len}
# Public name -> function, good arguments, argument -> bad values.
TABLE: dict[str, tuple[Any, dict[str, Any], dict[str, tuple[Any, ...]]]] = {
  'types.agent_ids': (types.agent_ids, {}, {'num_agents': COUNT}),
  'types.others': (
    types.others,
    {'own_index': 0, 'num_agents': 3},
    {'own_index': (-1, 3, True, 1.5, '0', None), 'num_agents': COUNT},
  ),
  'types.others_of_all': (types.others_of_all, {}, {'num_agents': COUNT}),
  'types.in_order': (
    types.in_order,
    {'agent_ids': ('a', 'b'), 'name': 'values'},
    {'values': ({}, {'a': 1}, {'a': 1, 'c': 2}, [1, 2], None)},
  ),
  'types.check_agent_ids': (
    types.check_agent_ids,
    {},
    {'agent_ids': (('a', 'a'), ('a', 1), ('',), ('a/b',), ('a\n',), (None,))},
  ),
  'ops.episode_masks': (
    ops.episode_masks,
    {},
    {'start_of_episode': flags(T, B)[:-1]},
  ),
  'ops.influence_reward': (
    ops.influence_reward,
    INFLUENCE,
    {
      'conditional_logits': floats(B, K, J, A),
      'policy_logits': floats(B, K),
      'actions': ints(B),
      'others_actions': ints(B, J),
      'mask': flags(B, J),
      'measure': NAME,
    },
  ),
  'ops.counterfactual_marginal': (
    ops.counterfactual_marginal,
    {k: INFLUENCE[k] for k in ('conditional_logits', 'policy_logits')},
    {
      'conditional_logits': floats(B, K, J, A),
      'policy_logits': floats(B, K),
    },
  ),
  'ops.influential_steps': (
    ops.influential_steps,
    {},
    {'influence': reals(T, N)},
  ),
  'ops.moa_loss': (
    ops.moa_loss,
    MOA,
    {
      'logits': (MOA['logits'].astype(int), MOA['logits'].astype(complex)),
      'actions': ints(T, B, J),
      'mask': weights(T, B, J),
      'episode_mask': weights(T, B),
    },
  ),
  'ops.moa_skill': (
    ops.moa_skill,
    {
      'moa': ops.moa_loss(**MOA),
      'actions': MOA['actions'],
      'num_actions': A,
    },
    {'actions': ints(T, B, J), 'num_actions': COUNT},
  ),
  'ops.calibration': (
    ops.calibration,
    {'logits': np.zeros((B, A)), 'actions': np.zeros(B, int)},
    {
      'logits': (np.zeros((B, A), int), np.zeros((B, A), complex)),
      'actions': ints(B),
      'weight': weights(B),
      'num_bins': COUNT,
    },
  ),
  'ops.speaker_consistency': (
    ops.speaker_consistency,
    SPOKEN,
    {
      'messages': ints(T, N),
      'actions': ints(T, N),
      'num_symbols': COUNT_OF_2,
      'num_actions': COUNT_OF_2,
    },
  ),
  'ops.instantaneous_coordination': (
    ops.instantaneous_coordination,
    COORDINATION,
    {
      'sources': ints(T, N),
      'targets': ints(T, N),
      'num_sources': COUNT,
      'num_targets': COUNT,
      'mask': flags(T - 1, N),
    },
  ),
  'ops.scramble': (
    scramble,
    {'messages': np.zeros((T, N), int), 'mask': None},
    {'messages': ints(T, N), 'mask': flags(T, N)},
  ),
  'ops.gini': (ops.gini, {}, {'returns': (np.ones(N, complex), 1.0)}),
  'ops.equality': (ops.equality, {}, {'returns': (np.ones(N, complex), 1.0)}),
  'ops.fair_return': (
    ops.fair_return,
    {},
    {'returns': (np.ones(N, complex), 1.0)},
  ),
  'ops.efficiency': (ops.efficiency, {}, {'rewards': reals(T, N)}),
  'ops.sustainability': (ops.sustainability, {}, {'rewards': reals(T, N)}),
  'ops.peace': (
    ops.peace,
    {},
    {'fined': (np.ones((T, N)), np.ones((T, N), int), np.ones(N, bool))},
  ),
  'ops.prosocial_reward': (
    ops.prosocial_reward,
    {'rewards': np.ones(N), 'eta': 0.5},
    {'rewards': (np.ones(N, complex), 1.0), 'eta': (np.ones(2),)},
  ),
  'ops.inequity_averse_reward': (
    ops.inequity_averse_reward,
    INEQUITY,
    {
      'rewards': (np.ones(N, complex), 1.0),
      'smoothed': (np.ones(N + 1), np.ones((2, N))),
    },
  ),
  'networks.make_agent_networks': (
    networks.make_agent_networks,
    AGENT,
    {
      'num_agents': COUNT_OF_2,
      'num_actions': COUNT,
      'hidden_size': COUNT,
      'num_influencers': (*COUNT_OR_0, 3),
      'num_symbols': COUNT_OR_0,
      'embedding_size': COUNT,
      'torso': FUNCTION,
    },
  ),
  'environments.functional': (
    functools.partial(environments.functional, 'cleanup'),
    SIZES,
    {'num_agents': COUNT, 'episode_length': COUNT},
  ),
  'environments.functional, harvest': (
    functools.partial(environments.functional, 'harvest'),
    SIZES,
    {'num_agents': COUNT, 'episode_length': COUNT},
  ),
  'environments.functional, matrix': (
    functools.partial(environments.functional, 'coordination'),
    SIZES,
    {'num_agents': COUNT_OF_2, 'num_actions': COUNT, 'episode_length': COUNT},
  ),
  'environments.make': (
    functools.partial(environments.make, 'coordination'),
    SIZES,
    {'seed': SEED},
  ),
  'environments.MultiAgentEnvironment': (
    environments.MultiAgentEnvironment,
    {'functional': fakes.FakeVectorEnvironment()},
    {'seed': SEED},
  ),
  'wrappers.MessageChannelWrapper': (
    message_channel,
    {},
    {'num_symbols': COUNT},
  ),
  'wrappers.OthersActionsWrapper': (
    others_actions_wrapper,
    {},
    {'visible_fn': FUNCTION},
  ),
  'wrappers.SingleAgentView': (
    view,
    {'agent_id': 'agent_0', 'policies': {'agent_1': len}},
    {'policies': ({}, [len], None, {'agent_1': 0}, {'agent_2': len})},
  ),
  'adders.InfluenceAdder': (
    adders.InfluenceAdder,
    ADDER,
    {
      'influence_fn': (*FUNCTION, None),
      'weight': (NAN, INF, 'x', True, None, 1j, [1.0, NAN]),
      'delay': (-1, 2, True, 1.5, '1', None),
      'keep_parts': FLAG,
      'steps_fn': FUNCTION,
      'last_influence_fn': FUNCTION,
    },
  ),
  'adders.ShapingAdder': (
    adders.ShapingAdder,
    {'adder': None, 'initial_state': ()},
    {'shape_fn': (*FUNCTION, None)},
  ),
  'multiagent.FunctionActor': (
    multiagent.FunctionActor,
    {},
    {'policy': (*FUNCTION, None)},
  ),
  'multiagent.JointActor': (
    multiagent.JointActor,
    {'agent_ids': ('a', 'b')},
    {'actors': ({}, {'a': 1}, {'a': 1, 'c': 1}, [1, 2], None)},
  ),
  'multiagent.LearnerSet': (
    learner_set,
    {},
    {'variable_names': ({}, {'b': ('x',)}, {'a': 'x'}, {'a': ()}, None)},
  ),
  'multiagent.PopulationBuilder': (
    members,
    {},
    {'members': ([], None, {'agent_0': 3}, {'agent_0': 'bot'})},
  ),
  'multiagent.Member': (
    member_of,
    {},
    {'variable_names': ('policy', (), (1,), None, 3)},
  ),
  'agents.influence.InfluenceBuilder': (
    influence.InfluenceBuilder,
    {},
    {'config': (None, {}, 'moa', train_config.TrainConfig())},
  ),
  'agents.influence.InfluenceConfig': (
    influence.InfluenceConfig,
    {},
    {f: bad for bad, fields in CONFIG_FIELDS.items() for f in fields},
  ),
  'agents.intrinsic.MOAConfig': (
    intrinsic.MOAConfig,
    MOA_CONFIG,
    {f: bad for bad, fields in MOA_FIELDS.items() for f in fields},
  ),
  'agents.intrinsic.InfluenceLearnerBuilder': (
    intrinsic.InfluenceLearnerBuilder,
    {'builder': None, 'moa_config': intrinsic.MOAConfig(**MOA_CONFIG)},
    {
      'moa_config': (None, {}, 'x'),
      'policy_logits_fn': FUNCTION,
      'logger_fn': (*FUNCTION, None),
    },
  ),
  'training.TrainConfig': (
    train_config.TrainConfig,
    {},
    {f: bad for bad, fields in TRAIN_FIELDS.items() for f in fields},
  ),
  'programs.Experiment': (
    programs.Experiment,
    {
      **dict.fromkeys(
        ('builder_factory', 'environment_factory', 'network_factory'), len
      ),
      'num_steps': 1,
      'run_dir': 'runs/none',
    },
    {
      'num_steps': COUNT,
      'num_actors': COUNT,
      'num_environments': COUNT_OR_0,
      'seed': SEED,
      'resume': FLAG,
      'checkpoint_seconds': POSITIVE,
    },
  ),
  'programs.launch': (programs.launch, {'program': None}, {'launch': NAME}),
  'reproduction.Sweep': (
    sweep,
    {},
    {f: bad for bad, fields in SWEEP_FIELDS.items() for f in fields},
  ),
  'testing.fakes.time_limit': (
    fakes.time_limit,
    {},
    {'episode_length': COUNT},
  ),
  'testing.fakes.death': (fakes.death, {}, {'episode_length': COUNT}),
  'testing.fakes.FakeMultiAgentEnvironment': (
    fakes.FakeMultiAgentEnvironment,
    {},
    {'num_agents': COUNT, 'num_actions': COUNT, 'episode_length': COUNT},
  ),
  'testing.fakes.FakeVectorEnvironment': (
    fakes.FakeVectorEnvironment,
    {},
    {'num_agents': COUNT, 'num_actions': COUNT, 'episode_length': COUNT},
  ),
}


@pytest.mark.parametrize('name', TABLE)
def test_malformed_arguments_are_refused_by_name(name):
  function, good, bad_by_argument = TABLE[name]
  wrong = []
  for argument, values in bad_by_argument.items():
    for value in values:
      try:
        function(**{**good, argument: value})
      except (ValueError, AssertionError) as error:
        message = str(error)
        if argument not in message or 'must' not in message:
          wrong.append((argument, repr(value)[:40], message))
      except Exception as error:  # noqa: BLE001  Listed.
        wrong.append((argument, repr(value)[:40], repr(error)))
      else:
        wrong.append((argument, repr(value)[:40], 'accepted'))
  assert not wrong, '\n'.join(map(str, wrong))


_RECORD = 'a record: it holds what it is given'
_NAME = 'a constant, a type or a module'
_MODULE = 'a Haiku module, whose shapes JAX checks'
_NOTHING = 'it takes nothing, or nothing that could be wrong by itself'
# Public names that are not in the table: why, or the test of what they refuse.
NOT_HERE = {
  **dict.fromkeys(
    ('__version__', 'types.AgentId', 'ops.MEASURES', 'programs.LAUNCHES'), _NAME
  ),
  **dict.fromkeys(('networks.Observation', 'networks.Torso'), _NAME),
  **dict.fromkeys(
    ('agents.influence.presets', 'agents.influence.VARIANTS'), _NAME
  ),
  **dict.fromkeys(
    ('programs.CheckpointError', 'environments.FunctionalEnvironment'), _NAME
  ),
  **{
    f'ops.{name}': _RECORD
    for name in (
      'Calibration',
      'EpisodeMasks',
      'IC',
      'InfluenceOutput',
      'MOALoss',
    )
  },
  **{
    f'networks.{name}': _RECORD
    for name in (
      'AgentNetworks',
      'CoreState',
      'HeadOutput',
      'StepOutput',
      'UnrollOutput',
    )
  },
  **dict.fromkeys(
    (
      'environments.Step',
      'playing.Evaluation',
      'adders.InfluenceStep',
      'agents.influence.InfluenceNetworks',
      'programs.Program',
      'reproduction.Run',
      'testing.fakes.ScriptedStep',
    ),
    _RECORD,
  ),
  **{
    f'networks.{name}': _MODULE
    for name in ('Dense', 'Identity', 'LSTM', 'PolicyValueHead')
  },
  **{
    f'multiagent.{name}': _NOTHING
    for name in (
      'ChoiceObserver',
      'InfluenceMatrixObserver',
      'InfluenceObserver',
      'RecordingAdder',
      'SocialObserver',
      'make_observers',
    )
  },
  **dict.fromkeys(
    (
      'environments.names',
      'compat.local_resources',
      'agents.intrinsic.on_world',
      'programs.StoppableBuilder',
      # They take a `Sweep`, which is in the table.
      'reproduction.run',
      'reproduction.write_report',
    ),
    _NOTHING,
  ),
  **dict.fromkeys(
    ('export', 'load', 'playing.export', 'playing.load'),
    'playing/storage_test.py',
  ),
  'networks.default_torso': 'networks/torso_test.py',
  'networks.MOACore': 'networks/counterfactual_logits_test.py',
  'networks.PixelConv': 'networks/pixel_conv_test.py',
  'adapters.MeltingPotEnvironment': 'adapters/from_meltingpot_test.py',
  'adapters.JaxMARLEnvironment': 'adapters/jaxmarl_test.py',
  'adapters.MultiAgentEnv': 'adapters/jaxmarl_test.py',
  'adapters.ParallelEnvironment': 'adapters/to_pettingzoo_test.py',
  'adapters.PettingZooEnvironment': 'adapters/from_pettingzoo_test.py',
  'playing.AgentPolicy': 'playing/policy_test.py',
  'playing.Policy': 'playing/policy_test.py',
  'playing.evaluate': 'playing/evaluation_test.py',
  'training.run': 'training/resume_test.py',
  'multiagent.agent_spec': 'system/specs_test.py',
  'multiagent.AgentVariableSource': 'multiagent/variables_test.py',
  'multiagent.make_networks': 'multiagent/population_test.py',
  'agents.influence.make_environment': 'environments/registry_test.py',
  'agents.influence.make_networks': 'system/networks_test.py',
  'agents.influence.wrap_environment': 'wrappers/others_actions_test.py',
  'programs.make_program': 'programs/experiment_test.py',
  'programs.Placement': 'programs/placement_test.py',
  'programs.read_placement': 'programs/placement_test.py',
  'programs.read_log': 'runs/csv_log_test.py',
  'reports.write': 'reports/run_page_test.py',
  'testing.conformance.check_adder': 'testing/conformance/adder_test.py',
  'testing.conformance.check_environment': (
    'testing/conformance/environment_test.py'
  ),
  'testing.conformance.check_functional': (
    'testing/conformance/functional_test.py'
  ),
}


def test_every_public_name_is_in_the_table_or_tested_elsewhere():
  names, module = set(), ''
  for line in (_TESTS.parent / 'docs' / 'api.md').read_text().splitlines():
    if line.startswith('## influence_acme'):
      module = line.removeprefix('## influence_acme').removeprefix('.')
    elif match := re.match(r'\| `(\w+)` \|', line):
      names.add(f'{module}.{match[1]}'.removeprefix('.'))
  here = {name.partition(',')[0] for name in TABLE}
  assert here | NOT_HERE.keys() == names
  assert not here & NOT_HERE.keys()
  for name in filter(lambda x: x.endswith('.py'), NOT_HERE.values()):
    assert 'pytest.raises' in (_TESTS / name).read_text(), name


def test_the_table_is_long():
  count = sum(
    len(values) for _, _, bad in TABLE.values() for values in bad.values()
  )
  assert count > 500


# Accepted, and why.
MEANT: dict[str, tuple[Any, dict[str, Any], str]] = {
  'ops.influence_reward of absent actions': (
    ops.influence_reward,
    {**INFLUENCE, 'actions': np.full(B, -1)},
    'NaN shows where nobody acted; an error in debug mode',
  ),
  'ops.influence_reward of a mask of 0 and 1': (
    ops.influence_reward,
    {**INFLUENCE, 'mask': np.ones((B, J))},
    'means the same as True and False',
  ),
  'ops.moa_loss of fractional weights': (
    ops.moa_loss,
    {**MOA, 'mask': np.full((T, B, J), 0.5)},
    'they are weights',
  ),
  'ops.gini of integers': (
    ops.gini,
    {'returns': np.arange(1, N + 1)},
    'exact in float32',
  ),
  'NumPy integers are integers': (
    types.agent_ids,
    {'num_agents': np.int64(2)},
    'a config may come from NumPy',
  ),
}


@pytest.mark.parametrize('name', MEANT)
def test_what_is_accepted_is_meant(name):
  function, arguments, _ = MEANT[name]
  function(**arguments)
