"""Crons: runs that start by themselves, once for each time that comes.

A firing submits its run under a key made of the cron and the time, and then moves the cron on. Whoever dies between
the two fires again and gets the same run; two processes at once get the same run as well. Times that passed while
nobody looked are one firing, not many.
"""

from dataclasses import replace
from datetime import datetime

import msgspec
from pydantic import ValidationError

from mainspring.foundation.db import Database, Row
from mainspring.foundation.errors import MainspringError, NotFound
from mainspring.foundation.ids import TenantId, new_id
from mainspring.foundation.principal import Principal
from mainspring.foundation.telemetry import get_logger
from mainspring.orchestration.agents.runs.reading import read_caller
from mainspring.orchestration.agents.server.assistants.service import Assistants
from mainspring.orchestration.agents.server.posts import Posts
from mainspring.orchestration.agents.server.runs.schemas import RunCreate
from mainspring.orchestration.agents.server.runs.service import RunDesk
from mainspring.orchestration.agents.server.threads.service import Threads
from mainspring.orchestration.agents.types import Cron, CronId, ThreadId

from . import store
from .clock import next_time
from .schemas import CronCreate, CronPatch, aware
from .store import CronFilter, CronTerms

log = get_logger(__name__)


class Crons:
    """The crons of every tenant."""

    def __init__(self, database: Database, assistants: Assistants, threads: Threads, posts: Posts) -> None:
        self._posts = posts
        self._database = database
        self._assistants = assistants
        self._threads = threads

    async def create(self, principal: Principal, thread: ThreadId | None, wanted: CronCreate) -> Cron:
        """A new cron, on a thread or with a thread of its own each time. AgentUnknown, CronInvalid."""
        tenant = principal.tenant
        assistant = await self._assistants.get(tenant, wanted.assistant_id)
        if thread is not None:
            await self._threads.get(tenant, thread)
        if wanted.webhook is not None:
            await self._posts.prepare(principal, wanted.webhook)
        terms = CronTerms(
            assistant=assistant.id,
            thread=thread,
            schedule=wanted.schedule,
            timezone=wanted.timezone,
            end_at=aware(wanted.end_time),
            next_at=None,
            is_enabled=wanted.enabled,
            on_run_completed=wanted.on_run_completed,
            payload={**wanted.payload(), "assistant_id": str(assistant.id)},
            metadata=wanted.metadata or {},
        )
        caller = msgspec.json.encode(principal).decode()
        async with self._database.tenant(tenant) as transaction:
            timed = _time(terms, await store.read_clock(transaction))
            return await store.insert_cron(
                transaction, CronId(new_id()), timed, caller=caller, created_by=principal.name
            )

    async def get(self, tenant: TenantId, cron: CronId) -> Cron:
        """The cron; NotFound."""
        async with self._database.tenant(tenant) as transaction:
            found = await store.find_cron(transaction, cron)
        if found is None:
            raise _unknown(cron)
        return found

    async def update(self, principal: Principal, cron: CronId, change: CronPatch) -> Cron:
        """Change terms and run; the next time is counted anew. NotFound, CronInvalid.

        From now on its runs have the rights of who changed it: nobody borrows those of who made it. So a cron on
        somebody else's thread starts nothing any more.
        """
        caller = msgspec.json.encode(principal).decode()
        if change.webhook is not None:
            await self._posts.prepare(principal, change.webhook)
        async with self._database.tenant(principal.tenant) as transaction:
            before = await store.find_cron(transaction, cron)
            if before is None:
                raise _unknown(cron)
            terms = _time(_change(before, change), await store.read_clock(transaction))
            return await store.update_cron(transaction, cron, terms, caller=caller)

    async def delete(self, tenant: TenantId, cron: CronId) -> None:
        """Delete the cron; runs it started go on. NotFound."""
        async with self._database.tenant(tenant) as transaction:
            if not await store.delete_cron(transaction, cron):
                raise _unknown(cron)

    async def search(self, tenant: TenantId, wanted: CronFilter) -> list[Cron]:
        """Crons that fit, one page."""
        async with self._database.tenant(tenant) as transaction:
            return await store.search_crons(transaction, wanted)

    async def count(self, tenant: TenantId, wanted: CronFilter) -> int:
        """How many fit, up to 10,000."""
        async with self._database.tenant(tenant) as transaction:
            return await store.count_crons(transaction, wanted)


async def fire_due_crons(database: Database, desk: RunDesk, *, limit: int = 100) -> int:
    """Start the runs of crons whose time has come, of every tenant; how many. Call it every second or so."""
    async with database.system() as transaction:
        rows = await store.list_due(transaction, limit=limit)
        now = await store.read_clock(transaction)
    fired = 0
    for row in rows:
        fired += await _fire(database, desk, row, now)
    return fired


async def _fire(database: Database, desk: RunDesk, row: Row, now: datetime) -> bool:
    cron, at = store.read_cron(row), row["next_at"]
    is_past_end = cron.end_at is not None and at > cron.end_at
    is_fired = False if is_past_end else await _submit(desk, cron, row, at)
    following = None if is_past_end else _following(cron, now)
    async with database.tenant(cron.tenant) as transaction:
        is_first = await store.move_on(transaction, cron.id, fired_at=at, next_at=following)
    return is_fired and is_first


async def _submit(desk: RunDesk, cron: Cron, row: Row, at: datetime) -> bool:
    """Whether a run was started; a cron whose assistant, thread or payload is no good any more goes on trying."""
    try:
        wanted = RunCreate.model_validate(cron.payload)
        order = replace(
            wanted.order(cron.thread),
            key=f"cron:{cron.id}:{at.isoformat()}",
            on_completion=cron.on_run_completed,
            metadata={**cron.metadata, "cron_id": str(cron.id)},
        )
        await desk.submit(replace(read_caller(row["caller"]), tenant=cron.tenant), order)
    except (MainspringError, ValidationError) as refused:
        log.warning("cron_not_fired", cron=str(cron.id), error=type(refused).__name__)
        return False
    return True


def _following(cron: Cron, now: datetime) -> datetime | None:
    following = next_time(cron.schedule, cron.timezone, now)
    is_over = following is not None and cron.end_at is not None and following > cron.end_at
    return None if is_over else following


def _time(terms: CronTerms, now: datetime) -> CronTerms:
    """The terms with their next time; CronInvalid also where the clock is not asked."""
    following = next_time(terms.schedule, terms.timezone, now)
    if terms.end_at is not None and following is not None and following > terms.end_at:
        following = None
    return replace(terms, next_at=following if terms.is_enabled else None)


def _change(before: Cron, change: CronPatch) -> CronTerms:
    sent = change.model_fields_set
    return CronTerms(
        assistant=before.assistant,
        thread=before.thread,
        schedule=change.schedule or before.schedule,
        timezone=change.timezone or before.timezone,
        end_at=aware(change.end_time) if "end_time" in sent else before.end_at,
        next_at=before.next_at,
        is_enabled=before.is_enabled if change.enabled is None else change.enabled,
        on_run_completed=change.on_run_completed or before.on_run_completed,
        payload={**before.payload, **change.payload()},
        metadata={**before.metadata, **(change.metadata or {})},
    )


def _unknown(cron: CronId) -> NotFound:
    return NotFound(f"There is no cron {cron}; search for those there are.")
