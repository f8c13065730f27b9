"""Places the nodes of a program on several hosts, as a file of TOML says.

    [big]                                    # The name of a host.
    address = "10.0.0.1"                     # Where the others reach it.
    nodes = ["replay", "learner"]
    ports = {replay = 7000, learner = 7001}  # Of its nodes that listen.

    [small]
    nodes = ["actor_0", "actor_1"]

The learner and all replays lie on one host. Every host builds the whole graph,
in which these have the addresses of the file, and starts its own nodes alone.
"""

import collections
import contextlib
import dataclasses
import os
import pathlib
import re
import socket
from collections.abc import Iterable, Mapping
from typing import Any

import launchpad as lp
import tomli

from influence_acme import checks

_LEARNER = 'learner'
# A node of another host fails before that host knows that the learner is gone.
_BLAME_SECS = 15.0
# In names of files, too.
_NAME = re.compile(r'[A-Za-z0-9][\w-]*')


@dataclasses.dataclass(frozen=True)
class Host:
  """Holds what a file says of a host.

  Attributes:
    name: of the host: letters, digits, '_' and '-'.
    nodes: names of the nodes that run there, such as 'learner', 'actor_0'.
    address: its name or number in the network; of the learner's host only.
    ports: name of a node -> the TCP port on which it listens.
  """

  name: str
  nodes: tuple[str, ...]
  address: str = ''
  ports: Mapping[str, int] = dataclasses.field(default_factory=dict)

  def __post_init__(self):
    """Raises ValueError: a field is out of range."""
    if not _NAME.fullmatch(self.name):
      raise self._error('name', self.name, "letters, digits, '_' and '-'")
    nodes = self.nodes
    if (
      not isinstance(nodes, (tuple, list))
      or not nodes
      or not all(isinstance(node, str) for node in nodes)
    ):
      raise self._error('nodes', nodes, 'a list of names, such as ["actor_0"]')
    object.__setattr__(self, 'nodes', tuple(nodes))
    if not isinstance(self.address, str):
      raise self._error('address', self.address, 'text, such as "10.0.0.1"')
    if not isinstance(self.ports, Mapping) or not all(
      type(port) is int and 0 < port < 2**16 for port in self.ports.values()
    ):
      allowed = 'a table of node = port, each port from 1 to 65535'
      raise self._error('ports', self.ports, allowed)
    if twice := _duplicates(self.ports.values()):
      raise self._error('ports', dict(self.ports), f'unlike, not {twice} twice')

  def _error(self, field: str, value: Any, allowed: str) -> ValueError:
    return ValueError(
      f'{field} of host {self.name!r} is {value!r}: it must be {allowed}.'
    )


@dataclasses.dataclass(frozen=True)
class Placement:
  """Holds the hosts of a program, and the name of this one.

  Attributes:
    hosts: all of them.
    name: of the host that this process runs on.
  """

  hosts: tuple[Host, ...]
  name: str

  def __post_init__(self):
    """Raises ValueError: hosts contradict each other, or one is missing."""
    names = [host.name for host in self.hosts]
    nodes = [node for host in self.hosts for node in host.nodes]
    if _LEARNER not in nodes:
      raise ValueError(f"No host has {_LEARNER!r} among its 'nodes'.")
    checks.one_of('host', self.name, names)
    if twice := _duplicates([*names, *nodes]):
      raise ValueError(f'{twice} is there twice: it must be there once.')

  @property
  def here(self) -> Host:
    """Returns this host."""
    return next(host for host in self.hosts if host.name == self.name)

  @property
  def home(self) -> Host:
    """Returns the host that has the learner."""
    return next(host for host in self.hosts if _LEARNER in host.nodes)

  @property
  def is_home(self) -> bool:
    """Returns whether this host has the learner."""
    return self.here is self.home

  @property
  def learner_address(self) -> str:
    """Returns the learner's 'host:port'."""
    return f'{self.home.address}:{self.learner_port}'

  @property
  def learner_port(self) -> int:
    """Returns the port on which the learner listens."""
    return self.home.ports[_LEARNER]

  def place(self, graph: lp.Program) -> lp.Program:
    """Returns the part of a graph that this host runs, with fixed addresses.

    Raises:
      ValueError: the hosts do not fit the graph of supervised nodes.
    """
    self._check(graph.get_all_nodes())
    here, home = self.here, self.home
    local = lp.Program(graph.name)
    for label, nodes in graph.groups.items():
      for node in nodes:
        if node.name in home.ports:
          node.listen_at(f'{home.address}:{home.ports[node.name]}')
        if node.name in here.nodes:
          local.add_node(node, label)
          if not self.is_home:
            node.blame_secs = _BLAME_SECS
    return local

  def check_ports(self) -> None:
    """Raises OSError: a port of this host is in use."""
    for name, port in self.here.ports.items():
      # The libraries would share it with another program, and not say so.
      with contextlib.closing(socket.socket()) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
          trial.bind(('', port))
        except OSError as error:
          raise OSError(
            f'Port {port} of {name!r} cannot be had: {error}. Choose another '
            'one in the file of hosts, or end what listens there.'
          ) from error

  def _check(self, nodes: list[Any]) -> None:
    """Raises ValueError: the hosts do not fit the nodes of the graph."""
    names = [node.name for node in nodes]
    placed = [(name, host) for host in self.hosts for name in host.nodes]
    for name, host in placed:
      if name not in names:
        raise ValueError(
          f'Host {host.name!r} has a node {name!r}: this program has '
          f'{", ".join(names)}.'
        )
    if missing := [name for name in names if name not in dict(placed)]:
      raise ValueError(f'No host has {", ".join(missing)}: each needs one.')
    listening = [node.name for node in nodes if node.addresses]
    if not {*listening} <= {*self.home.nodes}:
      raise ValueError(
        f'{", ".join(listening)} must be on one host: every batch goes from '
        'the replay to the learner.'
      )
    for host in self.hosts:
      expected = listening if host is self.home else []
      if sorted(host.ports) != sorted(expected):
        raise ValueError(
          f'ports of host {host.name!r} are of {", ".join(host.ports) or "-"}: '
          f'they must be of its nodes that listen, {", ".join(expected) or "-"}'
          '.'
        )
    if not self.home.address:
      raise ValueError(
        f'Host {self.home.name!r} has no address: give the one at which the '
        'other hosts reach its learner.'
      )


def read_placement(path: str | os.PathLike[str], host: str) -> Placement | None:
  """Reads a file of hosts.

  Args:
    path: of the file, see above; '': there is none.
    host: the name of the one that this process runs on.

  Returns:
    The placement; None without a file: all nodes run here.

  Raises:
    OSError: the file cannot be read.
    ValueError: it is not TOML, or says what cannot be.
  """
  if not path:
    if host:
      raise ValueError(f'host is {host!r}, but there is no file of hosts.')
    return None
  try:
    content = tomli.loads(pathlib.Path(path).read_text(encoding='utf-8'))
    hosts = tuple(_read_host(name, table) for name, table in content.items())
    return Placement(hosts, host)
  except tomli.TOMLDecodeError as error:
    raise ValueError(f'{path} is not TOML: {error}.') from error
  except ValueError as error:
    raise ValueError(f'{path}: {error}') from error


def _read_host(name: str, table: Any) -> Host:
  fields = [field.name for field in dataclasses.fields(Host)][1:]
  if not isinstance(table, dict) or not {'nodes'} <= table.keys() <= {*fields}:
    raise ValueError(
      f'Host {name!r} is {table!r}: it must be a table, [{name}], with nodes, '
      f'and at most {", ".join(fields)}.'
    )
  return Host(name, **table)


def _duplicates(values: Iterable[Any]) -> str:
  """Returns the values that are there more than once, as text."""
  counts = collections.Counter(values)
  return ', '.join(repr(value) for value, n in counts.items() if n > 1)
