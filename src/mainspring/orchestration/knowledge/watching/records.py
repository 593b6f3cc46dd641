"""`Records`: each check once a day, judged, and an alert when something moved.

A worker claims the day's check by its row, measures without a transaction, and writes the outcome, the alert and the
event in one. Who was killed in between has written nothing but the claim, which lapses; so a check is made again
rather than twice, and an alert opens once.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from mainspring.foundation.clock import Clock
from mainspring.foundation.db import TenantTransaction
from mainspring.foundation.errors import NotFound
from mainspring.foundation.ids import TenantId, new_id, show_id
from mainspring.foundation.outbox import publish
from mainspring.foundation.principal import Principal
from mainspring.foundation.telemetry import get_logger
from mainspring.orchestration.knowledge.events import QualityMoved
from mainspring.orchestration.knowledge.homes import Homes

from . import store
from .canary_figures import judge
from .judging import MOST_DAYS, judge_figures, judge_ranks
from .types import Alert, Check, CheckKind, CheckStatus, Measured, Subject, Verdict

log = get_logger(__name__)

MANAGE = "knowledge.manage"
MOST_ALERTS = 100

_SHOWN = timedelta(days=MOST_DAYS)
_KEPT = timedelta(days=90)


class Records:
    """Checks and alerts of tenants."""

    def __init__(self, homes: Homes, clock: Clock) -> None:
        self._homes = homes
        self._clock = clock

    async def list_due(self, tenant: TenantId, subjects: Sequence[Subject]) -> list[Subject]:
        """Those that were not looked at today; alerts of what is not among them at all are closed."""
        at = self._clock()
        async with self._homes.platform(tenant) as transaction:
            done = await store.list_finished(transaction, at.date())
            if not done:
                await store.resolve_others(transaction, subjects, at)
                await store.forget_before(transaction, (at - _KEPT).date())
        return [subject for subject in subjects if subject not in done]

    async def claim(self, tenant: TenantId, subject: Subject) -> datetime | None:
        """The instant that the check counts for, if it is now the caller's to make."""
        at = self._clock()
        async with self._homes.platform(tenant) as transaction:
            return at if await store.claim(transaction, subject, at) else None

    async def finish(self, tenant: TenantId, subject: Subject, at: datetime, measured: Measured) -> None:
        """Judge what was found, write it down, and open or close the subject's alert."""
        async with self._homes.platform(tenant) as transaction:
            verdict = await _judge(transaction, subject, at, measured)
            if not await store.finish(transaction, subject, at, verdict.status, measured):
                return
            if verdict.status is CheckStatus.MOVED:
                await _alert(transaction, subject, at, verdict)
            elif verdict.status is CheckStatus.NORMAL and await store.resolve(transaction, subject, at):
                log.info("quality_back_to_normal", tenant=str(tenant), kind=subject.kind, subject=subject.name)

    async def list_checks(self, tenant: TenantId) -> tuple[Check, ...]:
        """The checks of the last fourteen days, newest first."""
        async with self._homes.platform(tenant) as transaction:
            return tuple(await store.list_checks(transaction, (self._clock() - _SHOWN).date()))

    async def list_alerts(self, tenant: TenantId) -> tuple[Alert, ...]:
        """The last hundred alerts: unresolved ones first, newest first."""
        async with self._homes.platform(tenant) as transaction:
            return tuple(await store.list_alerts(transaction, MOST_ALERTS))

    async def acknowledge(self, principal: Principal, alert: UUID) -> Alert:
        """Take what moved for the usual from now on; doing so again changes nothing. Needs `knowledge.manage`.

        raises  NotFound
        """
        principal.require(MANAGE)
        async with self._homes.platform(principal.tenant) as transaction:
            found = await store.acknowledge(transaction, alert, self._clock(), principal.name)
        if found is None:
            raise NotFound("There is no such alert.")
        return found


async def _judge(transaction: TenantTransaction, subject: Subject, at: datetime, measured: Measured) -> Verdict:
    if subject.kind is CheckKind.CANARY:
        return judge(measured.figures)
    usual = await store.list_usual(transaction, subject, at, MOST_DAYS)
    if measured.ranks is not None:
        return judge_ranks(measured.ranks, [ranks for _, ranks in usual if ranks])
    return judge_figures(measured.figures, [figures for figures, _ in usual])


async def _alert(transaction: TenantTransaction, subject: Subject, at: datetime, verdict: Verdict) -> None:
    identifier = new_id()
    if not await store.open_alert(transaction, identifier, subject, at, verdict.moved):
        return
    moved = tuple((each.figure, each.value, each.expected) for each in verdict.moved)
    event = QualityMoved(show_id("alert", identifier), subject.kind, subject.name, at.date().isoformat(), moved)
    await publish(transaction, topic=QualityMoved.TOPIC, payload=event.payload())
    log.warning(
        "quality_moved", tenant=str(transaction.tenant), kind=subject.kind, subject=subject.name, moved=list(moved)
    )
