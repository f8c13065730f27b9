"""What Cleanup and Harvest refuse, and what they say then."""

import numpy as np
import pytest

from influence_acme import environments

# 5 cells of river, 2 of them polluted; 3 apple cells, 3 start cells.
TINY = """
  #######
  #w~.+a#
  #w~.+a#
  #~..+a#
  #######
"""

BAD_LEVELS = [
  ('#####\n#+wa#\n#####\n####', '4 cells in row 3, .*5 in row 0.*same length'),
  ('#####\n#+wa.\n#####', 'hole in its outer wall at row 1, column 4'),
  ('#####\n#+wa#\n##.##', 'hole in its outer wall at row 2, column 2'),
  ('#####\n#+wa#\n#.#.#\n#####', "'#' inside .*row 2, column 2.*must be 'x'"),
  ('#####\n#+Wa#\n#####', "'W' at row 1, column 2.*'w' polluted river"),
  ('#####\n#+ a#\n#####', "' ' at row 1, column 2.*'.' floor"),
  ('#####\n#.wa#\n#####', r"no start cell \('\+'\)"),
  ('#####\n#+w.#\n#####', r"no apple cell \('a'\): Cleanup needs"),
  ('#####\n#+sa#\n#####', "no clean river .'~'. or polluted river .'w'."),
  ('######\n#+wad#\n######', "door .'d'. at row 1, column 4: Cleanup has none"),
  ('', "level is ''.*one line a row"),
  (' \n ', 'level is .*one line a row'),
  (None, 'level is None.*one line a row'),
  (7, 'level is 7.*one line a row'),
]


@pytest.mark.parametrize(('level', 'match'), BAD_LEVELS)
def test_bad_levels_of_cleanup_raise(level, match):
  with pytest.raises(ValueError, match=match):
    environments.functional('cleanup', level=level, num_agents=1)


@pytest.mark.parametrize(
  ('level', 'match'),
  [
    ('####\n#+.#\n####', 'no apple cell .*Harvest needs'),
    ('####\n#.a#\n####', 'no start cell'),
    ('#####\n#+ad#\n#####', 'door .*Harvest has none'),
  ],
)
def test_bad_levels_of_harvest_raise(level, match):
  with pytest.raises(ValueError, match=match):
    environments.functional('harvest', level=level, num_agents=1)


@pytest.mark.parametrize(
  ('fields', 'match'),
  [
    ({'num_agents': 4}, 'num_agents is 4.*from 1 to 3, the number of start'),
    ({'num_agents': True}, 'num_agents is True.*integer from 1 to 3'),
    ({'num_agents': np.True_}, 'num_agents is .*True.*integer from 1 to 3'),
    ({'num_agents': 2.0}, 'num_agents is 2.0.*integer from 1 to 3'),
    ({'num_agents': '2'}, "num_agents is '2'.*integer from 1 to 3"),
    ({'episode_length': 0}, 'episode_length is 0.*integer of at least 1'),
    ({'episode_length': True}, 'episode_length is True.*integer'),
    ({'view_size': 4}, 'view_size is 4.*odd'),
    ({'view_size': 1}, 'view_size is 1.*at least 3'),
    ({'view_size': 5.0}, 'view_size is 5.0.*integer'),
    ({'hit_cost': -1}, 'hit_cost is -1.*finite number of at least 0'),
    ({'hit_cost': np.nan}, 'hit_cost is nan.*finite number'),
    ({'fire_cost': np.inf}, 'fire_cost is inf.*finite number'),
    ({'fire_cost': '1'}, "fire_cost is '1'.*finite number"),
    ({'fire_cost': True}, 'fire_cost is True.*finite number'),
    ({'fire_cost': None}, 'fire_cost is None.*finite number'),
  ],
)
@pytest.mark.parametrize('name', ['cleanup', 'harvest'])
def test_bad_fields_raise(name, fields, match):
  fields = {'level': TINY, 'num_agents': 2, **fields}
  with pytest.raises(ValueError, match=match):
    environments.functional(name, **fields)


@pytest.mark.parametrize('field', ['apple_chance', 'waste_chance'])
@pytest.mark.parametrize('value', [-0.1, 1.1, np.nan, '0.5', None, True, 1j])
def test_bad_chances_raise(field, value):
  with pytest.raises(ValueError, match=f'{field} is .*from 0 to 1'):
    environments.functional('cleanup', **{field: value})


@pytest.mark.parametrize(
  ('regrowth', 'match'),
  [
    ((), r'regrowth is \(\).*1 to 9 probabilities'),
    ((0.1,) * 10, 'regrowth is .*1 to 9 probabilities'),
    (0.5, 'regrowth is 0.5.*1 to 9 probabilities'),
    ('0.5', "regrowth is '0.5'.*1 to 9 probabilities"),
    ((0, 0.5, 1.5), r'regrowth\[2\] is 1.5.*from 0 to 1'),
    ((0, np.nan), r'regrowth\[1\] is nan.*from 0 to 1'),
    (np.zeros((2, 2)), r'regrowth\[0\] is .*from 0 to 1'),
  ],
)
def test_bad_regrowth_raises(regrowth, match):
  with pytest.raises(ValueError, match=match):
    environments.functional('harvest', regrowth=regrowth)


def test_there_are_no_more_agents_than_colours():
  level = f'{"#" * 34}\n#{"+" * 30}wa#\n{"#" * 34}'
  environments.functional('cleanup', level=level, num_agents=20)
  with pytest.raises(ValueError, match="from 1 to 20, the number of agents' c"):
    environments.functional('cleanup', level=level, num_agents=21)
