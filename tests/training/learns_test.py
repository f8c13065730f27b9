"""Small agents learn a game, by either update."""

import pytest
import tiny


@pytest.mark.slow
@pytest.mark.parametrize('update', ['vtrace', 'ppo'])
def test_two_agents_learn_to_coordinate(tmp_path, update):
  code = tiny.run(
    tmp_path / 'run',
    tiny.make_learning_agent(update),
    episode_length=tiny.LONG,
    num_steps=tiny.NUM_STEPS,
  )
  assert code == 0
  assert tiny.learned_return(tmp_path / 'run') >= 0.95 * tiny.OPTIMUM
