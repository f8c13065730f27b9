"""The journal against real Reverb servers, and Acme's own adders."""

import dm_env
import numpy as np
import pytest
import reverb
import tree
from acme.adders import reverb as reverb_adders

from influence_acme.programs import blocking, journal, journal_client

TABLE = reverb_adders.DEFAULT_PRIORITY_TABLE


class Replay:
  """A server, a journal and its client."""

  def __init__(self, max_size=100):
    self.server = reverb.Server([reverb.Table.queue(TABLE, max_size)])
    self.address = f'localhost:{self.server.port}'
    self.journal = journal.Journal()
    self.client = journal_client.JournalClient(
      self.address, lambda: False, self.journal
    )

  def save(self):
    return self.journal.save(), self.client.save()

  def restore(self, state):
    items, rows = state
    self.journal.restore(items, reverb.Client(self.address))
    self.client.restore(rows)

  def size(self):
    return self.client.server_info()[TABLE].current_size

  def sample(self, num_items):
    """Returns the next items, flat, and strikes them out."""
    if not num_items:
      return []
    samples = self.client.sample(TABLE, num_items, emit_timesteps=False)
    data = [sample.data for sample in samples]
    self.journal.consume(num_items)
    return data


@pytest.fixture
def make_replay():
  replays = []

  def make(**kwargs):
    replays.append(Replay(**kwargs))
    return replays[-1]

  yield make
  for replay in replays:
    replay.client.close()
    replay.server.stop()


def _sequence_adder(client, behavior=reverb_adders.EndBehavior.CONTINUE):
  return reverb_adders.SequenceAdder(
    client, sequence_length=4, period=2, end_of_episode_behavior=behavior
  )


def _play(adder, first_value, num_steps):
  """Adds an episode whose observations count up from a value."""
  adder.add_first(dm_env.restart(np.int32(first_value)))
  for step in range(1, num_steps + 1):
    finish = dm_env.termination if step == num_steps else dm_env.transition
    timestep = finish(np.float32(step), np.int32(first_value + step))
    adder.add(
      np.int32(step), timestep, {'logits': np.full(3, step, np.float32)}
    )


@pytest.mark.parametrize('lengths', [(1, 3), (3, 5), (9, 2), (2, 1)])
@pytest.mark.parametrize('consumed', [0, 1])
def test_a_restored_replay_goes_on_as_the_other_does(
  make_replay, lengths, consumed
):
  one = make_replay()
  adder = _sequence_adder(one.client)
  _play(adder, 10, lengths[0])
  consumed = min(consumed, one.journal.num_waiting)
  one.sample(consumed)

  other = make_replay()
  other.restore(one.save())
  assert other.size() == other.journal.num_waiting == one.size()
  _play(adder, 100, lengths[1])
  _play(_sequence_adder(other.client), 100, lengths[1])

  num_items = one.journal.num_waiting
  assert other.journal.num_waiting == num_items
  expected, found = one.sample(num_items), other.sample(num_items)
  for x, y in zip(expected, found, strict=True):
    tree.map_structure(np.testing.assert_array_equal, x, y)
    assert [a.dtype for a in x] == [a.dtype for a in y]


def test_items_arrive_at_once(make_replay):
  replay = make_replay()
  adder = _sequence_adder(replay.client)
  adder.add_first(dm_env.restart(np.int32(0)))
  for step in range(1, 11):
    adder.add(np.int32(0), dm_env.transition(np.float32(0), np.int32(step)))
    # Rows 0 to 3 are the first sequence, and each two more rows another one.
    assert replay.journal.num_waiting == max(0, (step - 2) // 2)
    assert replay.size() == replay.journal.num_waiting


def test_only_rows_that_may_be_needed_are_kept(make_replay):
  replay = make_replay()
  _play(_sequence_adder(replay.client), 0, 50)
  assert len(replay.client.save()['rows']) == 5
  assert replay.client.save()['episode_steps'] == 51


def test_rows_are_copies(make_replay):
  replay = make_replay()
  writer = replay.client.trajectory_writer(num_keep_alive_refs=2)
  array = np.zeros(2, np.float32)
  writer.append({'x': array})
  array[:] = 7
  ((row,),) = replay.client.save()['rows']
  np.testing.assert_array_equal(row[0]['x'], [0, 0])


@pytest.mark.parametrize(
  'behavior',
  [
    reverb_adders.EndBehavior.ZERO_PAD,
    reverb_adders.EndBehavior.TRUNCATE,
    reverb_adders.EndBehavior.WRITE,
  ],
)
def test_adders_that_cut_at_episode_ends_leave_no_rows(make_replay, behavior):
  replay = make_replay()
  _play(_sequence_adder(replay.client, behavior), 0, 5)
  assert replay.client.save() == {'rows': [], 'episode_steps': 0}
  other = make_replay()
  other.restore(replay.save())
  _play(_sequence_adder(other.client, behavior), 0, 5)
  assert other.journal.num_waiting == 2 * replay.journal.num_waiting
  for x, y in zip(*2 * [iter(other.sample(2))], strict=True):
    assert len(x) == len(y)


def test_columns_of_other_lengths_and_without_time(make_replay):
  """As transitions have them: an observation more than rewards, a squeezed."""
  replay = make_replay()
  writer = replay.client.trajectory_writer(num_keep_alive_refs=3)
  for t in range(3):
    writer.append({'o': np.full(2, t, np.int32), 'r': np.float32(10 * t)})
  history = writer.history
  trajectory = {
    'first': history['o'][-3],
    'o': history['o'][-3:],
    'r': history['r'][-2:],
  }
  writer.create_item(TABLE, 0.5, trajectory)
  other = make_replay()
  other.restore(replay.save())
  ((first, o, r),) = other.sample(1)
  np.testing.assert_array_equal(first, [0, 0])
  np.testing.assert_array_equal(o, [[0, 0], [1, 1], [2, 2]])
  np.testing.assert_array_equal(r, [10, 20])
  assert r.dtype == np.float32


def test_two_actors_share_one_journal(make_replay):
  replay = make_replay()
  second = journal_client.JournalClient(
    replay.address, lambda: False, replay.journal
  )
  _play(_sequence_adder(replay.client), 10, 3)
  _play(_sequence_adder(second), 20, 3)
  _play(_sequence_adder(second), 30, 3)
  second.close()
  assert [items[2][0].values[0] for items in replay.journal.save()] == [
    10,
    20,
    30,
  ]


def test_a_full_table_is_an_error(make_replay, monkeypatch):
  monkeypatch.setattr(journal_client, '_INSERT_TIMEOUT_MS', 100)
  replay = make_replay(max_size=2)
  with pytest.raises(RuntimeError, match='the table must hold a batch'):
    _play(_sequence_adder(replay.client), 0, 20)
  replay.client.close()


def test_a_process_that_was_stopped_finds_its_time_over_and_goes_on(
  make_replay, monkeypatch
):
  flush = blocking.StoppableWriter.flush
  calls = []

  def late_every_other_time(self, *args, **kwargs):
    calls.append(args)
    if len(calls) % 2:
      raise reverb.errors.DeadlineExceededError
    flush(self, *args, **kwargs)

  monkeypatch.setattr(blocking.StoppableWriter, 'flush', late_every_other_time)
  replay = make_replay()
  _play(_sequence_adder(replay.client), 0, 9)
  assert calls
  assert replay.size() == replay.journal.num_waiting > 1


def test_old_writers_are_refused(make_replay):
  replay = make_replay()
  with pytest.raises(NotImplementedError, match='Launch it in threads'):
    replay.client.insert(np.zeros(2), {TABLE: 1.0})


def test_a_stop_ends_a_wait_for_the_server():
  with pytest.raises(blocking.StoppedError):
    journal_client.JournalClient('localhost:1', lambda: True, journal.Journal())
