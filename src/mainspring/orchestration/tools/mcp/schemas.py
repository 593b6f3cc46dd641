"""The wire shapes of MCP servers."""

from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from mainspring.foundation.ids import show_id
from mainspring.orchestration.tools.types import Effects

from .types import (
    DEFAULT_HEADER,
    SERVER_PREFIX,
    NewServer,
    ServerChange,
    ServerTool,
    ServerView,
    ToolState,
    Transport,
)

_Seconds = Annotated[float, Field(gt=0, le=300)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class NewServerRequest(_Request):
    """A server to register."""

    name: Annotated[str, Field(max_length=100, description="its tools are called `<name>__<tool>`")]
    address: Annotated[
        str, Field(max_length=2_000, description="URL of its streamable HTTP endpoint; with stdio the operator's name")
    ]
    transport: Transport = Transport.HTTP
    secret: Annotated[str | None, Field(max_length=100, description="name of the tool secret to send")] = None
    header: Annotated[str, Field(max_length=100, description="that carries the secret")] = DEFAULT_HEADER
    timeout_seconds: _Seconds = 30


class ChangeServerRequest(_Request):
    """What to change; another address, secret or header takes the approval away."""

    address: Annotated[str | None, Field(max_length=2_000)] = None
    secret: Annotated[str | None, Field(max_length=100)] = None
    header: Annotated[str | None, Field(max_length=100)] = None
    timeout_seconds: _Seconds | None = None


class ApproveServerRequest(_Request):
    """A yes to all that the server offers."""

    digest: Annotated[str, Field(max_length=100, description="of the server as it was looked at")]
    effects: Annotated[
        dict[str, Effects], Field(max_length=200, description="by tool; `writes` where nobody has said otherwise")
    ] = {}


class ServerToolShape(BaseModel):
    """A tool of a server, in the server's own words."""

    name: str
    shown_as: str
    state: ToolState
    effects: Effects
    description: str
    parameters: dict[str, Any]
    hints: Annotated[dict[str, Any], Field(description="what the server claims of the tool; nothing relies on it")]
    digest: str
    seen_at: datetime


class ServerShape(BaseModel):
    """A server with its tools as they were last seen; only tools in the state `approved` are used."""

    id: str
    name: str
    transport: Transport
    address: str
    secret: str | None
    header: str
    timeout_seconds: float
    listed_at: datetime | None
    trouble: str | None
    created_at: datetime
    created_by: str
    approved_at: datetime | None
    approved_by: str | None
    digest: str
    tools: list[ServerToolShape]


class ServerList(BaseModel):
    """Every server by name."""

    items: list[ServerShape]


def read_new(shape: NewServerRequest) -> NewServer:
    """A server as it was sent."""
    return NewServer(
        shape.name,
        shape.address,
        shape.transport,
        shape.secret,
        shape.header,
        timedelta(seconds=shape.timeout_seconds),
    )


def read_change(shape: ChangeServerRequest) -> ServerChange:
    """A change as it was sent."""
    seconds = shape.timeout_seconds
    timeout = None if seconds is None else timedelta(seconds=seconds)
    return ServerChange(shape.address, shape.secret, shape.header, timeout)


def server_shape(view: ServerView) -> ServerShape:
    """A server as it is shown."""
    server = view.server
    return ServerShape(
        id=show_id(SERVER_PREFIX, server.id),
        name=server.name,
        transport=server.transport,
        address=server.address,
        secret=server.secret,
        header=server.header,
        timeout_seconds=server.timeout.total_seconds(),
        listed_at=server.listed_at,
        trouble=server.trouble,
        created_at=server.created_at,
        created_by=server.created_by,
        approved_at=server.approved_at,
        approved_by=server.approved_by,
        digest=view.digest,
        tools=[_tool(each) for each in view.tools],
    )


def _tool(tool: ServerTool) -> ServerToolShape:
    return ServerToolShape(
        name=tool.offered.name,
        shown_as=tool.shown_as,
        state=tool.state,
        effects=tool.effects,
        description=tool.offered.description,
        parameters=dict(tool.offered.input_schema),
        hints=dict(tool.offered.hints),
        digest=tool.offered.digest,
        seen_at=tool.seen_at,
    )
