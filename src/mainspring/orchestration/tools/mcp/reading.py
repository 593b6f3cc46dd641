"""Servers and tools from their rows, and the names under which models know the tools."""

import re
from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256

import msgspec

from mainspring.foundation.db import Row
from mainspring.orchestration.tools.types import Effects

from .types import Offered, Server, ServerTool, ServerView, ToolState, Transport

_MOST_NAME = 64
_UNFIT = re.compile(r"[^a-zA-Z0-9_-]")


def shown_as(server: str, tool: str) -> str:
    """`<server>__<tool>` in letters that every model provider takes; a name that had to be changed gets a digest."""
    whole = f"{server}__{tool}"
    fit = _UNFIT.sub("_", whole)
    if fit == whole and len(whole) <= _MOST_NAME:
        return whole
    return f"{fit[: _MOST_NAME - 9]}-{sha256(tool.encode()).hexdigest()[:8]}"


def read_server(row: Row) -> Server:
    """A server from its row."""
    return Server(
        id=row["id"],
        name=row["name"],
        transport=Transport(row["transport"]),
        address=row["address"],
        secret=row["secret"],
        header=row["header"],
        timeout=timedelta(seconds=row["timeout_seconds"]),
        listed_at=row["listed_at"],
        trouble=row["trouble"],
        created_at=row["created_at"],
        created_by=row["created_by"],
        approved_at=row["approved_at"],
        approved_by=row["approved_by"],
    )


def read_tool(row: Row) -> ServerTool:
    """A tool from its row."""
    offered = Offered(row["name"], row["description"], row["input_schema"], row["hints"], row["digest"])
    return ServerTool(offered, row["shown_as"], _state(row), Effects(row["effects"]), row["seen_at"])


def view(server: Server, tools: Sequence[ServerTool]) -> ServerView:
    """A server with its tools, and the digest of all that it offers now."""
    present = sorted((each.offered.name, each.offered.digest) for each in tools if each.state is not ToolState.GONE)
    told = [server.address, server.transport, present]
    return ServerView(server, tools, sha256(msgspec.json.encode(told)).hexdigest())


def _state(row: Row) -> ToolState:
    if row["is_gone"]:
        return ToolState.GONE
    if row["approved_digest"] is None:
        return ToolState.NEW
    return ToolState.APPROVED if row["approved_digest"] == row["digest"] else ToolState.CHANGED
