import os
import signal
import time
from concurrent import futures

import pytest

from influence_acme.runs import signals


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_takes_note_of_the_first(number, capfd):
  with signals.Signals() as received:
    assert received.number == 0
    os.kill(os.getpid(), number)
    assert received.number == number
  assert 'once more to stop at once' in capfd.readouterr().err


def test_the_second_kills_what_there_is_and_ends_the_process(monkeypatch):
  done = []

  def end(code):
    done.append(code)
    raise SystemExit

  monkeypatch.setattr(os, '_exit', end)
  with signals.Signals() as received:
    received.kill = lambda: done.append('killed')
    os.kill(os.getpid(), signal.SIGTERM)
    assert not done
    with pytest.raises(SystemExit):
      os.kill(os.getpid(), signal.SIGINT)
  assert done == ['killed', 130]


def test_takes_signals_back_from_others():
  with signals.Signals() as received:
    signal.signal(signal.SIGINT, lambda *_: pytest.fail('Not theirs.'))
    received.listen()
    os.kill(os.getpid(), signal.SIGINT)
    assert received.number == signal.SIGINT


@pytest.fixture
def default_sigint():
  """A shell starts programs in the background with SIGINT ignored."""
  before = signal.signal(signal.SIGINT, signal.default_int_handler)
  yield
  signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures('default_sigint')
def test_ctrl_c_in_an_import_breaks_out_after_it():
  done = []
  with pytest.raises(KeyboardInterrupt), signals.deferred():  # noqa: PT012
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.1)
    done.append('imported')
  assert done == ['imported']
  assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_only_the_main_thread_can_start_a_run():
  signals.check_main_thread()
  with (
    futures.ThreadPoolExecutor(1) as pool,
    pytest.raises(RuntimeError, match='in the main thread'),
  ):
    pool.submit(signals.check_main_thread).result()
