"""Valkey as a `ByteStore`, through either of the platform's two clients."""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, Protocol, cast

from mainspring.foundation.valkey import Valkey


class Wire(Protocol):
    """What is needed of `foundation.valkey_wire.ValkeyWire`."""

    def call(self, *arguments: bytes) -> Awaitable[Any]:
        """Send a command."""
        ...


@dataclass(frozen=True, slots=True)
class WireStore:
    """Over the pipelined client of the data plane."""

    wire: Wire

    async def read(self, *keys: bytes) -> list[bytes | None]:
        """The values, in order."""
        return cast("list[bytes | None]", await self.wire.call(b"MGET", *keys))

    async def write(self, key: bytes, value: bytes, *, ttl_seconds: int) -> None:
        """Keep a value for so long."""
        await self.wire.call(b"SET", key, value, b"EX", b"%d" % ttl_seconds)


@dataclass(frozen=True, slots=True)
class ValkeyStore:
    """Over the ordinary client, for workers and the control plane."""

    valkey: Valkey

    async def read(self, *keys: bytes) -> list[bytes | None]:
        """The values, in order."""
        return cast("list[bytes | None]", await self.valkey.mget(*keys))  # pyright: ignore[reportUnknownMemberType, reportGeneralTypeIssues] - untyped in the client

    async def write(self, key: bytes, value: bytes, *, ttl_seconds: int) -> None:
        """Keep a value for so long."""
        await self.valkey.set(key, value, ex=ttl_seconds)
