"""The record of each call, kept by the gateway itself so that nobody can forget it.

A recording is opened before a provider is asked and closed exactly once, with what was seen until
then: the closing is a plain write to the spool, so that a cancelled task can still do it.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import msgspec

from mainspring.foundation.db import Database, DatabaseGone
from mainspring.foundation.errors import Unavailable
from mainspring.foundation.ids import TenantId
from mainspring.foundation.telemetry import get_logger

from .draft import Draft
from .providers.wire import to_json
from .shipper import SettleOrphan, Shipper
from .spool import Entry, Segment, Spend
from .types import RecordStatus

log = get_logger(__name__)

MAX_PAYLOAD_BYTES = 8 * 1024 * 1024
_EPOCH = datetime.fromtimestamp(0, UTC).toordinal()

Seal = Callable[[UUID, bytes], bytes]
"""Encrypts what was said in a call."""

Sealer = Callable[[TenantId], Seal]
"""The seal of a tenant, as its key is when a call begins: it holds until the call ends. Raises Unavailable."""

Scopes = tuple[tuple[str, str], ...]
"""What a call counts for: pairs of a limit's scope and its value."""


class Books(msgspec.Struct, frozen=True):
    """Where a call is booked: scopes of the limits, the day (a date's ordinal; 0 is the day it began), what is held."""

    scopes: Scopes = ()
    day: int = 0
    hold: bytes | None = None


NO_BOOKS = Books()


@dataclass(slots=True)
class Recording:
    """One call in progress; it closes once."""

    draft: Draft
    segment: Segment
    shipper: Shipper
    books: Books
    day: int
    sealed_input: bytes | None
    seal: Seal | None
    began: float
    is_open: bool = True

    def close(self, status: RecordStatus, error_code: str | None, output: bytes | None, dialect: str | None) -> None:
        """Make the record durable on this machine; later calls change nothing. Raises OSError."""
        if not self.is_open:
            return
        self.is_open = False
        try:
            self.segment.close(self._entry(status, error_code, output, dialect), self.sealed_input)
        except BaseException:  # whatever it was: a call that nobody closes would keep its file for ever
            self.segment.lose()
            raise
        self.shipper.ring()

    def _entry(self, status: RecordStatus, error_code: str | None, output: bytes | None, dialect: str | None) -> Entry:
        draft = self.draft
        draft.status, draft.error_code = status, error_code
        draft.latency_ms = self.elapsed_ms()
        tokens = draft.usage.input_tokens + draft.usage.output_tokens
        cost = 0 if draft.own_key else draft.cost_micros or 0
        spend = Spend(self.day, cost, tokens, self.books.scopes)
        payload = None if output is None else _payload(self.seal, draft, output)
        hold = self.books.hold
        return Entry(True, draft.key, draft.context.tenant.bytes, draft.line(), payload, dialect, spend, hold)

    async def commit(self) -> None:
        """Wait until the closed record is in Postgres; Unavailable when it cannot be committed now."""
        await self.shipper.committed(self.draft.key)

    def elapsed_ms(self) -> int:
        """Milliseconds since the call began."""
        return round((time.monotonic() - self.began) * 1000)


@dataclass(frozen=True, slots=True)
class Recorder:
    """Opens recordings."""

    shipper: Shipper
    sealer: Sealer | None = None

    @classmethod
    def open_in(
        cls,
        data_dir: Path,
        database: Database,
        *,
        settle_orphan: SettleOrphan | None = None,
        sealer: Sealer | None = None,
    ) -> "Recorder":
        """A recorder with its spool in `data_dir/spool`."""
        return cls(Shipper(data_dir / "spool", database, settle_orphan), sealer)

    async def check(self) -> None:
        """Raises Unavailable while records cannot be committed."""
        try:
            async with asyncio.timeout(1):
                await self.shipper.ping()
        except (TimeoutError, *DatabaseGone):
            raise Unavailable("No model is called while its record cannot be committed; try again shortly.") from None

    def start(self) -> None:
        """Begin to ship, also what dead processes left."""
        self.shipper.start()

    async def close(self) -> None:
        """Ship what is there and stop."""
        await self.shipper.close()

    def record(
        self,
        draft: Draft,
        *,
        payload: bytes | None = None,
        dialect: str | None = None,
        assumed: tuple[int, int | None] = (0, None),
        books: Books = NO_BOOKS,
    ) -> Recording:
        """Write the opening: what is known, and what is assumed to be spent should the process die.

        assumed  tokens and micros of the input, by an estimate
        raises   Unavailable, before anything is spent, when the spool cannot be written
        """
        day = books.day or int(draft.at // 86400) + _EPOCH
        tokens, cost = assumed
        spend = Spend(day, cost or 0, tokens, books.scopes)
        seal = self.sealer(draft.context.tenant) if self.sealer else None
        sealed = None if payload is None else _payload(seal, draft, payload)
        line = draft.died_line(tokens, cost)
        entry = Entry(False, draft.key, draft.context.tenant.bytes, line, sealed, dialect, spend, books.hold)
        try:
            segment = self.shipper.segment()
            segment.open(entry)
        except OSError as failure:
            raise Unavailable(
                f"Model calls cannot be recorded ({failure.strerror}): check the data folder's disk and rights."
            ) from failure
        return Recording(draft, segment, self.shipper, books, day, sealed, seal, time.monotonic())


def _payload(seal: Seal | None, draft: Draft, content: bytes) -> bytes:
    if len(content) > MAX_PAYLOAD_BYTES:
        content = to_json({"omitted": "too large", "bytes": len(content), "limit": MAX_PAYLOAD_BYTES})
    return seal(draft.id, content) if seal else content
