"""Makes the networks of the influence agent from an environment's specs."""

from typing import Any

from influence_acme import networks as networks_lib
from influence_acme.system import config as config_lib
from influence_acme.system import networks as system_networks

_PAPER = config_lib.InfluenceConfig()


def make_networks(
  environment_spec: Any,
  config: config_lib.InfluenceConfig = _PAPER,
  torso: networks_lib.Torso | None = None,
) -> system_networks.InfluenceNetworks:
  """Makes the paper's networks for every agent of an environment.

  Args:
    environment_spec: `acme.specs.EnvironmentSpec` of a multi-agent environment,
      see `system.networks.from_spec`.
    config: of the agent; gives the variant, and the sizes.
    torso: returns the Haiku module that maps an observation's 'world', [B,
      ...], to features, float32 [B, F]; None: the paper's convolution for
      pixels, uint8 [H, W, C], and no module for vectors, float32 [D].

  Returns:
    The population's networks.

  Raises:
    ValueError: environment and configuration do not fit together.
  """
  return system_networks.from_spec(environment_spec, config, torso)
