"""Both ways of playing log the same of the same episodes."""

from typing import Any

import acme
import jax
import numpy as np
import pytest
import two_ways
from acme.utils import loggers

from influence_acme.multiagent import observers
from influence_acme.rollouts import episode_log

NUM_EPISODES = 2
# Episodes end in the middle of unrolls of 6, and at their ends.
_COORDINATION = {'name': 'coordination', 'num_agents': 3, 'episode_length': 10}
_BOX = {'name': 'box_trapped', 'episode_length': 9}
_SPEAKERS = {'config': {'variant': 'communication', 'num_symbols': 3}}
GAMES = {
  'moa': _BOX,
  'pmi': {**_COORDINATION, 'measure': 'pmi'},
  'communication': {**_BOX, **_SPEAKERS},
  'baseline': {**_COORDINATION, 'config': {'variant': 'baseline'}},
  'cleanup': {'name': 'cleanup', 'num_agents': 3, 'episode_length': 150},
}


@pytest.fixture(
  scope='module',
  params=[
    # The one with most to measure by default: all take long to compile.
    pytest.param(
      name, marks=[] if name == 'communication' else [pytest.mark.slow]
    )
    for name in GAMES
  ],
)
def both(request):
  """Two logs of the same episodes [B][NUM_EPISODES], and whose they are."""
  game = two_ways.Game(**GAMES[request.param])
  expected = [_step_by_step(game, b) for b in range(two_ways.B)]
  actual: list[list[dict[str, Any]]] = [[] for _ in range(two_ways.B)]
  actor = game.make_actor(game.make_replay()[0])
  while len(actual[0]) < NUM_EPISODES:
    *_, ended = actor.play()
    for i, episode in enumerate(ended):  # All are of one length.
      log = episode_log.measure(episode, game.networks)
      actual[i % two_ways.B].append(log)
  return game, expected, actual


def _step_by_step(game, b):
  watched = observers.InfluenceObserver()
  environment = game.make_environment(two_ways.SEEDS[b])
  actor = game.builder.make_actor(
    game.keys[b],
    game.networks,
    watched.watch(game.builder.make_adder(game.make_replay()[0])),
    game.learner,
  )
  loop = acme.EnvironmentLoop(
    environment,
    actor,
    logger=loggers.NoOpLogger(),
    observers=observers.make_observers(environment.action_spec(), watched),
  )
  return [loop.run_episode() for _ in range(NUM_EPISODES)]


def test_the_logs_are_equal(both):
  game, expected, actual = both
  of_the_loop = {'steps_per_second', 'episodes', 'steps'}
  of_the_first = {name for name in actual[0][0] if name not in actual[1][0]}
  for b in range(two_ways.B):
    for x, y in zip(actual[b], expected[b], strict=True):
      y = {k: v for k, v in y.items() if k not in of_the_loop}
      if b > 0:
        y = {k: v for k, v in y.items() if k not in of_the_first}
      assert x.keys() == y.keys()
      jax.tree_util.tree_map(
        lambda a, c: np.testing.assert_allclose(a, c, rtol=1e-5, atol=1e-6),
        x,
        y,
      )


def test_what_is_logged(both):
  game, _, (first, *_) = both
  for log in first:
    assert log['episode_length'] == game.functional.episode_length
    is_known = game.config.variant != 'baseline'
    assert (log['influential_share'] > 0) == is_known
    # Actions are random, and few: they look coordinated by chance.
    assert log['action_coordination'] > 0
    speaks = game.config.variant == 'communication'
    assert ('speaker_consistency' in log) == speaks
    assert ('message_coordination' in log) == speaks
    assert np.isnan(log['action_coordination_influential']) != is_known
    if game.name == 'box_trapped':
      assert log['apples'].keys() == {'agent_0', 'agent_1'}
      assert log['apples'] == log['episode_return']
      assert log['box_opened'] in (0, 1)
    if game.name == 'cleanup':
      assert 0 <= log['peace'] <= 3
      assert sum(log['beams'].values()) > 0
      assert log['waste'] > 0 and sum(log['waste_cleaned'].values()) > 0
