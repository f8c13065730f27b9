import collections

import jax.numpy as jnp
import numpy as np
import pytest

from influence_acme.environments import actions

IDS = tuple(f'agent_{i}' for i in range(11))
VALID = dict.fromkeys(IDS, 0)


def test_follows_the_agents_order_not_the_dicts():
  # Sorted by name, agent_10 stands before agent_2: the order of a dict that
  # passed through JAX.
  shuffled = {agent_id: IDS.index(agent_id) for agent_id in sorted(IDS)}
  assert list(shuffled)[2] == 'agent_10'
  joint = actions.joint_action(shuffled, IDS, 11)
  assert joint.dtype == np.int32
  np.testing.assert_array_equal(joint, np.arange(11))


@pytest.mark.parametrize(
  'action',
  [2, np.int32(2), np.uint8(2), np.int64(2), np.array(2), jnp.int32(2)],
  ids=lambda action: type(action).__name__,
)
def test_takes_every_kind_of_integer(action):
  joint = actions.joint_action({**VALID, 'agent_3': action}, IDS, 3)
  assert joint[3] == 2


@pytest.mark.parametrize(
  'action',
  [
    -1,
    3,
    2**40,
    1.0,
    np.float32(1),
    np.nan,
    np.inf,
    True,
    np.bool_(True),
    np.array(True),
    np.array([1]),
    np.array(1.0),
    '1',
    None,
    {'action': 1},
    [1, [2]],
  ],
  ids=repr,
)
def test_refuses_what_is_no_action(action):
  with pytest.raises(ValueError, match=r"'agent_3' .* from 0 to 2 \(3 actions"):
    actions.joint_action({**VALID, 'agent_3': action}, IDS, 3)


def test_refuses_missing_agents():
  missing = {name: 0 for name in IDS if name != 'agent_10'}
  with pytest.raises(ValueError, match="No action for 'agent_10'.*from 0 to 2"):
    actions.joint_action(missing, IDS, 3)


@pytest.mark.parametrize('unknown', ['agent_11', 'agent-0', 0])
def test_refuses_unknown_agents(unknown):
  with pytest.raises(ValueError, match=f'unknown agent {unknown!r}.*agent_10'):
    actions.joint_action({**VALID, unknown: 0}, IDS, 3)


@pytest.mark.parametrize('value', [None, 0, [0] * 11, np.zeros(11, int)])
def test_refuses_what_is_no_dict(value):
  with pytest.raises(ValueError, match='give a dict.*agent_10'):
    actions.joint_action(value, IDS, 3)


def test_a_default_is_no_action():
  defaults = collections.defaultdict(int, {'agent_0': 1, 'me': 1})
  with pytest.raises(ValueError, match="No action for 'agent_1'"):
    actions.joint_action(defaults, ('agent_0', 'agent_1'), 3)
  assert 'agent_1' not in defaults


def test_errors_say_what_each_agent_may_give():
  valid = {'agent_0': 'one thing', 'agent_1': 'another'}
  with pytest.raises(ValueError, match=r"'agent_1': give another\."):
    actions.in_order({'agent_0': 0}, tuple(valid), valid.__getitem__)
  with pytest.raises(ValueError, match='agent_0, agent_1 one thing or another'):
    actions.in_order(None, tuple(valid), valid.__getitem__)


def test_a_choice_may_be_of_something_else():
  assert actions.check_choice(np.uint8(4), 5, 'agent_0', 'message') == 4
  with pytest.raises(ValueError, match=r'Message of .*0 to 4 \(5 messages\)'):
    actions.check_choice(5, 5, 'agent_0', 'message')
