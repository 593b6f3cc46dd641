"""Decisions about many runs or dead letters at once, carried out in bounded batches that may die anywhere.

An action works downwards by id from its own, so that what comes in later is not meant, and finds what is left to do by
its state: a run that was replayed or cancelled is not found again. Decided letters are counted in the transaction that
decides them. Letters of items that their step tolerates are not replayed while their runs have not failed: they count
as skipped, and are no problem. Small actions end within the request; workers carry on with the others. A full backlog
puts the action off until there is room; what is drained is skipped. It holds the rights of who asked, as they were
then: runs about what is closed to the asker are left alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from uuid import UUID

import msgspec

from mainspring.foundation.db import Database, DatabaseGone, Row, TenantTransaction
from mainspring.foundation.errors import Conflict, InvalidInput, MainspringError, NotFound
from mainspring.foundation.ids import TenantId, UserId, new_id, show_id
from mainspring.foundation.pagination import Page, PageRequest, cut_page, make_cursor
from mainspring.foundation.principal import Principal, PrincipalKind
from mainspring.foundation.telemetry import get_logger
from mainspring.orchestration.pipelines.backlog import RETRY_AFTER_SECONDS
from mainspring.orchestration.pipelines.errors import BacklogFull
from mainspring.orchestration.pipelines.privacy import Open, Privacy
from mainspring.orchestration.pipelines.service import Pipelines
from mainspring.orchestration.pipelines.types import RunId, RunStatus

from . import bulk_store, letters_store, runs_store
from .errors import DeadLetterDecided
from .letters import check_reason, list_matching
from .reading import read_uuid
from .runs import RunDesk, named_terms
from .types import BULK_PREFIX, BulkAction, BulkId, BulkKind, LetterFilter, LetterState, RunFilter

log = get_logger(__name__)

BATCH = 50
INLINE_BATCHES = 2
MAX_UNFINISHED = 20
CLAIM = timedelta(seconds=120)
_ENDABLE = (RunStatus.QUEUED, RunStatus.RUNNING, None)


class _Asker(msgspec.Struct, frozen=True):
    """A principal, kept as long as what it asked for goes on."""

    kind: str
    name: str
    permissions: tuple[str, ...]
    user: UUID | None
    credential: UUID | None
    subjects: tuple[str, ...]
    hands: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Target:
    """Something the action is about: a run, by itself or because of a dead letter.

    is_tolerated  a letter of an item whose run goes on or has succeeded without it
    """

    id: UUID
    run: RunId
    subject: str | None
    is_tolerated: bool = False


class Bulk:
    """Begins bulk actions and carries them out.

    privacy  knows which subjects of runs are closed to the asker
    """

    def __init__(
        self, database: Database, pipelines: Pipelines, runs: RunDesk, *, privacy: Privacy | None = None
    ) -> None:
        self._database = database
        self._pipelines = pipelines
        self._runs = runs
        self._privacy = privacy or Open()

    async def replay_letters(self, principal: Principal, asked: LetterFilter) -> BulkAction:
        """Replay the open dead letters that match, each run of theirs once."""
        return await self._begin(principal, BulkKind.REPLAY, _only_open(asked), None)

    async def discard_letters(self, principal: Principal, asked: LetterFilter, reason: str) -> BulkAction:
        """Discard the open dead letters that match; InvalidInput without a reason."""
        return await self._begin(principal, BulkKind.DISCARD, _only_open(asked), check_reason(reason))

    async def cancel_runs(self, principal: Principal, asked: RunFilter, reason: str | None = None) -> BulkAction:
        """Cancel the unfinished runs that match; InvalidInput for a status that no cancel can end."""
        if asked.status not in _ENDABLE:
            raise InvalidInput(f"Runs that are {asked.status} cannot be cancelled; use queued or running, or neither.")
        return await self._begin(principal, BulkKind.CANCEL, asked, check_reason(reason) if reason else None)

    async def get(self, tenant: TenantId, bulk: BulkId) -> BulkAction:
        """One action as far as it has come."""
        async with self._database.tenant(tenant) as transaction:
            row = await bulk_store.find_bulk(transaction, bulk)
        if row is None:
            raise NotFound(f"There is no {BULK_PREFIX}_... with the id {show_id(BULK_PREFIX, bulk)!r}.")
        return _read(row)

    async def list(self, tenant: TenantId, request: PageRequest) -> Page[BulkAction]:
        """The tenant's actions, newest first."""
        (before,) = request.key(read_uuid)
        async with self._database.tenant(tenant) as transaction:
            rows = await bulk_store.list_bulks(transaction, before=before, limit=request.limit + 1)
        shown, has_more = cut_page(rows, request)
        return Page(tuple(map(_read, shown)), make_cursor(str(shown[-1]["id"])) if has_more else None)

    async def carry_on(self, *, batches: int = 20) -> int:
        """Carry out up to so many batches of whoever's actions go on; how many were. For the worker's loop."""
        async with self._database.system() as transaction:
            rows = await bulk_store.find_unfinished(transaction, batches)
        carried = 0
        for row in rows:
            bulk = BulkId(row["id"])
            try:
                while carried < batches and (action := await self._batch(TenantId(row["tenant_id"]), bulk)):
                    carried += 1
                    if action.state == "finished":
                        break
            except DatabaseGone:
                raise
            except Exception:  # the others are carried on; this one is taken up again
                log.exception("bulk_action_failed", bulk=str(bulk))
        return carried

    async def _begin(
        self, principal: Principal, kind: BulkKind, asked: LetterFilter | RunFilter, reason: str | None
    ) -> BulkAction:
        row = {
            "id": new_id(),
            "kind": kind,
            "terms": msgspec.json.encode(asked).decode(),
            "asker": msgspec.json.encode(_asker(principal)).decode(),
            "reason": reason,
            "asked_by": principal.name,
        }
        async with self._database.tenant(principal.tenant) as transaction:
            if await bulk_store.count_unfinished(transaction) >= MAX_UNFINISHED:
                raise Conflict(f"{MAX_UNFINISHED} bulk actions go on already; wait until one has finished.")
            added = await bulk_store.add_bulk(transaction, row)
            await _find_targets(transaction, added)  # what cannot be looked for is refused before it is kept
            action = _read(added)
        for _ in range(INLINE_BATCHES):
            action = await self._batch(principal.tenant, action.id) or await self.get(principal.tenant, action.id)
            if action.state == "finished":
                break
        return action

    async def _batch(self, tenant: TenantId, bulk: BulkId) -> BulkAction | None:
        """Carry out one batch; None when somebody else is at it, it has ended, or was put off."""
        async with self._database.tenant(tenant) as transaction:
            row = await bulk_store.claim_bulk(transaction, bulk, CLAIM.total_seconds())
            if row is None:
                return None
            targets = await _find_targets(transaction, row)
        principal = _principal(tenant, row["asker"])
        closed = await self._privacy.closed_to(principal, {each.subject for each in targets if each.subject})
        meant, tolerated = _part(row, [each for each in targets if each.subject not in closed])
        for run, ids in _by_run(meant).items():
            try:
                await self._carry_out(principal, row, run, ids)
            except BacklogFull as refusal:  # what is done by now is not found again
                await self._put_off(tenant, bulk, refusal)
                return None
        hidden = len(targets) - len(meant) - tolerated
        async with self._database.tenant(tenant) as transaction:
            if tolerated:
                await bulk_store.count_bulk(transaction, bulk, skipped=tolerated)
            if hidden:
                problem = "Some runs are about what is closed to who asked; ask one of its readers."
                await bulk_store.count_bulk(transaction, bulk, skipped=hidden, problem=problem)
            place = targets[-1].id if len(targets) == BATCH else None
            return _read(await bulk_store.move_bulk(transaction, bulk, place))

    async def _carry_out(self, principal: Principal, row: Row, run: RunId, ids: tuple[UUID, ...]) -> None:
        """Do it for one run; what refuses is counted as skipped, with the reason, and the others go on."""
        bulk, tenant = row["id"], principal.tenant
        try:
            match BulkKind(row["kind"]):
                case BulkKind.CANCEL:
                    await self._pipelines.cancel(tenant, run)
                    await self._count(tenant, bulk, done=1)
                case BulkKind.REPLAY:
                    await self._runs.retry(principal, run, on_taken=partial(_count_done, bulk))
                case BulkKind.DISCARD:
                    async with self._database.tenant(tenant) as transaction:
                        done = await letters_store.discard(transaction, ids, reason=row["reason"], by=principal.name)
                        await bulk_store.count_bulk(transaction, bulk, done=done, skipped=len(ids) - done)
        except MainspringError as refusal:
            if refusal.retryable:  # the batch is taken up again when its claim ends
                raise
            await self._count(tenant, bulk, skipped=len(ids), problem=refusal.detail[:500])

    async def _put_off(self, tenant: TenantId, bulk: BulkId, refusal: BacklogFull) -> None:
        async with self._database.tenant(tenant) as transaction:
            await bulk_store.put_off(transaction, bulk, RETRY_AFTER_SECONDS, refusal.detail[:500])

    async def _count(
        self, tenant: TenantId, bulk: UUID, *, done: int = 0, skipped: int = 0, problem: str | None = None
    ) -> None:
        async with self._database.tenant(tenant) as transaction:
            await bulk_store.count_bulk(transaction, bulk, done=done, skipped=skipped, problem=problem)


async def _find_targets(transaction: TenantTransaction, row: Row) -> list[_Target]:
    if row["kind"] == BulkKind.CANCEL:
        asked = named_terms(msgspec.json.decode(row["terms"], type=RunFilter))
        found = await runs_store.list_runs(
            transaction, asked, tenant=transaction.tenant, before=row["place"], limit=BATCH, only_unfinished=True
        )
        return [_Target(each["id"], RunId(each["id"]), each["subject"]) for each in found]
    terms = msgspec.json.decode(row["terms"], type=LetterFilter)
    found = await list_matching(transaction, terms, tenant=transaction.tenant, before=row["place"], limit=BATCH)
    return [_Target(each["id"], RunId(each["run_id"]), each["subject"], each["is_tolerated"]) for each in found]


async def _count_done(bulk: UUID, transaction: TenantTransaction, count: int) -> None:
    """Raises DeadLetterDecided, which undoes the retry, when no letter of the run was left to be replayed by it."""
    if count == 0:
        raise DeadLetterDecided("Some dead letters were decided by others meanwhile; what they decided stands.")
    await bulk_store.count_bulk(transaction, bulk, done=count)


def _part(row: Row, targets: Sequence[_Target]) -> tuple[Sequence[_Target], int]:
    """What there is something to do about, and how many letters have no failed run that could be replayed."""
    if row["kind"] != BulkKind.REPLAY:
        return targets, 0
    meant = [each for each in targets if not each.is_tolerated]
    return meant, len(targets) - len(meant)


def _by_run(targets: Sequence[_Target]) -> dict[RunId, tuple[UUID, ...]]:
    """The targets by their run, in order."""
    found: dict[RunId, tuple[UUID, ...]] = {}
    for each in targets:
        found[each.run] = (*found.get(each.run, ()), each.id)
    return found


def _only_open(asked: LetterFilter) -> LetterFilter:
    if asked.state not in (LetterState.OPEN, None):
        raise InvalidInput(f"Letters that are {asked.state} are decided; restore discarded ones one by one.")
    return replace(asked, state=LetterState.OPEN)


def _asker(principal: Principal) -> _Asker:
    return _Asker(
        kind=principal.kind,
        name=principal.name,
        permissions=tuple(sorted(principal.permissions)),
        user=principal.user,
        credential=principal.credential,
        subjects=tuple(sorted(principal.subjects)),
        hands=tuple(sorted(principal.hands)),
    )


def _principal(tenant: TenantId, text: str) -> Principal:
    asker = msgspec.json.decode(text, type=_Asker)
    return Principal(
        tenant=tenant,
        kind=PrincipalKind(asker.kind),
        name=asker.name,
        permissions=frozenset(asker.permissions),
        user=UserId(asker.user) if asker.user else None,
        credential=asker.credential,
        subjects=frozenset(asker.subjects),
        hands=frozenset(asker.hands),
    )


def _read(row: Row) -> BulkAction:
    return BulkAction(
        id=BulkId(row["id"]),
        tenant=TenantId(row["tenant_id"]),
        kind=BulkKind(row["kind"]),
        state="finished" if row["finished_at"] else "running",
        done=row["done"],
        skipped=row["skipped"],
        asked_by=row["asked_by"],
        asked_at=row["asked_at"],
        finished_at=row["finished_at"],
        reason=row["reason"],
        last_problem=row["last_problem"],
    )
