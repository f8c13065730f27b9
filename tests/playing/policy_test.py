"""Tests of policies that act in loops of one's own."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import saved_runs

import influence_acme
from influence_acme import environments, wrappers
from influence_acme import networks as networks_lib
from influence_acme.system import types as system_types

# With whether agents are greedy.
VARIANTS = (
  ('baseline', False),
  ('basic_influence', True),
  ('communication', True),
  ('moa', False),
  (('moa', 'communication', 'baseline'), False),
  (('basic_influence', 'basic_influence', 'baseline'), False),
)
KEY = jax.random.PRNGKey(7)


def load(save_run, variant, **overrides):
  return influence_acme.load(
    save_run(saved_runs.make_config(variant, **overrides))
  )


def make_environment(policy, seed=0):
  assert policy.environment is not None
  return policy.wrap(
    environments.MultiAgentEnvironment(policy.environment, seed=seed)
  )


def choose_alone(policy, observation, states, actions, key, greedy):
  """Lets each agent act alone, told what the influencers have done."""
  found = {}
  for agent_id in policy.agent_ids:
    own = dict(observation[agent_id])
    if policy.config.has_influencers:
      own['influencers'] = np.array([actions['agent_0']])
    found[agent_id], states[agent_id] = policy.agent(agent_id).act(
      own, states[agent_id], key, greedy
    )
  return found


@pytest.mark.parametrize(('variant', 'greedy'), VARIANTS, ids=str)
def test_agents_choose_alone_as_they_do_together(save_run, variant, greedy):
  policy = load(save_run, variant)
  environment = make_environment(policy)
  timestep = environment.reset()
  state = policy.initial_state()
  states = {i: policy.agent(i).initial_state() for i in policy.agent_ids}
  for t in range(5):
    key = jax.random.fold_in(KEY, t)
    actions, state = policy.act(timestep.observation, state, key, greedy)
    alone = choose_alone(
      policy, timestep.observation, states, actions, key, greedy
    )
    assert alone == actions
    timestep = environment.step(actions)
  for i, agent_id in enumerate(policy.agent_ids):
    np.testing.assert_allclose(
      state.hidden[i], states[agent_id].hidden, atol=1e-5
    )


@pytest.mark.parametrize('variant', ['basic_influence', 'communication'])
def test_greedy_choices_are_the_most_probable_ones(save_run, variant):
  policy = load(save_run, variant)
  timestep = make_environment(policy).reset()
  actions, _ = policy.act(
    timestep.observation, policy.initial_state(), KEY, greedy=True
  )
  stacked = {
    name: np.stack([timestep.observation[i][name] for i in policy.agent_ids])
    for name in timestep.observation['agent_0']
  }
  output = jax.jit(policy.joint.act, static_argnames='greedy')(
    policy.params,
    {name: x[:, None] for name, x in stacked.items()},
    networks_lib.CoreState(policy.initial_state(1), ()),
    system_types.agent_keys(KEY[None], 3),
    greedy=True,
  )
  best = np.argmax(output.extras['logits'][:, 0], axis=-1)
  if variant == 'communication':
    said = np.argmax(output.extras['message_logits'][:, 0], axis=-1)
    expected = [
      {'action': a, 'message': m} for a, m in zip(best, said, strict=True)
    ]
  else:
    expected = list(best)
  assert list(actions.values()) == expected


def test_samples_follow_the_policy_and_depend_on_the_key(save_run):
  policy = load(save_run, 'moa')
  timestep = make_environment(policy).reset()
  state = policy.initial_state()
  chosen = [
    tuple(
      int(a)
      for a in policy.act(
        timestep.observation, state, jax.random.PRNGKey(seed)
      )[0].values()
    )
    for seed in (*range(20), 0)
  ]
  assert len(set(chosen)) > 1 and chosen[0] == chosen[-1]


@pytest.mark.parametrize('variant', ['basic_influence', 'communication', 'moa'])
def test_environments_of_a_batch_are_alone(save_run, variant):
  policy = load(save_run, variant)
  timestep = make_environment(policy).reset()
  batch = jax.tree_util.tree_map(
    lambda x: np.stack([x, x]), timestep.observation
  )
  actions, state = policy.act(batch, policy.initial_state(2), KEY)
  assert state.hidden.shape == (3, 2, 16)
  for b in range(2):
    one, state_of_one = policy.act(
      timestep.observation, policy.initial_state(), jax.random.fold_in(KEY, b)
    )
    assert jax.tree_util.tree_map(lambda x, b=b: x[b], actions) == one
    np.testing.assert_allclose(
      state.hidden[:, b], state_of_one.hidden, atol=1e-5
    )
  own, state = policy.agent('agent_0').act(
    batch['agent_0'], policy.agent('agent_0').initial_state(2), KEY
  )
  assert jax.tree_util.tree_map(np.shape, own) == jax.tree_util.tree_map(
    np.shape, actions['agent_0']
  )
  assert state.hidden.shape == (2, 16)


def test_acts_inside_of_compiled_functions(save_run):
  policy = load(save_run, 'moa')
  timestep = make_environment(policy).reset()
  act = jax.jit(lambda *args: policy.act(*args)[0])
  inside = act(timestep.observation, policy.initial_state(), KEY)
  outside, _ = policy.act(timestep.observation, policy.initial_state(), KEY)
  assert jax.device_get(inside) == outside
  assert isinstance(inside['agent_0'], jnp.ndarray)


def test_functions_play_the_others_of_a_single_agent_view(save_run):
  policy = load(save_run, 'moa')
  others = {
    name: policy.agent(name).as_function(jax.random.fold_in(KEY, i))
    for i, name in enumerate(('agent_1', 'agent_2'))
  }
  view = wrappers.SingleAgentView(make_environment(policy), 'agent_0', others)
  seen = []
  for _ in range(2):
    timestep = view.reset()
    while not timestep.last():
      timestep = view.step(1)
      seen.append(timestep.observation['actions'])
  # The same, by `act`: the state starts anew, and the keys go on.
  environment, expected, t = make_environment(policy), [], 0
  for _ in range(2):
    states = {name: policy.agent(name).initial_state() for name in others}
    timestep = environment.reset()
    while not timestep.last():
      actions = {'agent_0': 1}
      for i, name in enumerate(others):
        key = jax.random.fold_in(jax.random.fold_in(KEY, i), t)
        actions[name], states[name] = policy.agent(name).act(
          timestep.observation[name], states[name], key
        )
      timestep = environment.step(actions)
      expected.append([actions[i] for i in policy.agent_ids])
      t += 1
  np.testing.assert_array_equal(seen, expected)


def test_an_influencee_must_be_told_what_influencers_do(save_run):
  policy = load(save_run, 'basic_influence')
  observation = make_environment(policy).reset().observation
  first, then = policy.agent('agent_0'), policy.agent('agent_1')
  first.act(observation['agent_0'], first.initial_state(), KEY)
  with pytest.raises(ValueError, match="'agent_1' lacks 'influencers'"):
    then.act(observation['agent_1'], then.initial_state(), KEY)


def test_wrong_observations_are_named(save_run):
  policy = load(save_run, 'moa')
  state = policy.initial_state()
  observation = make_environment(policy).reset().observation
  plain = environments.MultiAgentEnvironment(saved_runs.GAME).reset()
  with pytest.raises(ValueError, match=r"lacks 'actions'.*policy\.wrap"):
    policy.act(plain.observation, state, KEY)
  with pytest.raises(ValueError, match='of exactly agent_0, agent_1, agent_2'):
    policy.act({'agent_0': observation['agent_0']}, state, KEY)
  world = np.zeros((4, 5, 3), np.uint8)
  wrong = {**observation, 'agent_1': {**observation['agent_1'], 'world': world}}
  with pytest.raises(ValueError, match=r"'agent_1' is uint8\[4, 5, 3\].*5, 5"):
    policy.act(wrong, state, KEY)
  world = np.zeros((5, 5, 3), np.float32)
  wrong['agent_1']['world'] = world
  with pytest.raises(ValueError, match=r'float32\[5, 5, 3\].*uint8\[5, 5, 3\]'):
    policy.act(wrong, state, KEY)
  with pytest.raises(ValueError, match="agent_id is 'agent_7'"):
    policy.agent('agent_7')


def test_a_baseline_plays_without_wrappers(save_run):
  policy = load(save_run, 'baseline')
  plain = environments.MultiAgentEnvironment(saved_runs.GAME).reset()
  actions, _ = policy.act(plain.observation, policy.initial_state(), KEY)
  assert list(actions) == ['agent_0', 'agent_1', 'agent_2']


@pytest.mark.parametrize(
  ('fields', 'message'),
  [
    ({'num_agents': 2}, r'agent_ids of the environment is'),
    (
      {'num_agents': 3, 'num_actions': 3, 'payoff': np.ones((3, 3))},
      'num_actions of the environment is 3',
    ),
  ],
)
def test_an_environment_of_other_sizes_is_refused(save_run, fields, message):
  policy = load(save_run, 'moa')
  with pytest.raises(ValueError, match=message):
    policy.wrap(environments.make('matrix', **fields))
