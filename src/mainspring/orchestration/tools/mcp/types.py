"""The words of MCP servers: who they are, what they offer, and what of it was approved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from mainspring.orchestration.tools.types import Effects

SERVER_PREFIX = "mcps"

DEFAULT_HEADER = "Authorization"


class Transport(StrEnum):
    """How a server is reached: HTTP at an address of the tenant's, STDIO as a program that the operator configured."""

    HTTP = "http"
    STDIO = "stdio"


class ToolState(StrEnum):
    """Whether a server's tool may be used; only APPROVED may.

    NEW       it was not there, or nobody has looked, when the server was approved
    CHANGED   its name, description, schema or hints are not those that were approved
    GONE      the server does not offer it any more
    """

    APPROVED = "approved"
    NEW = "new"
    CHANGED = "changed"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class NewServer:
    """A server to be registered.

    name     1 to 31 of a-z, 0-9 and -; its tools are called `<name>__<tool>`
    address  URL of the streamable HTTP endpoint, or with STDIO the operator's name of the program
    secret   name of the tool secret that is sent in `header`, after `Bearer ` where that is Authorization
    """

    name: str
    address: str
    transport: Transport = Transport.HTTP
    secret: str | None = None
    header: str = DEFAULT_HEADER
    timeout: timedelta = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class ServerChange:
    """What to change of a server; None leaves it. Another address, secret or header takes its approval away."""

    address: str | None = None
    secret: str | None = None
    header: str | None = None
    timeout: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Server:
    """A registered server as it is reached."""

    id: UUID
    name: str
    transport: Transport
    address: str
    secret: str | None
    header: str
    timeout: timedelta
    listed_at: datetime | None
    trouble: str | None
    created_at: datetime
    created_by: str
    approved_at: datetime | None
    approved_by: str | None


@dataclass(frozen=True, slots=True)
class Offered:
    """A tool as its server tells of it: all of it the server's own words."""

    name: str
    description: str
    input_schema: Mapping[str, Any]
    hints: Mapping[str, Any]
    digest: str


@dataclass(frozen=True, slots=True)
class ServerTool:
    """A tool that was seen at a server."""

    offered: Offered
    shown_as: str
    state: ToolState
    effects: Effects
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class ServerView:
    """A server with its tools; `digest` names all that it offers now, for whoever approves it."""

    server: Server
    tools: Sequence[ServerTool]
    digest: str


@dataclass(frozen=True, slots=True)
class Program:
    """A server that the operator lets run on the platform's own machines, for each call anew.

    environment  beside a few variables such as PATH and HOME; nothing else of the process's own is passed on
    """

    command: str
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    folder: str | None = None


@dataclass(frozen=True, slots=True)
class McpLimits:
    """What a server may cost.

    max_answer_bytes  of one HTTP answer, or one event of a stream
    fresh_for         how long a list of tools is taken for the present one
    patience          how long a list of all tools waits for servers whose own list is older
    """

    max_answer_bytes: int = 4_000_000
    max_tools: int = 128
    max_description_characters: int = 4_000
    max_schema_bytes: int = 32_000
    fresh_for: timedelta = timedelta(seconds=60)
    patience: timedelta = timedelta(seconds=2)
