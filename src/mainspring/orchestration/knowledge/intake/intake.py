"""`Intake`: documents that a person or a program hands in, under names that others may have used before.

Who may add documents could otherwise take one over: replace bytes they cannot read, or open a document to
themselves by naming other readers with its next revision. What a source fetches by itself is not handed in.

A program, which is whoever comes with an API key, keeps the documents of a `push` source up to date without being
one of their readers, as it brought them: it may replace and remove them, but not change who reads them.
"""

from mainspring.foundation.db import Row
from mainspring.foundation.errors import InvalidInput, NotFound
from mainspring.foundation.principal import Principal, PrincipalKind
from mainspring.orchestration.knowledge.documents import NewDocument
from mainspring.orchestration.knowledge.documents.types import UPLOADS
from mainspring.orchestration.knowledge.errors import DocumentClosed
from mainspring.orchestration.knowledge.homes import Homes
from mainspring.orchestration.knowledge.ingestion import Ingestion, Submission
from mainspring.orchestration.knowledge.sources import Sources

from . import store

EDIT, MANAGE = "knowledge.edit", "knowledge.manage"


class Intake:
    """Takes documents in for a caller; needs `knowledge.edit`."""

    def __init__(self, homes: Homes, ingestion: Ingestion, sources: Sources) -> None:
        self._homes = homes
        self._ingestion = ingestion
        self._sources = sources

    async def add(self, principal: Principal, new: NewDocument) -> Submission:
        """As `Ingestion.add` for uploads and `Sources.push` for any other source, once the caller may do it.

        raises  what those raise; DocumentClosed (403) when the name belongs to a document that the caller does not
                read, or whose readers they may not change
        """
        principal.require(EDIT)
        if new.external_id is not None:
            await self._check_name(principal, new, new.external_id)
        if new.source == UPLOADS:
            return await self._ingestion.add(principal, new)
        if new.external_id is None:
            raise InvalidInput("external_id is missing: a document of a source is put under its name there.")
        return await self._sources.push(principal, new.source, new)

    async def remove(self, principal: Principal, source: str, external_id: str) -> None:
        """Delete what a source knows under this name; NotFound, also for a document that is closed to the caller.

        raises  NotFound; for a program also SourceBusy, for a source that is not pushed to
        """
        principal.require(EDIT)
        row = await self._find(principal, source, external_id)
        if row is None:
            raise NotFound(f"There is no document {external_id[:80]!r} in the source {source[:60]!r}.")
        if source != UPLOADS and _is_program(principal):
            await self._sources.withdraw(principal, source, external_id)
        else:
            await self._ingestion.delete(principal, row["id"])

    async def _find(self, principal: Principal, source: str, external_id: str) -> Row | None:
        async with self._homes.reading(principal.tenant) as transaction:
            return await store.find_named(transaction, source, external_id)

    async def _check_name(self, principal: Principal, new: NewDocument, external_id: str) -> None:
        if MANAGE in principal.permissions:
            return
        row = await self._find(principal, new.source, external_id)
        if row is None:
            return
        known = row["readers"]
        may_replace = known is None or not principal.subjects.isdisjoint(known)
        if not may_replace and (new.source == UPLOADS or not _is_program(principal)):
            raise DocumentClosed(
                f"{external_id[:80]!r} names a document in {new.source!r} that is closed to {principal.name}; "
                "choose another external_id, or ask who manages knowledge."
            )
        if new.readers is not None and set(new.readers) != set(known or ()):
            raise DocumentClosed(
                f"{external_id[:80]!r} is there already, and {principal.name} may not change who reads it; leave "
                "`readers` out, or ask for 'knowledge.manage'."
            )


def _is_program(principal: Principal) -> bool:
    return principal.kind is PrincipalKind.API_KEY
