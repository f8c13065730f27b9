import os
import signal

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
