"""Joins single-agent learners to one, which trains agents independently."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import acme
from acme import types as acme_types

from influence_acme import types
from influence_acme.multiagent import variables

# Between two checks for samples.
_POLL_SECS = 0.002


def _always() -> bool:
  return True


class LearnerSet(acme.Learner):
  """Trains every agent with its own Acme learner.

  The learners share nothing and may be of different kinds. The set serves all
  their variables under prefixed names such as `agent_0/policy`; give an agent's
  actor an `AgentVariableSource` of it.

  The learners step one after the other. A learner without a ready sample is
  skipped if its dataset has `is_ready`, as those of this library's programs;
  else all wait for it, and each table must be able to take the steps that the
  slowest of the others needs for its batch. If a rate limiter makes the actors
  wait instead, both sides wait for each other for ever.
  """

  def __init__(
    self,
    learners: Mapping[types.AgentId, acme.Learner],
    variable_names: Mapping[types.AgentId, Sequence[str]],
    datasets: Mapping[types.AgentId, Any] | None = None,
    after_step: Callable[[], None] = lambda: None,
  ):
    """Initializes the set.

    Args:
      learners: every agent's learner by the agent's id.
      variable_names: by agent id, the names that the actors of that agent
        request. A learner of Acme does not list them: they are 'network' for
        IMPALA and PPO, 'actor_variables' for R2D2, 'policy' for SAC, TD3 and
        D4PG, and '' for DQN.
      datasets: by agent id, the iterator of a learner's samples. It may have
        `is_ready()`: True if `next` returns, or raises, at once.
      after_step: called after each step of the set.

    Raises:
      ValueError: the two are not of the same agents.
    """
    names = types.in_order(variable_names, tuple(learners), 'variable_names')
    for agent_id, own in names.items():
      variables.check_requested(agent_id, own)
    self._learners = dict(learners)
    self._is_ready = {
      agent_id: getattr((datasets or {}).get(agent_id), 'is_ready', _always)
      for agent_id in learners
    }
    self._after_step = after_step
    self._variables = {
      variables.prefixed(agent_id, name): (agent_id, name)
      for agent_id in learners
      for name in names[agent_id]
    }

  def step(self) -> None:
    """Steps every learner that has a ready sample.

    It goes in the given order; if no learner has one, it waits.
    """
    while not (ready := [k for k, is_ in self._is_ready.items() if is_()]):
      time.sleep(_POLL_SECS)
    for agent_id in ready:
      self._learners[agent_id].step()
    self._after_step()

  def get_variables(self, names: Sequence[str]) -> list[acme_types.NestedArray]:
    """Returns variables of several agents by prefixed names, `agent_0/policy`.

    Raises:
      ValueError: a name does not exist; the message lists those that do.
    """
    variables.check_names(names, self._variables)
    result = []
    for name in names:
      agent_id, own_name = self._variables[name]
      # One by one: some learners return one value for any number of names.
      result += self._learners[agent_id].get_variables([own_name])
    return result

  def save(self) -> dict[types.AgentId, Any]:
    """Returns every learner's state by the agent's id."""
    return {
      agent_id: learner.save() for agent_id, learner in self._learners.items()
    }

  def restore(self, state: Mapping[types.AgentId, Any]) -> None:
    """Restores every learner from a state of `save`.

    Raises:
      ValueError: the state is of other agents; no learner has changed.
    """
    own = types.in_order(state, tuple(self._learners), 'state')
    for agent_id, learner in self._learners.items():
      learner.restore(own[agent_id])
