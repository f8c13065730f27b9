"""An environment of PettingZoo's own, in one of our programs."""

import functools
import pathlib
import re
import textwrap
from typing import Any

import pytest

from influence_acme import programs
from influence_acme.agents import influence
from influence_acme.testing import conformance

PAGE = pathlib.Path(__file__).parents[2] / 'docs' / 'howto' / 'pettingzoo.md'


def _make_pursuit():
  """Makes the environment as the page does."""
  text = PAGE.read_text(encoding='utf-8')
  (block,) = re.findall(
    r' *```python\n( {2}import numpy.*?)```', text, re.DOTALL
  )
  names: dict[str, Any] = {}
  exec('from influence_acme import adapters', names)
  exec(textwrap.dedent(block), names)
  return names['pursuit']


@pytest.mark.slow
def test_influential_agents_train_in_pursuit(tmp_path):
  conformance.check_environment(_make_pursuit())
  config = influence.InfluenceConfig(
    hidden_size=16, batch_size=2, unroll_length=10, influence_weight=0.1
  )
  experiment = programs.Experiment(
    builder_factory=functools.partial(influence.InfluenceBuilder, config),
    environment_factory=lambda seed: influence.wrap_environment(
      _make_pursuit(), config
    ),
    network_factory=functools.partial(influence.make_networks, config=config),
    num_steps=1_001,  # Two episodes, and the first step of a third.
    run_dir=tmp_path,
  )
  assert programs.launch(programs.make_program(experiment), 'threads') == 0
  log = programs.read_log(tmp_path / 'logs' / 'actor_0.csv')
  assert 'episode_return/pursuer_2' in log and len(log['episode_length']) == 2
