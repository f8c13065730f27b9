"""What other machines would do, against hand numbers."""

import pytest

from benchmarks import outlook, table


def _row(rate, cores_used=None):
  return table.make_row('x', 2, 'steps/s', [rate], cores_used=cores_used)


def test_costs_follow_from_the_measured_rows():
  acting, learning = _row(1000.0, cores_used=1.5), _row(500.0)
  # 1.5 / 1000 and 2 / 500 core-seconds; 200 a second make 1.1 of 2 cores.
  parts = outlook.make_parts(acting, learning, _row(200.0))
  assert parts.acting == pytest.approx(0.0015)
  assert parts.learning == pytest.approx(0.004)
  assert parts.efficiency == pytest.approx(0.55)
  assert outlook.make_parts(acting, learning, _row(900.0)).efficiency == 1.0


def test_more_cores():
  parts = outlook.Parts(acting=0.001, learning=0.003, efficiency=0.5)
  # 48 of 64 cores learn 16,000 steps/s, 16 act in as many; half is lost.
  assert outlook.on_cores(parts, 64, 64) == pytest.approx(8000)
  # On 6 cores the learner makes 2,000, and the others wait for it.
  assert outlook.on_cores(parts, 64, 6) == pytest.approx(1000)
  # One core is left to act, whatever would suit the learner.
  parts = outlook.Parts(acting=0.001, learning=0.999)
  assert outlook.on_cores(parts, 2, 2) == pytest.approx(1 / 0.999)


@pytest.mark.parametrize(
  'changes, expected',
  [
    ({}, 32_000),  # 64 cores at 0.001 s, of which half is lost.
    ({'fraction': 0.01}, 25_000),  # 2e13 * 0.01 / 8e6.
    ({'link': 1e8}, 20_000),  # 1e8 / 5000.
  ],
)
def test_an_accelerator(changes, expected):
  parts = outlook.Parts(acting=0.001, learning=0.003, efficiency=0.5)
  learner = {'peak': 2e13, 'fraction': 0.1, 'link': 1e10, **changes}
  speed = outlook.with_accelerator(
    parts,
    64,
    outlook.Accelerator(**learner),
    outlook.StepCost(learning_flops=8e6, num_bytes=5000),
  )
  assert speed == pytest.approx(expected)


def test_pixels():
  assert outlook.pixel_bytes(num_agents=5) == 3375


def test_numbers_are_checked():
  with pytest.raises(ValueError, match='acting is 0'):
    outlook.Parts(acting=0, learning=1)
  with pytest.raises(ValueError, match='efficiency is 1.5'):
    outlook.Parts(acting=1, learning=1, efficiency=1.5)
  with pytest.raises(ValueError, match='cores is 1'):
    outlook.on_cores(outlook.Parts(acting=1, learning=1), 1, 1)
