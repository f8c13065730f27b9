"""What environments count, in scripted episodes that are counted by hand."""

import functools

import jax
import numpy as np
import pytest

from influence_acme import environments, wrappers
from influence_acme.environments import box_trapped, cleanup, harvest
from influence_acme.environments.grid import moves

FORWARD, STAY = moves.Action.STEP_FORWARD, moves.Action.STAY
TURN = moves.Action.TURN_CLOCKWISE
FIRE, CLEAN = moves.Action.FIRE, moves.Action.CLEAN


@functools.cache
def compiled(env):
  return jax.jit(env.reset), jax.jit(env.step), jax.jit(env.events)


def play(env, agents, script, **fields):
  """Plays joint actions of agents given as (position, heading).

  Returns:
    The events before the first step and after each, as lists.
  """
  reset, step, events = compiled(env)
  state, _ = reset(jax.random.PRNGKey(0))
  if agents:
    state = state._replace(
      positions=np.array([position for position, _ in agents], np.int32),
      headings=np.array([heading for _, heading in agents], np.int32),
      **fields,
    )
  found = [events(state)]
  for actions in script:
    state, _ = step(state, np.array(actions, np.int32))
    found.append(events(state))
  return [
    {name: value.tolist() for name, value in each.items()}
    for each in jax.device_get(found)
  ]


# Cleanup. Columns 1 to 6 are river; apples can grow in columns 12 to 16. The
# river begins with 56 cells of waste, too many for anything to grow.


def test_cleaned_waste_by_hand():
  env = cleanup.Cleanup(num_agents=2, episode_length=3)
  waste = np.zeros((25, 18), bool)
  # 60 cells in the rows from 12 on: nothing grows, whatever is cleaned above.
  waste[12:22, 1:7] = True
  waste[4, 6] = waste[5, 5] = waste[6, 6] = waste[5, 4] = True
  # Agent 0 looks left, its lanes in rows 4, 5 and 6; agent 1 is far away.
  agents = [((5, 7), moves.LEFT), ((15, 9), moves.RIGHT)]
  script = [(CLEAN, CLEAN), (CLEAN, STAY), (STAY, CLEAN), (CLEAN, CLEAN)]
  start, *after, next_episode = play(env, agents, script, waste=waste)
  assert start['waste_cleaned'] == [0, 0] and start['waste'] == 64
  # The first waste of each lane, then what is left of the middle one.
  assert [each['waste_cleaned'] for each in after] == [[3, 0], [4, 0], [4, 0]]
  assert [each['waste'] for each in after] == [61, 60, 60]
  # The episode has ended: the fourth step starts the next one, and no action
  # counts.
  assert next_episode['waste_cleaned'] == [0, 0] and next_episode['waste'] == 56


def test_apples_of_cleanup_by_hand():
  env = cleanup.Cleanup(num_agents=2, episode_length=10)
  apples = np.zeros((25, 18), bool)
  apples[5, 13] = apples[3, 13] = apples[7, 14] = True
  agents = [((6, 13), moves.UP), ((7, 12), moves.RIGHT)]
  script = [(FORWARD, FORWARD), (FORWARD, FORWARD), (FORWARD, STAY)]
  events = play(env, agents, script, apples=apples)
  counts = [[0, 0], [1, 0], [1, 1], [2, 1]]
  assert [each['apples'] for each in events] == counts
  assert events[-1]['beams'] == events[-1]['hits'] == [0, 0]


@pytest.mark.parametrize('game', [cleanup.Cleanup, harvest.Harvest])
def test_fines_by_hand(game):
  """Agents 0 and 2 look at agent 1, which stands between them."""
  env = game(num_agents=3, episode_length=4)
  nothing = {'apples': np.zeros(env.level.shape, bool)}
  agents = [
    ((9, 8), moves.RIGHT),
    ((9, 10), moves.DOWN),
    ((9, 12), moves.LEFT),
  ]
  script = [
    (FIRE, STAY, FIRE),  # Two hits in one step.
    (TURN, STAY, FIRE),  # One.
    (FIRE, FIRE, STAY),  # Both fire down, where nobody is.
    (STAY, STAY, FIRE),  # One; the last step of the episode.
    (FIRE, FIRE, FIRE),  # Starts the next one.
  ]
  events = play(env, agents, script, **nothing)
  hits = [each['hits'] for each in events]
  fined = [each['fined'] for each in events]
  beams = [each['beams'] for each in events]
  assert hits == [
    [0, 0, 0], [0, 2, 0], [0, 3, 0], [0, 3, 0], [0, 4, 0], [0, 0, 0],
  ]  # fmt: skip
  assert fined == [
    [0, 0, 0], [0, 1, 0], [0, 2, 0], [0, 2, 0], [0, 3, 0], [0, 0, 0],
  ]  # fmt: skip
  assert beams == [
    [0, 0, 0], [1, 0, 1], [1, 0, 2], [2, 1, 2], [2, 1, 3], [0, 0, 0],
  ]  # fmt: skip


def test_apples_of_harvest_are_those_of_the_map():
  env = harvest.Harvest(num_agents=1, episode_length=9)
  # Row 1 has apples in columns 20 to 24.
  script = [(FORWARD,)] * 6
  events = play(env, [((1, 19), moves.RIGHT)], script)
  counts = [each['apples'] for each in events]
  assert counts == [[0], [1], [2], [3], [4], [5], [5]]
  assert set(events[0]) == {'apples', 'beams', 'hits', 'fined'}


# Box Trapped. Agent 0 stands in (2, 4) with apples around it, agent 1 in a box
# of (7, 4) and an apple at (7, 5), under the door.


@pytest.mark.parametrize('falls_shut', [True, False])
def test_whether_the_box_was_opened(falls_shut):
  env = box_trapped.BoxTrapped(episode_length=4, falls_shut=falls_shut)
  right = moves.Action.STEP_RIGHT
  script = [
    (FORWARD, FORWARD),  # One eats, the other runs against the door.
    (STAY, right),  # The apple in the box.
    (box_trapped.OPEN_BOX, STAY),
    (STAY, STAY),
    (STAY, STAY),  # Starts the next one.
  ]
  events = play(env, None, script)
  assert [each['box_opened'] for each in events] == [0, 0, 0, 1, 1, 0]
  apples = [each['apples'] for each in events]
  assert apples == [[0, 0], [1, 0], [1, 1], [1, 1], [1, 1], [0, 0]]


def test_agent_1_cannot_open_the_box():
  events = play(box_trapped.BoxTrapped(), None, [(STAY, box_trapped.OPEN_BOX)])
  assert events[-1]['box_opened'] == 0


# Other environments, and the adapter.


def test_matrix_games_count_nothing():
  env = environments.functional('coordination')
  state, _ = env.reset(jax.random.PRNGKey(0))
  assert env.events(state) == {}


def test_the_adapter_tells_the_same():
  env = environments.make('harvest', num_agents=2, episode_length=3, seed=1)
  with pytest.raises(RuntimeError, match='call reset'):
    env.events()
  wrapped = wrappers.OthersActionsWrapper(env)
  wrapped.reset()
  assert wrapped.events()['beams'].tolist() == [0, 0]
  for _ in range(3):
    wrapped.step({'agent_0': FIRE, 'agent_1': STAY})
  events = wrapped.events()
  assert events['beams'].tolist() == [3, 0]
  assert events['beams'].dtype == np.int32
  wrapped.step({'agent_0': FIRE, 'agent_1': STAY})
  assert wrapped.events()['beams'].tolist() == [0, 0]


def test_batches_count_each_for_itself():
  env = harvest.Harvest(num_agents=2, episode_length=5)
  keys = jax.random.split(jax.random.PRNGKey(0), 3)
  state, _ = jax.jit(jax.vmap(env.reset))(keys)
  step = jax.jit(jax.vmap(env.step))
  for t in range(4):
    fires = np.array([[0, 0], [1, 0], [1, t % 2]])
    actions = np.where(fires, FIRE, TURN).astype(np.int32)
    state, _ = step(state, actions)
  beams = jax.vmap(env.events)(state)['beams']
  assert beams.tolist() == [[0, 0], [4, 0], [4, 2]]
