import acme
import pytest

from influence_acme.multiagent import learner_set, variables


class _Learner(acme.Learner):
  """Counts its steps; serves its count whatever it is asked for, as IMPALA."""

  def __init__(self, offset=0):
    self.count = offset

  def step(self):
    self.count += 1

  def get_variables(self, names):
    return [self.count]

  def save(self):
    return self.count

  def restore(self, state):
    self.count = state


def _learner_set():
  agent_ids = [f'agent_{i}' for i in (0, 2, 10)]
  learners = {a: _Learner(100 * i) for i, a in enumerate(agent_ids)}
  names = {a: ['policy', 'critic'] for a in agent_ids}
  return learner_set.LearnerSet(learners, names), learners


def test_step_and_run_step_every_learner():
  learner, learners = _learner_set()
  learner.step()
  learner.run(num_steps=3)
  assert [each.count for each in learners.values()] == [4, 104, 204]


def test_variables_come_by_name_in_the_order_asked_for():
  learner, _ = _learner_set()
  names = ['agent_10/policy', 'agent_0/critic', 'agent_0/policy']
  assert learner.get_variables(names) == [200, 0, 0]
  view = variables.AgentVariableSource(learner, 'agent_2')
  assert view.get_variables(['policy', 'critic']) == [100, 100]


@pytest.mark.parametrize(
  'name', ['policy', 'agent_1/policy', 'agent_0/polcy', 'agent_0/', 'agent_0']
)
def test_unknown_names_raise_though_the_learners_ignore_them(name):
  learner, _ = _learner_set()
  with pytest.raises(ValueError, match='agent_10/critic.*agent_2/policy'):
    learner.get_variables(['agent_0/policy', name])


def test_restore_brings_every_learner_back():
  learner, learners = _learner_set()
  state = learner.save()
  learner.run(num_steps=2)
  # A state that went through JAX has sorted keys.
  learner.restore({a: state[a] for a in sorted(state)})
  assert [each.count for each in learners.values()] == [0, 100, 200]


@pytest.mark.parametrize(
  'state', [{}, {'agent_0': 1, 'agent_2': 1}, {'agent_0': 1, 'agent_1': 1}]
)
def test_restore_refuses_a_state_of_other_agents(state):
  learner, learners = _learner_set()
  with pytest.raises(ValueError, match='agent_10'):
    learner.restore(state)
  assert learners['agent_0'].count == 0


def test_refuses_names_of_other_agents():
  with pytest.raises(ValueError, match='variable_names is .*agent_1'):
    learner_set.LearnerSet({'agent_0': _Learner()}, {'agent_1': ['policy']})
