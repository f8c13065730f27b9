"""Tests of the recorded episode, and of the matrix, in an Acme loop."""

import math

import numpy as np
from acme import core, environment_loop
from acme.utils import loggers

from influence_acme import adders, types, wrappers
from influence_acme.multiagent import recording
from influence_acme.testing import fakes

N, A, T = 3, 2, 5
AGENT_IDS = types.agent_ids(N)


class CopiedActor(core.Actor):
  """Everyone does 0, by 1/4; the last agent will do what the first does."""

  def __init__(self, adder, measures):
    self._adder = adder
    self._measures = measures

  def observe_first(self, timestep):
    self._adder.add_first(timestep)

  def select_action(self, observation):
    return dict.fromkeys(AGENT_IDS, np.int32(0))

  def observe(self, action, next_timestep):
    extras = {}
    if self._measures:
      answers = np.zeros((N, A, N - 1, A), np.float32)
      copied = np.where(np.eye(A) > 0, 0, -np.inf)
      answers[0, :, 1] = copied
      inputs = {
        'conditional_logits': answers,
        'policy_logits': np.log([[1 / 4, 3 / 4]] * N).astype(np.float32),
        'mask': np.ones((N, N - 1), bool),
      }
      # Where everyone acts at once, all that follows is known too late.
      inputs['mask'][:] = not next_timestep.last()
      extras['influence_inputs'] = {'moa': inputs}
    reward = np.array([next_timestep.reward[i] for i in AGENT_IDS], np.float32)
    self._adder.add(
      np.zeros(N, np.int32), next_timestep._replace(reward=reward), extras
    )

  def update(self, wait=False):
    pass


class Rows:
  """Keeps what reaches the innermost adder."""

  def __init__(self):
    self.calls = []

  def add_first(self, timestep):
    self.calls.append('first')

  def add(self, action, next_timestep, extras=()):
    self.calls.append(sorted(extras))

  def reset(self):
    self.calls.append('reset')


def _run(measures):
  rows = Rows()
  adder = recording.RecordingAdder(
    adders.InfluenceAdder(rows, lambda step, _: np.zeros(N, np.float32))
  )
  loop = environment_loop.EnvironmentLoop(
    wrappers.OthersActionsWrapper(
      fakes.FakeMultiAgentEnvironment(N, A, episode_length=T)
    ),
    CopiedActor(adder, measures),
    logger=loggers.NoOpLogger(),
    observers=[recording.InfluenceMatrixObserver(adder, AGENT_IDS)],
  )
  return [loop.run_episode() for _ in range(2)], rows, adder


def test_who_influences_whom_is_measured_by_episode():
  results, rows, adder = _run(measures=True)
  for result in results:
    # Given 0 it does 0 for certain, else by 1/4; but for the last of 5 steps.
    expected = dict.fromkeys(AGENT_IDS, 0.0) | {
      'agent_2': math.log(4) * (T - 1) / T
    }
    del expected['agent_0']
    matrix = result['influence_matrix']
    np.testing.assert_allclose(
      [matrix['agent_0'][i] for i in expected], list(expected.values()), 1e-6
    )
    for source in AGENT_IDS[1:]:
      assert source not in matrix[source]
      assert set(matrix[source].values()) == {0.0}
  # The adder within is told of everything, and sees no inputs.
  assert rows.calls == 2 * ['first', *T * [['extrinsic', 'influence']]]
  adder.reset()
  assert rows.calls[-1] == 'reset' and not adder.actions and not adder.extras
  assert recording.RecordingAdder(rows).calls is rows.calls  # All it offers.


def test_agents_without_influence_have_no_matrix():
  results, _, _ = _run(measures=False)
  assert all('influence_matrix' not in result for result in results)
