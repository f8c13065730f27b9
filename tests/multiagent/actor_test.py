import acme
import dm_env
import numpy as np
import pytest

from influence_acme.multiagent import actor


class _Recorder(acme.Actor):
  """Acts by its observation, and remembers all that it is shown."""

  def __init__(self):
    self.log = []

  def select_action(self, observation):
    return observation * 2

  def observe_first(self, timestep):
    self.log.append(timestep)

  def observe(self, action, next_timestep):
    self.log.append((action, next_timestep))

  def update(self, wait=False):
    self.log.append(wait)


def _joint(agent_ids=('agent_0', 'agent_1')):
  actors = {a: _Recorder() for a in sorted(agent_ids)}
  return actor.JointActor(actors, agent_ids), actors


def test_every_agent_acts_on_its_own_observation():
  joint, _ = _joint()
  actions = joint.select_action({'agent_0': 1, 'agent_1': 5})
  assert actions == {'agent_0': 2, 'agent_1': 10}


def test_every_agent_observes_its_own_part():
  joint, actors = _joint()
  joint.observe_first(dm_env.restart({'agent_0': 1, 'agent_1': 5}))
  last = dm_env.truncation(
    reward={'agent_0': 0.5, 'agent_1': -1.0},
    observation={'agent_0': 3, 'agent_1': 4},
    discount=0.9,
  )
  joint.observe({'agent_0': 2, 'agent_1': 10}, last)
  assert actors['agent_1'].log == [
    dm_env.TimeStep(dm_env.StepType.FIRST, None, None, 5),
    (10, dm_env.TimeStep(dm_env.StepType.LAST, -1.0, 0.9, 4)),
  ]
  assert actors['agent_0'].log[1] == (
    2,
    dm_env.TimeStep(dm_env.StepType.LAST, 0.5, 0.9, 3),
  )


def test_all_agents_update():
  joint, actors = _joint()
  joint.update()
  joint.update(wait=True)
  assert [a.log for a in actors.values()] == [[False, True]] * 2


def test_order_is_that_of_agent_ids():
  agent_ids = tuple(f'agent_{i}' for i in range(11))
  joint, _ = _joint(agent_ids)
  actions = joint.select_action({a: np.int32(0) for a in sorted(agent_ids)})
  assert tuple(actions) == agent_ids


@pytest.mark.parametrize('agent_ids', [('agent_0',), ('agent_0', 'agent_2')])
def test_refuses_agents_and_actors_that_do_not_match(agent_ids):
  _, actors = _joint()
  with pytest.raises(ValueError, match=r"\['agent_0', 'agent_1'\]"):
    actor.JointActor(actors, agent_ids)


def test_whole_agents_of_acme_update_without_an_argument():
  """Those that learn too, as of its LocalLayout."""

  class Agent(_Recorder):
    def update(self):  # type: ignore[override]
      self.log.append('updated')

  agent = Agent()
  actor.JointActor({'agent_0': agent}, ['agent_0']).update()
  assert agent.log == ['updated']


def test_a_function_plays():
  joint = actor.JointActor(
    {'agent_0': _Recorder(), 'agent_1': actor.FunctionActor(lambda x: x + 1)},
    ['agent_0', 'agent_1'],
  )
  first = dm_env.restart({'agent_0': 1, 'agent_1': 5})
  joint.observe_first(first)
  actions = joint.select_action(first.observation)
  assert actions == {'agent_0': 2, 'agent_1': 6}
  rewards = {'agent_0': 1.0, 'agent_1': 1.0}
  joint.observe(actions, dm_env.transition(rewards, first.observation))
  joint.update(wait=True)
