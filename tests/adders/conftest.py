"""A real Reverb server for the adders' tests."""

import pytest
import reverb

TABLE = 'priority_table'  # Where Acme's adders write by default.


class Replay:
  """A queue on a Reverb server in this process, on a port of its own."""

  def __init__(self, signature=None):
    table = reverb.Table.queue(TABLE, 1000, signature=signature)
    self.server = reverb.Server([table])
    self.client = reverb.Client(f'localhost:{self.server.port}')

  def items(self):
    """Takes all items out of the table, oldest first."""
    size = self.client.server_info(1)[TABLE].current_size
    if not size:
      return []
    samples = self.client.sample(
      TABLE, size, emit_timesteps=False, unpack_as_table_signature=True
    )
    return [sample.data for sample in samples]


@pytest.fixture
def make_replay():
  """Returns a function that starts servers, which stop after the test."""
  replays = []

  def make(signature=None):
    replays.append(Replay(signature))
    return replays[-1]

  yield make
  for replay in replays:
    replay.server.stop()
