"""`Setups`: read, save and try a tenant's setup.

Version 0 is the defaults. Versions are never changed, so an index can say which one it was made with; undo is
saving an old one again.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import msgspec

from mainspring.foundation.db import Row
from mainspring.foundation.errors import InvalidInput, NotFound
from mainspring.foundation.ids import TenantId
from mainspring.foundation.principal import Principal
from mainspring.orchestration.knowledge.chunking import cut
from mainspring.orchestration.knowledge.errors import SetupUnreadable, StaleSetup
from mainspring.orchestration.knowledge.homes import Homes
from mainspring.orchestration.knowledge.types import Chunk, ParsedDocument

from . import store
from .reading import DimensionsOf, check_setup, read_setup
from .setup import Setup

MAX_NOTE_CHARACTERS = 500
_HIGHEST_VERSION = 2**31 - 1


@dataclass(frozen=True, slots=True)
class StoredSetup:
    """One version of a tenant's setup.

    version      0 for the defaults, which nobody saved
    note         why it was saved, in the words of who did
    """

    version: int
    value: Setup
    note: str | None = None
    created_by: str = "Mainspring"
    created_at: datetime | None = None


class Setups:
    """The versions of each tenant's setup."""

    def __init__(self, homes: Homes, dimensions_of: DimensionsOf) -> None:
        self._homes = homes
        self._dimensions_of = dimensions_of

    def read(self, document: object) -> Setup:
        """The setup in decoded JSON, ready to be saved or previewed; InvalidSetup names all that is wrong with it."""
        return read_setup(document, self._dimensions_of)

    async def current(self, tenant: TenantId) -> StoredSetup:
        """The newest version; the defaults while nothing was saved."""
        async with self._homes.reading(tenant) as transaction:
            row = await store.find_newest(transaction)
        return _stored(row) if row else StoredSetup(0, Setup())

    async def get(self, tenant: TenantId, version: int) -> StoredSetup:
        """One version; NotFound when it was never saved."""
        if version == 0:
            return StoredSetup(0, Setup())
        row = None
        if 0 < version <= _HIGHEST_VERSION:
            async with self._homes.reading(tenant) as transaction:
                row = await store.find_version(transaction, version)
        if row is None:
            raise NotFound(f"There is no version {version} of the knowledge setup.")
        return _stored(row)

    async def list_versions(
        self, tenant: TenantId, *, before: int | None = None, limit: int = 50
    ) -> Sequence[StoredSetup]:
        """Versions newest first, those below `before`; the defaults come last."""
        upto = _HIGHEST_VERSION if before is None else max(0, min(before, _HIGHEST_VERSION))
        async with self._homes.reading(tenant) as transaction:
            rows = await store.list_versions(transaction, before=upto, limit=limit)
        saved = [_stored(row) for row in rows]
        return [*saved, StoredSetup(0, Setup())] if len(saved) < limit and upto > 0 else saved

    async def save(
        self, principal: Principal, value: Setup, *, base_version: int | None, note: str | None = None
    ) -> StoredSetup:
        """Store a new version; what is so already makes none.

        base_version  the version that `value` was made from; None to save whatever is there
        raises        InvalidSetup (422), StaleSetup (409) when a newer version was saved meanwhile
        """
        check_setup(value, self._dimensions_of)
        note = _checked_note(note)
        body = cast(dict[str, Any], msgspec.to_builtins(value))
        async with self._homes.writing(principal.tenant) as transaction:
            row = await store.find_newest(transaction)
            newest: int = row["version"] if row else 0
            if body == (row["body"] if row else msgspec.to_builtins(Setup())):
                return StoredSetup(0, value) if row is None else _stored(row)
            if base_version is not None and base_version != newest:
                raise _stale(newest)
            if not await store.add_version(transaction, newest + 1, body, note=note, created_by=principal.name):
                raise _stale(newest + 1)
        return await self.get(principal.tenant, newest + 1)

    async def preview(
        self, tenant: TenantId, document: ParsedDocument, document_type: str, value: Setup | None = None
    ) -> tuple[Chunk, ...]:
        """The chunks that a setup would make of a document, by default the tenant's; nothing is stored."""
        if value is None:
            value = (await self.current(tenant)).value
        else:
            check_setup(value, self._dimensions_of)
        return await asyncio.to_thread(cut, document, value.chunking_of(document_type))


def _stored(row: Row) -> StoredSetup:
    try:
        value = msgspec.convert(row["body"], Setup)
    except msgspec.ValidationError as invalid:
        raise SetupUnreadable(
            f"Version {row['version']} of the knowledge setup was saved by another release and cannot be read "
            f"({invalid}). Save a new one."
        ) from invalid
    return StoredSetup(row["version"], value, row["note"], row["created_by"], row["created_at"])


def _stale(version: int) -> StaleSetup:
    return StaleSetup(
        f"The knowledge setup is at version {version} by now: read it again, make your change there, and save."
    )


def _checked_note(note: str | None) -> str | None:
    note = note.strip() if note else ""
    if len(note) > MAX_NOTE_CHARACTERS:
        raise InvalidInput(f"note has {len(note):,} characters; the limit is {MAX_NOTE_CHARACTERS}.")
    if "\0" in note:
        raise InvalidInput("note holds a NUL character, which cannot be stored. Take it out.")
    return note or None
