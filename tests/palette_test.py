"""Tests of the colours of agents."""

from influence_acme import palette


def test_agents_have_colours_in_the_order_of_their_numbers():
  colours = palette.of_agents(['agent_10', 'agent_2', 'agent_1'])
  assert list(colours.items()) == [
    ('agent_1', palette.AGENTS[0]),
    ('agent_2', palette.AGENTS[1]),
    ('agent_10', palette.AGENTS[2]),
  ]


def test_more_agents_than_colours_share_them():
  count = len(palette.AGENTS)
  colours = palette.of_agents(f'agent_{i}' for i in range(count + 1))
  assert colours[f'agent_{count}'] == colours['agent_0'] == palette.AGENTS[0]
