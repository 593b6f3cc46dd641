"""Agents that go in circles: the same tool with the same arguments, asked again and again.

Counted over the messages of the thread since a person last spoke, so that the count survives a restart.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from .errors import AgentLoopDetected
from .types import Json

LOOP_LIMIT = 4
"""How often the same call may be made before the agent is stopped."""


def check_loop(messages: Sequence[BaseMessage], *, node: str, limit: int = LOOP_LIMIT) -> None:
    """Raise AgentLoopDetected when a call in the last message was made `limit` times before it.

    node  whose calls these are, for the error's words
    """
    counted: Counter[str] = Counter()
    last: list[tuple[str, str]] = []
    for message in messages:
        if isinstance(message, HumanMessage):
            counted.clear()
        if isinstance(message, AIMessage) and message.tool_calls:
            last = [(call["name"], call_key(call["name"], call["args"])) for call in message.tool_calls]
            counted.update({key for _, key in last})
    for name, key in last:
        if counted[key] > limit:
            raise AgentLoopDetected(
                f"{node} called {name} with the same arguments {counted[key]} times; at most {limit} are allowed. "
                "Change the instructions, or what the tool answers when there is nothing new."
            )


def call_key(name: str, arguments: Mapping[str, Json]) -> str:
    """A call as text, the same for the same arguments in any order."""
    return f"{name} {msgspec.json.encode(arguments, order='sorted').decode()}"
