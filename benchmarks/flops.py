"""Floating-point operations of an environment step, by the network's sizes.

What is counted: matrix products, an addition and a multiplication as two. A
product with one-hot actions picks rows and counts nothing, and what can be
shared is counted once: it is what the task needs, however it is computed. The
elementwise rest, a few percent, is left out. So is the environment.

One agent, N agents, A actions, H units of an LSTM:

    conv   3x3x3 -> 6 on 13 x 13 places        2 * 169 * 27 * 6      =  54,756
    dense  1014 -> 32 -> 32                    2 * (1014 + 32) * 32  =  66,944
    lstm   32 and H -> 4 H                     2 * (32 + H) * 4 H    = 163,840
    head   H -> A and 1                        2 * H * (A + 1)       =   2,560
    others H -> (N - 1) A                      2 * H * (N - 1) * A   =   9,216

    to act     conv + 2 dense + 2 lstm + head + A others             = 601,828
    to learn   f = conv + 2 dense + 2 lstm + head + others, forward  = 528,100
               backward 2 f - conv: all but the gradient of the pixels

for N = 5, A = 9, H = 128. A model of others that is asked about A own actions
has the LSTM's products in common, and A heads. N agents do N times that: 3.01
million to act. A sequence of T steps has T + 1 rows to learn from: with T = 20
another 8.03 million a step.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Sizes:
  """The sizes of one agent's network.

  Attributes:
    num_agents: N.
    num_actions: A.
    view: rows, and columns, of what an agent sees.
    pixel_channels: of the view.
    kernel: rows, and columns, of the convolution.
    channels: of the convolution.
    dense: units of both fully connected layers.
    hidden: H, units of both LSTMs.
  """

  num_agents: int = 5
  num_actions: int = 9
  view: int = 15
  pixel_channels: int = 3
  kernel: int = 3
  channels: int = 6
  dense: int = 32
  hidden: int = 128

  @property
  def places(self) -> int:
    """Where the kernel fits into the view."""
    return (self.view - self.kernel + 1) ** 2

  @property
  def conv(self) -> int:
    """Operations of the convolution."""
    weights = self.kernel**2 * self.pixel_channels * self.channels
    return 2 * self.places * weights

  @property
  def fully_connected(self) -> int:
    """Operations of one pair of fully connected layers."""
    return 2 * (self.places * self.channels + self.dense) * self.dense

  @property
  def lstm(self) -> int:
    """Operations of one LSTM."""
    return 2 * (self.dense + self.hidden) * 4 * self.hidden

  @property
  def head(self) -> int:
    """Operations of policy and value."""
    return 2 * self.hidden * (self.num_actions + 1)

  @property
  def others(self) -> int:
    """Operations of one prediction of what the others do next."""
    return 2 * self.hidden * (self.num_agents - 1) * self.num_actions


def acting(sizes: Sizes) -> int:
  """Returns the operations by which all agents act in an environment step."""
  return sizes.num_agents * (_trunk(sizes) + sizes.num_actions * sizes.others)


def learning(sizes: Sizes, unroll_length: int) -> float:
  """Returns the operations by which all agents learn from an environment step.

  Args:
    sizes: of each agent.
    unroll_length: T; each T steps a row more is computed, which bootstraps.

  Returns:
    Forward and backward.
  """
  forward = _trunk(sizes) + sizes.others
  row = 3 * forward - sizes.conv
  return sizes.num_agents * row * (unroll_length + 1) / unroll_length


def _trunk(sizes: Sizes) -> int:
  """Returns what is the same in both, for one agent."""
  return sizes.conv + 2 * sizes.fully_connected + 2 * sizes.lstm + sizes.head
