"""Tests of the recorded episode, its video and its influence matrix."""

import csv
import math
import types

import numpy as np
import pytest
from acme import core
from imageio import v3 as imageio
from PIL import Image

from influence_acme.multiagent import recording
from influence_acme.programs import evaluation
from influence_acme.runs import run_dir
from influence_acme.testing import fakes

AGENT_IDS = ('agent_0', 'agent_1', 'agent_2')
# Of what agent_0, agent_1 and agent_2 believe that each other does next, given
# their own action: 'copy' it for sure, or 'ignore' it.
BELIEFS = {
  (0, 1): 'copy',
  (0, 2): 'ignore',
  (1, 0): 'ignore',
  (1, 2): 'copy',
  (2, 0): 'copy',
  (2, 1): 'copy',
}
NUM_ACTIONS = 2


class FilmedEnvironment(fakes.FakeMultiAgentEnvironment):
  """Shows the number of steps in the episode as a grey value."""

  def reset(self):
    self._shown = 0
    return super().reset()

  def step(self, action):
    self._shown += 1
    return super().step(action)

  def render(self):
    return np.full((4, 6, 3), 20 * self._shown, np.uint8)


class BelievingActor(core.Actor):
  """Agent i plays action (step + i) % 2, and believes the above."""

  def __init__(self, adder, sees=True, influence=True):
    self._adder = adder
    self._sees = sees
    self._influence = influence
    self.updates = []

  def observe_first(self, timestep):
    self._step = 0
    self._adder.add_first(timestep)

  def select_action(self, observation):
    assert list(observation) == list(AGENT_IDS)
    return {
      agent_id: np.int32((self._step + i) % NUM_ACTIONS)
      for i, agent_id in enumerate(AGENT_IDS)
    }

  def observe(self, action, next_timestep):
    actions = np.array([action[i] for i in AGENT_IDS], np.int32)
    self._adder.add(actions, next_timestep, self._extras(next_timestep))
    self._step += 1

  def update(self, wait=False):
    self.updates.append(wait)

  def _extras(self, next_timestep):
    if not self._influence:
      return ()
    logits = np.zeros((3, NUM_ACTIONS, 2, NUM_ACTIONS), np.float32)
    for (i, j), belief in BELIEFS.items():
      if belief == 'copy':
        with np.errstate(divide='ignore'):
          logits[i, :, j - (j > i)] = np.log(np.eye(NUM_ACTIONS))
    mask = np.full((3, 2), self._sees and not next_timestep.last())
    return {
      'influence_inputs': {
        'moa': {
          'conditional_logits': logits,
          # P(action 0) = 1/4: a copied 0 tells log 4 nats, a 1 log 4/3.
          'policy_logits': np.log([[0.25, 0.75]] * 3).astype(np.float32),
          'mask': mask,
        }
      }
    }


def record(environment=None, max_steps=1000, **kwargs):
  adder = recording.RecordingAdder()
  actor = BelievingActor(adder, **kwargs)
  if environment is None:
    environment = FilmedEnvironment(num_agents=3, num_actions=NUM_ACTIONS)
  return evaluation.record_episode(environment, actor, adder, max_steps)


def test_records_an_episode():
  script = [
    fakes.ScriptedStep(
      (float(t), 2.0 * t, -1.0),
      1.0,
      fakes.dm_env.StepType.LAST if t == 3 else fakes.dm_env.StepType.MID,
    )
    for t in range(4)
  ]
  environment = FilmedEnvironment(
    num_agents=3, num_actions=NUM_ACTIONS, script=script
  )
  episode = record(environment)
  assert episode.agent_ids == AGENT_IDS
  assert episode.rewards.dtype == np.float32
  np.testing.assert_array_equal(
    episode.rewards, [[0, 0, -1], [1, 2, -1], [2, 4, -1], [3, 6, -1]]
  )
  assert episode.actions.dtype == np.int32
  np.testing.assert_array_equal(
    episode.actions, [[0, 1, 0], [1, 0, 1], [0, 1, 0], [1, 0, 1]]
  )
  assert [frame[0, 0, 0] for frame in episode.frames] == [0, 20, 40, 60, 80]
  assert episode.views is not None and episode.views.dtype == np.uint8
  assert episode.views.shape == (5, 3, 5, 5, 3)
  np.testing.assert_array_equal(
    episode.views[..., 0, 0, 0], np.arange(15).reshape(5, 3)
  )


def test_influence_of_copied_and_ignored_actions():
  episode = record()  # Of 5 steps; nobody is influenced in the last one.
  nan, zero, one = float('nan'), math.log(4), math.log(4 / 3)
  even = [[nan, zero, 0], [0, nan, one], [zero, zero, nan]]
  odd = [[nan, one, 0], [0, nan, zero], [one, one, nan]]
  last = [[nan, 0, 0], [0, nan, 0], [0, 0, nan]]
  expected = np.array([even, odd, even, odd, last])
  np.testing.assert_allclose(episode.influence, expected, rtol=1e-5)
  mean = (2 * np.array(even) + 2 * np.array(odd)) / 5
  np.testing.assert_allclose(episode.influence_matrix, mean, rtol=1e-5)
  # Agents 0 and 2 influence more than on average in even steps, 1 in odd ones.
  np.testing.assert_allclose(episode.influential_share, 6 / 15)


def test_nobody_influences_whom_it_does_not_see():
  matrix = record(sees=False).influence_matrix
  np.testing.assert_array_equal(
    matrix, np.where(np.eye(3, dtype=bool), np.nan, 0)
  )


def test_agents_without_a_model_of_others():
  episode = record(influence=False)
  assert episode.influence is None
  assert episode.influence_matrix is None
  assert episode.influential_share is None
  assert len(episode.rewards) == 5


def test_a_long_episode_is_broken_off():
  episode = record(max_steps=3)
  assert len(episode.rewards) == 3 and len(episode.frames) == 4
  assert episode.influence is not None
  assert episode.influence.shape == (3, 3, 3)


def test_an_environment_that_cannot_be_rendered():
  environment = fakes.FakeMultiAgentEnvironment(3, NUM_ACTIONS)
  assert len(record(environment).frames) == 0


def test_plays_with_the_newest_parameters():
  adder = recording.RecordingAdder()
  actor = BelievingActor(adder)
  environment = FilmedEnvironment(num_agents=3, num_actions=NUM_ACTIONS)
  for _ in range(2):
    episode = evaluation.record_episode(environment, actor, adder)
    assert len(episode.frames) == 6
    assert episode.influence is not None
    assert len(episode.influence) == 5  # Of the last episode alone.
  assert actor.updates == [True, True]


def test_writes_all_that_there_is(tmp_path):
  run = run_dir.RunDirectory(tmp_path)
  evaluation.write(run, record())
  assert len(imageio.imread(run.video_path)) == 6
  assert imageio.imread(run.influence_matrix_path).any()
  with open(tmp_path / 'influence_matrix.csv', newline='') as file:
    header, *rows = csv.reader(file)
  assert header == ['influencer', *AGENT_IDS]
  assert [row[0] for row in rows] == list(AGENT_IDS)
  assert [row[i + 1] for i, row in enumerate(rows)] == ['', '', '']
  value = (2 * math.log(4) + 2 * math.log(4 / 3)) / 5
  assert float(rows[0][2]) == pytest.approx(value, rel=1e-5)
  assert float(rows[1][1]) == 0.0


def test_writes_no_picture_where_there_is_none(tmp_path):
  environment = fakes.FakeMultiAgentEnvironment(3, NUM_ACTIONS)
  episode = record(environment, influence=False)
  evaluation.write(run_dir.RunDirectory(tmp_path), episode)
  assert [path.name for path in tmp_path.iterdir()] == ['episode.npz']


@pytest.mark.parametrize('influence', [True, False])
def test_reads_what_was_written(tmp_path, influence):
  run = run_dir.RunDirectory(tmp_path)
  assert evaluation.read(run) is None
  environment = FilmedEnvironment(num_agents=3, num_actions=NUM_ACTIONS)
  environment.action_names = ('wait', 'sing')
  written = record(environment, influence=influence)
  evaluation.write(run, written)
  read = evaluation.read(run)
  assert read is not None
  assert read.agent_ids == AGENT_IDS and read.action_names == ('wait', 'sing')
  for name in ('rewards', 'actions', 'influence'):
    np.testing.assert_array_equal(getattr(read, name), getattr(written, name))
  assert read.measures.keys() == written.measures.keys()
  np.testing.assert_array_equal(
    list(read.measures.values()), list(written.measures.values())
  )


def test_observations_that_are_no_pictures(tmp_path):
  environment = FilmedEnvironment(3, NUM_ACTIONS, observation_shape=(2,))
  episode = record(environment)
  assert episode.views is None
  evaluation.write(run_dir.RunDirectory(tmp_path), episode)
  assert imageio.imread(tmp_path / 'episode.gif').shape == (6, 4, 6, 3)


def test_what_is_measured():
  measured = record().measures
  assert measured['collective_return'] == measured['efficiency'] * 5
  np.testing.assert_allclose(measured['influential_share'], 6 / 15)
  # Everybody does 0 and 1 in turn, four pairs: (1/2, 1/2), known for sure.
  np.testing.assert_allclose(measured['action_coordination'], math.log(2), 1e-6)
  assert 'speaker_consistency' not in measured
  assert 'influential_share' not in record(influence=False).measures


def _raise():
  raise OSError('no display')


@pytest.mark.parametrize(
  'render, reason',
  [
    (lambda: None, 'returns NoneType: it must be uint8 [H, W, 3]'),
    (lambda: np.zeros((4, 6), np.uint8), 'returns uint8[4, 6]: it must'),
    (lambda: np.zeros((4, 6, 1), np.uint8), 'returns uint8[4, 6, 1]: it must'),
    (lambda: np.zeros((4, 6, 4), np.uint8), 'returns uint8[4, 6, 4]: it must'),
    (lambda: np.zeros((4, 6, 3)), 'returns float64[4, 6, 3]: it must'),
    (lambda: np.zeros((0, 6, 3), np.uint8), 'returns uint8[0, 6, 3]: it must'),
    (lambda: [[[0, 0, 0]]], 'returns list: it must be uint8 [H, W, 3]'),
    (lambda: Image.new('L', (6, 4)), 'returns Image: it must be uint8'),
    (lambda: [[0], [0, 0]], ''),  # Of a sentence in NumPy's words.
    (_raise, 'raises OSError: no display'),
  ],
)
@pytest.mark.filterwarnings('ignore:Creating an ndarray from ragged')
def test_what_is_no_picture_leaves_the_film_out(
  tmp_path, capsys, render, reason
):
  class Environment(fakes.FakeMultiAgentEnvironment):
    pass

  environment = Environment(num_agents=3, num_actions=NUM_ACTIONS)
  environment.render = render
  adder = recording.RecordingAdder()
  episode = evaluation.record_episode(environment, BelievingActor(adder), adder)
  assert not episode.frames
  run = run_dir.RunDirectory(tmp_path)
  run.video_path.write_bytes(b'of another episode')
  evaluation.write(run, episode)
  assert f'There is no film, as render() {reason}' in capsys.readouterr().err
  assert not run.video_path.exists()
  read = evaluation.read(run)
  assert read is not None and read.rewards.shape == episode.rewards.shape


def test_pictures_of_pillow_are_filmed():
  image = Image.new('RGB', (6, 4), (1, 2, 3))
  shot = evaluation.Film(types.SimpleNamespace(render=lambda: image))
  shot.take()
  (frame,) = shot.frames
  np.testing.assert_array_equal(frame, np.tile([1, 2, 3], (4, 6, 1)))
  assert frame.dtype == np.uint8


def test_pictures_of_another_size_end_the_film():
  shot = evaluation.Film(
    types.SimpleNamespace(render=iter(_of_sizes(4, 4, 5)).__next__)
  )
  shot.take()
  shot.take()
  assert len(shot.frames) == 2
  shot.take()
  shot.take()
  assert shot.frames == []
  assert 'uint8[5, 6, 3]: it must be uint8 of the size [4, 6, 3]' in (
    shot.failure
  )


def _of_sizes(*heights):
  return [np.zeros((height, 6, 3), np.uint8) for height in heights]
