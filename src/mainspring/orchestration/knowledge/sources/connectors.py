"""Connectors: sources of other packages, found as entry points in the group `mainspring.connectors`.

    [project.entry-points."mainspring.connectors"]
    tickets = "our_package.tickets:connector"

The entry point names a `Connector`. It is code that the operator installed, and trusted as such; that it may fail
is expected: whatever it raises becomes an error of the source, and a hanging fetch is left after two minutes.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Protocol, cast

from mainspring.foundation.errors import MainspringError
from mainspring.foundation.telemetry import get_logger
from mainspring.orchestration.knowledge.errors import ConnectorFailed, InvalidSource

from .items import EndOfListing, Fetch, Fetched, Item, Listing, Removed, Told

log = get_logger(__name__)

GROUP = "mainspring.connectors"
_FETCH_SECONDS = 120.0

FindConnectors = Callable[[], Mapping[str, EntryPoint]]


class Connector(Protocol):
    """Reads a source for a tenant.

    Each call is for one tenant; keep nothing between calls.
    """

    def check(self, options: Mapping[str, object]) -> None:
        """Raise ValueError, in words for the tenant, when the options cannot be used."""
        ...

    def items(
        self, options: Mapping[str, object], secret: str | None, cursor: Mapping[str, str] | None
    ) -> AsyncIterator[Told]:
        """Every item in any order, then an `EndOfListing`; without one, nothing is taken to be gone.

        cursor  of the last listing whose items were all stored; None the first time
        """
        ...


def installed() -> Mapping[str, EntryPoint]:
    """The connectors of this environment, by name."""
    return {each.name: each for each in entry_points(group=GROUP)}


class Connectors:
    """The connectors that tenants may use."""

    def __init__(self, find: FindConnectors = installed) -> None:
        self._find = find

    def names(self) -> tuple[str, ...]:
        """What is installed, sorted."""
        return tuple(sorted(self._find()))

    def check(self, name: str, options: Mapping[str, object]) -> None:
        """InvalidSource unless there is such a connector and it takes these options; ConnectorFailed."""
        if name not in self._find():
            known = ", ".join(self.names()) or "none"
            raise InvalidSource(f"There is no connector {name[:60]!r}; installed are: {known}.")
        connector = self._load(name)
        try:
            connector.check(options)
        except ValueError as wrong:
            raise InvalidSource(f"The connector {name!r} does not take these options: {str(wrong)[:500]}") from None
        except Exception as failure:
            raise _failed(name, failure) from failure

    async def items(
        self, name: str, options: Mapping[str, object], secret: str | None, cursor: Mapping[str, str] | None
    ) -> Listing:
        """What the connector tells, item by item; ConnectorFailed whatever it raises."""
        connector = self._load(name)
        try:
            async for told in connector.items(options, secret, cursor):
                match told:
                    case Item():
                        yield _bounded(name, told)
                    case Removed() | EndOfListing():
                        yield told
        except MainspringError:
            raise
        except Exception as failure:
            raise _failed(name, failure) from failure

    def _load(self, name: str) -> Connector:
        try:
            return cast(Connector, self._find()[name].load())
        except Exception as failure:
            raise _failed(name, failure) from failure


def _bounded(name: str, item: Item) -> Item:
    """The item with a fetch that ends in time, and fails in words of ours."""
    fetch: Fetch = item.fetch

    async def fetch_bounded(known: str | None) -> Fetched:
        try:
            async with asyncio.timeout(_FETCH_SECONDS):
                return await fetch(known)
        except MainspringError:
            raise
        except Exception as failure:
            raise _failed(name, failure) from failure

    return Item(
        item.external_id,
        item.name,
        fetch_bounded,
        version=item.version,
        readers=item.readers,
        uri=item.uri,
        metadata=item.metadata,
        document_type=item.document_type,
    )


def _failed(name: str, failure: Exception) -> ConnectorFailed:
    """For the tenant the kind of failure; its words, which may hold anything, are for the log."""
    log.warning("connector_failed", connector=name, error=type(failure).__name__, exc_info=failure)
    return ConnectorFailed(f"The connector {name[:60]!r} failed ({type(failure).__name__}).")
