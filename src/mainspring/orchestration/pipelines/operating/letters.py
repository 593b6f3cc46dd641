"""Dead letters: what failed for good, grouped by its cause, and what was decided about it.

A letter is replayed by retrying its run from the failed step; one new run takes over all open letters of the old one.
So a run is replayed once, however many of its items failed and however often that is asked for.
"""

from dataclasses import replace

from mainspring.foundation.db import Database, Row, SystemTransaction, TenantTransaction
from mainspring.foundation.errors import InvalidInput, NotFound
from mainspring.foundation.ids import TenantId, show_id
from mainspring.foundation.pagination import Page, PageRequest, cut_page, make_cursor
from mainspring.foundation.principal import Principal
from mainspring.orchestration.pipelines.types import Failure, RunId

from . import letters_store
from .errors import DeadLetterDecided
from .reading import read_item, read_payload, read_uuid
from .runs import RunDesk
from .types import (
    LETTER_PREFIX,
    MAX_REASON,
    MAX_SHOWN_BYTES,
    Letter,
    LetterFilter,
    LetterGroup,
    LetterId,
    LetterState,
)

MAX_GROUPED = 50_000
MAX_GROUPS = 200


class DeadLetters:
    """The door to dead letters. A tenant of None is the operator's, who sees no content."""

    def __init__(self, database: Database, runs: RunDesk) -> None:
        self._database = database
        self._runs = runs

    async def list(self, tenant: TenantId | None, request: PageRequest, asked: LetterFilter) -> Page[Letter]:
        """Dead letters that match, newest first."""
        (before,) = request.key(read_uuid)
        async with self._database.tenant(tenant) if tenant else self._database.system() as transaction:
            rows = await list_matching(transaction, asked, tenant=tenant, before=before, limit=request.limit + 1)
        shown, has_more = cut_page(rows, request)
        letters = tuple(map(read_letter, shown))
        letters = letters if tenant else tuple(map(without_words, letters))
        return Page(letters, make_cursor(str(shown[-1]["id"])) if has_more else None)

    async def list_groups(
        self, tenant: TenantId | None, *, pipeline: str | None = None, step: str | None = None
    ) -> tuple[LetterGroup, ...]:
        """The causes of what is open, the most frequent first; counted over the newest MAX_GROUPED letters."""
        async with self._database.tenant(tenant) if tenant else self._database.system() as transaction:
            groups = await _groups(transaction, tenant, pipeline, step)
        return groups if tenant else tuple(replace(each, example=without_words(each.example)) for each in groups)

    async def get(self, tenant: TenantId, letter: LetterId) -> Letter:
        """One letter with input and trace; NotFound in the same words for another tenant's."""
        async with self._database.tenant(tenant) as transaction:
            row = await letters_store.find_letter(transaction, letter, most=MAX_SHOWN_BYTES)
        if row is None:
            raise letter_not_found(letter)
        return read_letter(row)

    async def replay(self, principal: Principal, letter: LetterId) -> Letter:
        """Retry the letter's run from the failed step; a letter that was replayed is answered as it is.

        raises   DeadLetterDecided for a discarded one, and what `RunDesk.retry` raises
        """
        found = await self.get(principal.tenant, letter)
        _refuse_discarded(found)

        async def refuse_just_discarded(transaction: TenantTransaction, _: int) -> None:
            row = await letters_store.find_letter(transaction, letter, most=0)
            if row is not None:
                _refuse_discarded(read_letter(row))

        if found.state is LetterState.OPEN:
            await self._runs.retry(principal, found.run, on_taken=refuse_just_discarded)
        return await self.get(principal.tenant, letter)

    async def discard(self, principal: Principal, letter: LetterId, reason: str) -> Letter:
        """Decide that nothing will be done; repeating it changes nothing, the first reason stays.

        raises   DeadLetterDecided for a replayed one
        """
        said = check_reason(reason)
        async with self._database.tenant(principal.tenant) as transaction:
            await letters_store.discard(transaction, [letter], reason=said, by=principal.name)
        found = await self.get(principal.tenant, letter)
        if found.state is LetterState.REPLAYED:
            raise DeadLetterDecided("The dead letter was replayed before; there is nothing left to discard.")
        return found

    async def restore(self, principal: Principal, letter: LetterId) -> Letter:
        """Take a discard back; an open letter stays as it is.

        raises   DeadLetterDecided for a replayed one
        """
        async with self._database.tenant(principal.tenant) as transaction:
            await letters_store.restore(transaction, letter)
        found = await self.get(principal.tenant, letter)
        if found.state is LetterState.REPLAYED:
            raise DeadLetterDecided("The dead letter was replayed, not discarded; there is nothing to take back.")
        return found

    async def get_tenant_of(self, letter: LetterId) -> TenantId:
        """Whose letter it is, for the operator; NotFound when there is none."""
        async with self._database.system() as transaction:
            tenant = await letters_store.find_tenant_of(transaction, letter)
        if tenant is None:
            raise letter_not_found(letter)
        return TenantId(tenant)


def letter_not_found(letter: LetterId) -> NotFound:
    """The answer for unknown and foreign letters."""
    return NotFound(f"There is no {LETTER_PREFIX}_... with the id {show_id(LETTER_PREFIX, letter)!r}.")


def _refuse_discarded(letter: Letter) -> None:
    if letter.state is LetterState.DISCARDED:
        raise DeadLetterDecided(f"The dead letter was discarded ({letter.reason}); restore it first.")


def check_reason(reason: str) -> str:
    """The reason without blanks around it; InvalidInput when nothing is left, or it is too long."""
    said = reason.strip()
    if not 1 <= len(said) <= MAX_REASON or "\0" in said:
        raise InvalidInput(
            f"The reason has {len(said)} characters; say in 1 to {MAX_REASON} why, for those who ask later."
        )
    return said


async def list_matching(
    transaction: TenantTransaction | SystemTransaction,
    asked: LetterFilter,
    *,
    tenant: TenantId | None,
    before: object,
    limit: int,
) -> list[Row]:
    """Rows of the letters that match."""
    named = {
        "state": asked.state,
        "pipeline": asked.pipeline,
        "version": asked.version,
        "step": asked.step,
        "error_code": asked.error_code,
        "fingerprint": asked.fingerprint,
        "run": asked.run,
    }
    return await letters_store.list_letters(transaction, named, tenant=tenant, before=read_uuid(before), limit=limit)


def without_words(letter: Letter) -> Letter:
    """The letter with the code of its failure and nothing that it says."""
    return replace(letter, error=replace(letter.error, detail=""))


def read_letter(row: Row) -> Letter:
    """A letter from its row."""
    return Letter(
        id=LetterId(row["id"]),
        tenant=TenantId(row["tenant_id"]),
        run=RunId(row["run_id"]),
        subject=row["subject"],
        pipeline=row["pipeline"],
        version=row["version"],
        step=row["step"],
        item=read_item(row["map_key"]),
        error=Failure(row["error_code"], row["error_detail"] or ""),
        fingerprint=row["fingerprint"],
        failed_at=row["failed_at"],
        state=LetterState(row["state"]),
        reason=row["reason"],
        decided_by=row["decided_by"],
        decided_at=row["decided_at"],
        replayed_as=RunId(row["replayed_as"]) if row["replayed_as"] else None,
        input=read_payload(row.get("input"), row.get("input_size")),
        trace=row.get("trace"),
    )


async def _groups(
    transaction: TenantTransaction | SystemTransaction, tenant: TenantId | None, pipeline: str | None, step: str | None
) -> tuple[LetterGroup, ...]:
    rows = await letters_store.list_groups(
        transaction, tenant=tenant, pipeline=pipeline, step=step, most=MAX_GROUPED, limit=MAX_GROUPS
    )
    found = await letters_store.read_letters(transaction, [row["example"] for row in rows])
    examples = {letter.id: letter for letter in map(read_letter, found)}
    return tuple(_group(row, examples[row["example"]]) for row in rows)


def _group(row: Row, example: Letter) -> LetterGroup:
    return LetterGroup(
        fingerprint=row["fingerprint"],
        pipeline=example.pipeline,
        step=example.step,
        error_code=example.error.code,
        count=row["count"],
        first_at=row["first_at"],
        last_at=row["last_at"],
        example=example,
    )
