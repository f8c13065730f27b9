import itertools
import threading
import time
import types
from concurrent import futures

import courier
import numpy as np
import pytest
import reverb
from courier.handlers.python import pybind

from influence_acme import compat  # noqa: F401  Before acme.jax.

# isort: split
from acme.jax import utils as acme_utils

from influence_acme.programs import blocking


@pytest.fixture
def stop():
  return threading.Event()


# On a busy machine; what does not stop takes five seconds, or does not end.
_SOON_SECS = 4


def _stop_soon(stop):
  threading.Timer(0.3, stop.set).start()
  return time.monotonic()


class TestStoppableIterator:
  def test_passes_elements_on_in_order(self, stop):
    iterator = blocking.StoppableIterator(iter(range(5)), stop.is_set)
    assert list(iterator) == [0, 1, 2, 3, 4]

  def test_is_at_most_two_elements_ahead(self, stop):
    pulled = []

    def elements():
      for i in itertools.count():
        pulled.append(i)
        yield i

    iterator = blocking.StoppableIterator(elements(), stop.is_set)
    assert next(iterator) == 0
    while len(pulled) < 3:  # One is in the queue, one waits to get in.
      time.sleep(0.01)
    time.sleep(0.1)
    assert pulled == [0, 1, 2]

  def test_passes_errors_on(self, stop):
    def broken():
      yield 1
      raise ArithmeticError('broken')

    iterator = blocking.StoppableIterator(broken(), stop.is_set)
    assert next(iterator) == 1
    with pytest.raises(ArithmeticError, match='broken'):
      next(iterator)

  def test_stops_while_it_waits(self, stop):
    def endless():
      time.sleep(3600)
      yield

    iterator = blocking.StoppableIterator(endless(), stop.is_set)
    start = _stop_soon(stop)
    with pytest.raises(StopIteration):
      next(iterator)
    assert 0.2 < time.monotonic() - start < _SOON_SECS

  def test_stops_although_there_is_more(self, stop):
    iterator = blocking.StoppableIterator(itertools.count(), stop.is_set)
    next(iterator)
    stop.set()
    assert list(iterator) == []


@pytest.fixture
def server():
  table = reverb.Table.queue('queue', max_size=2)
  server = reverb.Server([table])
  yield server
  server.stop()


def _write(writer, value):
  writer.append({'x': np.float32(value)})
  writer.create_item('queue', 1.0, {'x': writer.history['x'][-1:]})


class TestStoppableReplay:
  def test_writes_what_a_client_writes(self, server, stop):
    client = blocking.StoppableReplay(f'localhost:{server.port}', stop.is_set)
    writer = client.trajectory_writer(num_keep_alive_refs=1)
    for value in range(2):
      _write(writer, value)
      writer.flush()
    writer.end_episode()
    assert writer.episode_steps == 0
    found = [
      sample.data[0].item()
      for sample in client.sample('queue', 2, emit_timesteps=False)
    ]
    assert found == [0, 1]
    client.close()

  @pytest.mark.parametrize('method', ['flush', 'end_episode'])
  def test_stops_while_the_table_is_full(self, server, stop, method):
    client = blocking.StoppableReplay(f'localhost:{server.port}', stop.is_set)
    writer = client.trajectory_writer(num_keep_alive_refs=1)
    for value in range(3):
      _write(writer, value)
    start = _stop_soon(stop)
    with pytest.raises(blocking.StoppedError):
      getattr(writer, method)()
    assert 0.2 < time.monotonic() - start < _SOON_SECS
    # As an adder does when it is deleted, before its client is closed or after.
    start = time.monotonic()
    writer.flush(0, timeout_ms=10_000)
    client.close()
    writer.flush(0, timeout_ms=10_000)
    writer.close()
    assert time.monotonic() - start < _SOON_SECS

  def test_a_timeout_is_kept(self, server, stop):
    client = blocking.StoppableReplay(f'localhost:{server.port}', stop.is_set)
    writer = client.trajectory_writer(num_keep_alive_refs=1)
    for value in range(3):
      _write(writer, value)
    with pytest.raises(reverb.errors.DeadlineExceededError):
      writer.flush(timeout_ms=100)
    client.close()

  def test_a_server_stops_at_once_after_its_clients(self, stop):
    server = reverb.Server([reverb.Table.queue('queue', max_size=2)])
    client = blocking.StoppableReplay(f'localhost:{server.port}', stop.is_set)
    writer = client.trajectory_writer(num_keep_alive_refs=1)
    _write(writer, 0)
    writer.flush()
    client.close()
    start = time.monotonic()
    server.stop()
    assert (
      time.monotonic() - start < _SOON_SECS
    )  # Else it gives them five seconds.

  def test_stops_while_there_is_no_server(self, stop):
    start = _stop_soon(stop)
    with pytest.raises(blocking.StoppedError):
      blocking.StoppableReplay('localhost:1', stop.is_set)
    assert time.monotonic() - start < _SOON_SECS


class _Served:
  def __init__(self, until):
    self._until = until

  def double(self, x):
    return 2 * x

  def fail(self):
    raise ArithmeticError('broken')

  def wait(self):
    self._until.wait(5)


class TestStoppableClient:
  @pytest.fixture
  def client(self, stop):
    finished = threading.Event()
    served = _Served(until=finished)
    server = courier.Server()
    for name in ('double', 'fail', 'wait'):
      handler = pybind.BuildPyCallHandler(getattr(served, name))
      server.BindHandler(name, handler)
    server.Start()
    client = courier.Client(f'localhost:{server.port}')
    yield blocking.StoppableClient(client, stop.is_set)
    finished.set()
    server.Stop()
    server.Join()

  def test_returns_what_is_returned(self, client):
    np.testing.assert_array_equal(client.double(np.arange(3)), [0, 2, 4])

  def test_raises_what_is_raised(self, client):
    with pytest.raises(Exception, match='ArithmeticError: broken'):
      client.fail()

  def test_does_not_blame_a_node_that_stops_first(self, client, stop):
    _stop_soon(stop)
    with pytest.raises(blocking.StoppedError):
      client.fail()

  def test_stops_while_it_waits(self, client, stop):
    start = _stop_soon(stop)
    with pytest.raises(blocking.StoppedError):
      client.wait()
    assert 0.2 < time.monotonic() - start < _SOON_SECS

  def test_stops_while_there_is_no_server(self, stop):
    client = blocking.StoppableClient(
      courier.Client('localhost:1'), stop.is_set
    )
    start = _stop_soon(stop)
    with pytest.raises(blocking.StoppedError):
      client.double(1)
    assert time.monotonic() - start < _SOON_SECS

  def test_an_answer_after_the_stop_does_no_harm(self):
    told = []
    future: futures.Future = futures.Future()
    future.add_done_callback(lambda x: told.append(x.cancelled()))
    calls = types.SimpleNamespace(double=lambda _: future)
    client = blocking.StoppableClient(
      types.SimpleNamespace(futures=calls), lambda: True
    )
    with pytest.raises(blocking.StoppedError):
      client.double(1)
    assert told == [True]  # So that Courier gives the call up.
    future.set_result(2)  # Of a cancelled one it would raise.


def _prefetch(iterator):
  """Takes all of it as a learner of Acme does."""
  with pytest.raises(ValueError, match='len'):
    for _ in acme_utils.sharded_prefetch(iterator, buffer_size=2):
      pass


def test_the_end_of_data_is_no_error_of_prefetching(caplog):
  _prefetch(blocking.StoppableIterator(iter([1.0]), lambda: True))
  assert 'Error in producer thread' not in caplog.text


def test_an_error_in_the_data_is_one(caplog):
  def broken():
    yield np.float32(1)
    raise ValueError('len of nothing')

  blocking._iterators.clear()
  _prefetch(blocking.StoppableIterator(broken(), lambda: False))
  assert 'Error in producer thread' in caplog.text
