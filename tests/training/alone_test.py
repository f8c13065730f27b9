"""One agent alone trains, and is evaluated, without any influence."""

import numpy as np
import tiny

from influence_acme import playing
from influence_acme.runs import csv_log


def test_one_agent_alone(tmp_path):
  agent = tiny.make_agent('baseline')
  options = {'game': 'cleanup_small', 'num_agents': 1, 'num_steps': 60}
  assert tiny.run(tmp_path / 'run', agent, **options) == 0
  log = csv_log.read_log(tmp_path / 'run' / 'logs' / 'learner.csv')
  assert np.isfinite(log['loss']).all()
  assert (log['influence/agent_0'] == 0).all()
  played = playing.evaluate(playing.load(tmp_path / 'run'), num_episodes=2)
  assert played.returns.shape == (2, 1)
  assert played.influence is None
