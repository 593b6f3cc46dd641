"""What is sent: nine loads over one short conversation, some with 64 KB of earlier turns."""

import json
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Scenario:
    """One load.

    is_slow        the mock waits 60 ms before its first byte and 10 ms between chunks; else it answers at once
    seconds        how long it is measured at scale 1
    rate           requests per second on a fixed schedule; 0: each connection sends as soon as it has its answer
    history_bytes  size of the earlier turns
    """

    name: str
    connections: int
    seconds: float
    is_slow: bool = False
    rate: int = 0
    is_streamed: bool = False
    history_bytes: int = 0

    def lasting(self, seconds: float) -> "Scenario":
        """The same for another time."""
        return replace(self, seconds=seconds)


SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario("ns_c1", 1, 5),
        Scenario("ns_c64", 64, 6),
        Scenario("ns_c256", 256, 6),
        Scenario("ns_slow64", 64, 6, is_slow=True),
        Scenario("ns_rate100", 512, 8, is_slow=True, rate=100),
        Scenario("big_c16", 16, 6, history_bytes=64_000),
        Scenario("st_c1", 1, 4, is_streamed=True),
        Scenario("st_c64", 64, 6, is_streamed=True),
        Scenario("st_slow64", 64, 8, is_slow=True, is_streamed=True),
    )
}

_RULES = (
    "You are a support assistant for an online shop. Answer briefly, politely and only from the context. "
    "If the answer is not in the context say so. "
)
_ORDERS = " ".join(f"Order {1000 + day} was shipped on day {day} by standard mail." for day in range(12))
_COMPLAINT = "The parcel had not arrived when I looked this morning. " * 18
_EXCUSE = "I am sorry about that, let me look at it for you now. " * 18


def request_body(scenario: Scenario, model: str) -> bytes:
    """A chat completion's body: about 1.2 KB and the history."""
    turns = list(_history(scenario.history_bytes))
    question = {"role": "user", "content": "When was order 1007 shipped, and how?"}
    messages = [{"role": "system", "content": _RULES + _ORDERS}, *turns, question]
    body: dict[str, Any] = {"model": model, "max_tokens": 256, "temperature": 0.2, "messages": messages}
    if scenario.is_streamed:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    return json.dumps(body).encode()


def _history(size: int) -> list[dict[str, str]]:
    turns: list[dict[str, str]] = []
    length = 0
    while length < size:
        number = len(turns) // 2
        pair = (f"Turn {number}. {_COMPLAINT}", f"Reply {number}. {_EXCUSE}")
        turns += [{"role": "user", "content": pair[0]}, {"role": "assistant", "content": pair[1]}]
        length += len(pair[0]) + len(pair[1])
    return turns
