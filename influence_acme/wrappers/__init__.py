"""Wraps multi-agent dm_envs: others' actions, messages, one agent's view.

Apply them in this order, each only if it is needed:

```
environment = environments.make('cleanup', num_agents=5)
environment = OthersActionsWrapper(environment)  # + 'actions', 'visible'
environment = MessageChannelWrapper(environment, num_symbols=9)  # + 'messages'
environment = SingleAgentView(environment, 'agent_0', policies)
```
"""

from influence_acme.wrappers.message_channel import MessageChannelWrapper
from influence_acme.wrappers.others_actions import OthersActionsWrapper
from influence_acme.wrappers.single_agent import SingleAgentView

__all__ = ('MessageChannelWrapper', 'OthersActionsWrapper', 'SingleAgentView')
