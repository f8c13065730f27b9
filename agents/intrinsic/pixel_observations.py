"""Gives stock networks, which take an array of floats, 'world' alone."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import chex
import jax.numpy as jnp
import numpy as np
from acme import specs


def on_world(
  network_factory: Callable[[specs.EnvironmentSpec], Any],
) -> Callable[[specs.EnvironmentSpec], Any]:
  """Adapts a network factory for arrays to observations with 'world'.

  Networks get pixels as Acme's Atari wrapper gives them, float32 in [0, 1], or
  vectors as they are, and no other entry of an observation. For example
  `on_world(ppo.make_atari_networks)`.

  Args:
    network_factory: takes an environment's spec, and returns networks of Acme:
      a dataclass of functions, or of such dataclasses.

  Returns:
    A factory that takes the spec of an environment with dicts as observations,
    which have 'world'.
  """

  def make_networks(environment_spec: specs.EnvironmentSpec) -> Any:
    world_spec = environment_spec.observations['world']
    if world_spec.dtype == np.uint8:
      world_spec = specs.BoundedArray(
        world_spec.shape, np.float32, 0.0, 1.0, name='world'
      )
    return _on_world(
      network_factory(environment_spec._replace(observations=world_spec)),
      frozenset(environment_spec.observations),
    )

  return make_networks


def _on_world(networks: Any, keys: frozenset[str]) -> Any:
  """Adapts all functions in a dataclass of networks.

  Args:
    networks: a dataclass or a function; anything else is not changed.
    keys: of an observation, to tell it from parameters.
  """
  if dataclasses.is_dataclass(networks) and not isinstance(networks, type):
    changed = {
      field.name: _on_world(getattr(networks, field.name), keys)
      for field in dataclasses.fields(networks)
    }
    return dataclasses.replace(networks, **changed)
  if not callable(networks):
    return networks

  def call(*args: Any, **kwargs: Any) -> Any:
    args = tuple(_world(arg, keys) for arg in args)
    kwargs = {name: _world(arg, keys) for name, arg in kwargs.items()}
    return networks(*args, **kwargs)

  return call


def _world(arg: Any, keys: frozenset[str]) -> Any:
  """Returns 'world' of an observation, and anything else as it is."""
  if not isinstance(arg, Mapping) or frozenset(arg) != keys:
    return arg
  world: chex.Array = arg['world']
  if world.dtype == jnp.uint8:
    return jnp.asarray(world, jnp.float32) / 255
  return world
