"""A provider that misbehaves on demand: a scripted upstream for tests, in process or as a process of its own.

    async with Upstream(label="eu") as upstream:
        upstream.script(Reply(text="hi"), Fault.RESET, Reply(text="hi again"))
        ...point a client at upstream.url, then look at upstream.requests

It speaks OpenAI chat completions, Responses and embeddings, and Anthropic messages, streamed and
not. The script is followed in order; after it, `fail_share` of the calls fail by a seeded chance;
the rest get `default`. What goes over the wire is computed before it is sent, as a list of steps
(`steps`), so that each fault is a small pure function (`faults`).
"""

from .script import Fault, Received, Reply, Tokens, ToolCall
from .server import Upstream

__all__ = ["Fault", "Received", "Reply", "Tokens", "ToolCall", "Upstream"]
