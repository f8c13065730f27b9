"""Files of hosts: what they say, and what is refused before anything starts."""

import socket

import pytest
import toy

from influence_acme import programs

_FILE = """
[big]
address = "10.0.0.1"
nodes = ["replay", "learner", "actor_2"]
ports = {replay = 7000, learner = 7001}

[small]
nodes = ["actor_0", "actor_1"]
"""


def _read(path, text, host='big'):
  path = path / 'hosts.toml'
  path.write_text(text)
  return programs.read_placement(path, host)


def _make(path, text=_FILE, host='big', num_actors=3):
  experiment = toy.make_experiment(path / 'run', num_actors=num_actors)
  return programs.make_program(experiment, _read(path, text, host))


def test_a_file_says_who_runs_what(tmp_path):
  placement = _read(tmp_path, _FILE, 'small')
  assert placement.here.nodes == ('actor_0', 'actor_1')
  assert placement.home.name == 'big'
  assert not placement.is_home
  assert _read(tmp_path, _FILE, 'big').is_home
  assert placement.learner_address == '10.0.0.1:7001'


def test_without_a_file_all_run_here():
  assert programs.read_placement('', '') is None
  with pytest.raises(ValueError, match="host is 'big', but there is no file"):
    programs.read_placement('', 'big')


@pytest.mark.parametrize(
  'host, groups',
  [
    (
      'big',
      {'replay': ['replay'], 'learner': ['learner'], 'actor': ['actor_2']},
    ),
    ('small', {'actor': ['actor_0', 'actor_1']}),
  ],
)
def test_a_host_runs_its_own_nodes(tmp_path, host, groups):
  program = _make(tmp_path, host=host)
  assert groups == {
    label: [node.name for node in nodes]
    for label, nodes in program.graph.groups.items()
  }


def test_nodes_have_the_addresses_of_the_file(tmp_path):
  program = _make(tmp_path)
  nodes = {node.name: node for node in program.graph.get_all_nodes()}
  for name in ('replay', 'learner'):
    nodes[name].bind_addresses()  # As Launchpad does: it picks free ports.
  addresses = {
    name: [address.resolve() for address in node.addresses]
    for name, node in nodes.items()
  }
  assert addresses == {
    'replay': ['10.0.0.1:7000'],
    'learner': ['10.0.0.1:7001'],
    'actor_2': [],
  }


def test_an_actor_finds_nodes_of_another_host(tmp_path):
  actor = _make(tmp_path, host='small').graph.groups['actor'][1]
  addresses = [h._address.resolve() for h in actor.input_handles]
  assert addresses == ['10.0.0.1:7000', '10.0.0.1:7001']


def test_failures_of_hosts_are_told_apart(tmp_path):
  assert _make(tmp_path).directory.failure_path.name == 'failure.txt'
  program = _make(tmp_path, host='small')
  assert program.directory.failure_path.name == 'failure.small.txt'
  assert program.directory.path == tmp_path / 'run'


@pytest.mark.parametrize(
  'old, new, message',
  [
    ('[small]', '[small', 'hosts.toml is not TOML: .*line 7'),
    ('[small]', '[big]', r"is not TOML: Cannot declare \('big',\) twice"),
    ('[big]', '[other]', "host is 'big': it must be one of other, small"),
    ('[small]', '["a/b"]', "name of host 'a/b' is 'a/b': .* letters, digits"),
    ('"learner", ', '', "No host has 'learner' among its 'nodes'"),
    ('"actor_0"', '"actor_2"', "'actor_2' is there twice: it must be there"),
    ('7001', '7000', "ports of host 'big' .*: .* unlike, not 7000 twice"),
    ('7001', '70000', "ports of host 'big' .* from 1 to 65535"),
    ('7001', '"7001"', "ports of host 'big' .* from 1 to 65535"),
    ('{replay = 7000, learner = 7001}', '[7000, 7001]', 'ports of .* a table'),
    ('"10.0.0.1"', '10', "address of host 'big' is 10: it must be text"),
    ('["actor_0", "actor_1"]', '"actor_0"', "nodes of host 'small' is .* list"),
    ('["actor_0", "actor_1"]', '[]', "nodes of host 'small' is .* list"),
    ('["actor_0", "actor_1"]', '[0]', "nodes of host 'small' is .* list"),
    ('nodes = ["actor_0"', 'node = ["actor_0"', "'small' is .* with nodes"),
    ('[small]', 'one = 1\n[small]', "big' is .*: it must be a table, .big."),
    (_FILE, 'small = 1', "Host 'small' is 1: it must be a table, .small."),
    (_FILE, '', "No host has 'learner'"),
    # Of the graph.
    (
      '"actor_1"',
      '"actor_7"',
      "'small' has a node 'actor_7': this program has",
    ),
    (', "actor_1"', '', 'No host has actor_1: each needs one'),
    (', learner = 7001', '', "ports of host 'big' are of replay: .*, learner"),
    (
      'learner = 7001',
      'actor_2 = 7001',
      "ports of host 'big' are of replay, a",
    ),
    ('address = "10.0.0.1"', '', "Host 'big' has no address"),
    ('"replay", ', '', 'No host has replay'),
  ],
)
def test_what_cannot_be_is_refused(tmp_path, old, new, message):
  assert _FILE.count(old) == 1
  with pytest.raises(ValueError, match=message):
    _make(tmp_path, _FILE.replace(old, new))
  assert not (tmp_path / 'run').exists()


def test_the_replay_lies_with_the_learner(tmp_path):
  text = _FILE.replace('"replay", ', '').replace('["actor_0"', '["replay"')
  with pytest.raises(ValueError, match='replay, learner must be on one host'):
    _make(tmp_path, text.replace('"actor_2"', '"actor_2", "actor_0"'))


def test_the_file_cannot_be_read(tmp_path):
  with pytest.raises(FileNotFoundError, match='hosts.toml'):
    programs.read_placement(tmp_path / 'hosts.toml', 'big')


def test_the_fused_trainer_has_one_host(tmp_path):
  with pytest.raises(ValueError, match="'single', which runs on one host"):
    programs.launch(_make(tmp_path), 'single')
  assert not (tmp_path / 'run').exists()


def test_a_port_in_use_is_refused(tmp_path):
  with socket.socket() as server:
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    server.bind(('', 0))
    server.listen()
    port = server.getsockname()[1]
    program = _make(tmp_path, _FILE.replace('7001', str(port)))
    with pytest.raises(OSError, match=f"Port {port} of 'learner' cannot be"):
      programs.launch(program)
  assert not (tmp_path / 'run').exists()
