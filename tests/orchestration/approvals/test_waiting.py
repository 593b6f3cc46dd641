"""Runs that wait for a person, on the real engine: they hold nothing, outlive workers and deploys, and go on once."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from mainspring.application.identity import Role
from mainspring.foundation.db import Database
from mainspring.foundation.engines import EngineUrls
from mainspring.foundation.errors import Conflict
from mainspring.foundation.outbox import relay
from mainspring.foundation.pagination import PageRequest
from mainspring.foundation.valkey import Valkey
from mainspring.orchestration.approvals import (
    Approval,
    Approvals,
    Decision,
    Proposal,
    SamePerson,
    State,
    Verdict,
    Wanted,
    build_subscribers,
)
from mainspring.orchestration.pipelines import (
    Abandon,
    Pipeline,
    Pipelines,
    Run,
    RunId,
    RunStatus,
    StepRun,
    Wait,
    Worker,
)
from tests.orchestration.approvals.office import PAYMENT, Office

A_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Claim:
    """What a run is begun with."""

    cents: int


@dataclass(frozen=True, slots=True)
class Paid:
    """How a run ends; `by` is the version of the pipeline that paid."""

    verdict: Verdict
    cents: int
    by: int


@dataclass(slots=True)
class Till:
    """Keeps what was paid under each key."""

    paid: dict[str, int] = field(default_factory=dict[str, int])


@dataclass(slots=True)
class Calendar:
    """How far ahead of the true time the people are."""

    ahead: timedelta = timedelta()

    def __call__(self) -> timedelta:
        return self.ahead


def payments(approvals: Approvals, till: Till, *, version: int = 1, proposal: Proposal = PAYMENT) -> Pipeline:
    """ask -> pay."""
    pipeline = Pipeline("tests.payments", version=version)

    @pipeline.step("ask", title="Ask")
    async def ask(claim: Claim, run: StepRun) -> Wait[Decision]:
        return await approvals.ask_step(run, replace(proposal, arguments={"cents": claim.cents}))

    @pipeline.step("pay", title="Pay", after=("ask",))
    async def pay(decision: Decision, run: StepRun) -> Paid:
        if not decision.is_approved:
            return Paid(decision.verdict, 0, version)
        used = await approvals.consume_step(run, decision)
        assert run.idempotency_key not in till.paid
        till.paid[run.idempotency_key] = used.arguments["cents"]
        return Paid(decision.verdict, used.arguments["cents"], version)

    return pipeline


@dataclass(frozen=True, slots=True)
class Bench:
    """Work of one tenant, and the workers for it."""

    office: Office
    database: Database
    valkey: Valkey
    pipelines: Pipelines
    till: Till
    calendar: Calendar

    def payments(self, *, version: int = 1, proposal: Proposal = PAYMENT) -> Pipeline:
        return payments(self.office.approvals, self.till, version=version, proposal=proposal)

    @asynccontextmanager
    async def worker(self, *pipelines: Pipeline) -> AsyncGenerator[Worker]:
        """A worker that runs these, drained on exit."""
        worker, stop = Worker(self.database, self.valkey, pipelines=pipelines), asyncio.Event()
        running = asyncio.create_task(worker.run(stop, grace=timedelta(seconds=5)))
        try:
            yield worker
        finally:
            stop.set()
            await running

    async def asked(self, run: Run) -> Approval:
        """What the run waits for, once its step is suspended."""
        await self.until(run, lambda found: found.steps[0].status.value == "suspended")
        reviewer = await self.office.member()
        (seen,) = (await self.office.approvals.list(reviewer, PageRequest(), Wanted(run=run.id))).items
        return (await self.office.approvals.get(reviewer, seen.approval.id)).approval

    async def ended(self, run: Run) -> Paid:
        """How the run ended."""
        found = await self.until(run, lambda found: found.status.is_final)
        assert found.status is RunStatus.SUCCEEDED, found.error
        return await self.pipelines.get_output(self.office.tenant, run.id, "pay", Paid)

    async def until(self, run: Run, claim: Callable[[Run], bool]) -> Run:
        """The run, as soon as the claim holds of it."""
        async with asyncio.timeout(10):
            while not claim(found := await self.pipelines.get_run(self.office.tenant, run.id)):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        return found


@pytest.fixture
async def bench(engines: EngineUrls, valkey: Valkey, office: Office) -> AsyncIterator[Bench]:
    """The engine, with a calendar that the test may turn."""
    calendar = Calendar()
    database = await Database.open(engines.database_url, clock_shift=calendar)
    pipelines = Pipelines(database, valkey)
    yield Bench(
        replace(office, approvals=Approvals(database, pipelines)), database, valkey, pipelines, Till(), calendar
    )
    await database.close()


async def test_a_run_waits_for_a_person_and_does_what_was_approved_once(bench: Bench):
    analyst, reviewer = await bench.office.members(Role.ANALYST, Role.REVIEWER)
    async with bench.worker(pipeline := bench.payments()) as worker:
        run = await bench.pipelines.submit(bench.office.tenant, pipeline, Claim(500), by=analyst)
        asked = await bench.asked(run)
        assert (asked.arguments, asked.initiator) == ({"cents": 500}, analyst.hands)
        assert worker.held == 0
        await bench.office.approve(reviewer, asked)
        assert await bench.ended(run) == Paid(Verdict.APPROVE, 500, 1)
    assert list(bench.till.paid.values()) == [500]
    assert (await bench.office.approvals.get(reviewer, asked.id)).approval.state is State.CONSUMED


async def test_what_was_edited_is_what_is_done(bench: Bench):
    first, second = await bench.office.members(Role.REVIEWER, Role.REVIEWER)
    async with bench.worker(pipeline := bench.payments()):
        run = await bench.pipelines.submit(bench.office.tenant, pipeline, Claim(500))
        asked = await bench.asked(run)
        edited = await bench.office.approvals.decide(
            first, asked.id, Verdict.EDIT, digest=asked.digest, edited_arguments={"cents": 400}
        )
        await bench.office.approve(second, edited)
        assert await bench.ended(run) == Paid(Verdict.EDIT, 400, 1)


async def test_a_rejection_and_a_withdrawal_reach_the_run(bench: Bench):
    analyst, reviewer = await bench.office.members(Role.ANALYST, Role.REVIEWER)
    async with bench.worker(pipeline := bench.payments()):
        first, second = [
            await bench.pipelines.submit(bench.office.tenant, pipeline, Claim(cents), by=analyst) for cents in (1, 2)
        ]
        asked = await bench.asked(first)
        await bench.office.approvals.decide(reviewer, asked.id, Verdict.REJECT, digest=asked.digest)
        await bench.office.approvals.withdraw(analyst, (await bench.asked(second)).id)
        assert (await bench.ended(first)).verdict is Verdict.REJECT
        assert (await bench.ended(second)).verdict is Verdict.WITHDRAWN
    assert bench.till.paid == {}


async def test_deploys_while_a_run_waits_and_a_decision_a_week_later(bench: Bench):
    """The worker that asked is gone; a new one holds both versions; the run ends on the one it began with."""
    analyst, reviewer = await bench.office.members(Role.ANALYST, Role.REVIEWER)
    old, new = bench.payments(), bench.payments(version=2)
    async with bench.worker(old):
        run = await bench.pipelines.submit(bench.office.tenant, old, Claim(500), by=analyst)
        asked = await bench.asked(run)
    bench.calendar.ahead += A_WEEK
    async with bench.worker(old, new):
        fresh = await bench.pipelines.submit(bench.office.tenant, new, Claim(600), by=analyst)
        newer = await bench.asked(fresh)
        assert newer.asked_at - asked.asked_at >= A_WEEK
        await bench.office.approvals.expire_due()
        for each in (asked, newer):
            await bench.office.approve(reviewer, each)
        assert await bench.ended(run) == Paid(Verdict.APPROVE, 500, 1)
        assert await bench.ended(fresh) == Paid(Verdict.APPROVE, 600, 2)
    decided = (await bench.office.approvals.get(reviewer, asked.id)).approval
    assert decided.decided_at is not None
    assert decided.decided_at - decided.asked_at >= A_WEEK


async def test_a_decision_while_no_worker_runs_is_kept_for_the_next(bench: Bench):
    reviewer = await bench.office.member()
    pipeline = bench.payments()
    async with bench.worker(pipeline):
        run = await bench.pipelines.submit(bench.office.tenant, pipeline, Claim(500))
        asked = await bench.asked(run)
    await bench.office.approve(reviewer, asked)
    async with bench.worker(bench.payments()):
        assert await bench.ended(run) == Paid(Verdict.APPROVE, 500, 1)


async def test_what_nobody_decides_for_a_month_expires_and_the_run_hears_of_it(bench: Bench):
    reviewer, admin = await bench.office.members(Role.REVIEWER, Role.ADMIN)
    escalating = replace(PAYMENT, escalate_after=timedelta(days=2), escalate_to=("role:admin",))
    async with bench.worker(pipeline := bench.payments(proposal=escalating)):
        run = await bench.pipelines.submit(bench.office.tenant, pipeline, Claim(500))
        asked = await bench.asked(run)
        bench.calendar.ahead += timedelta(days=3)
        while await bench.office.approvals.escalate_due():
            pass
        assert (await bench.office.approvals.get(admin, asked.id)).may_decide
        bench.calendar.ahead += timedelta(days=28)
        assert not (await bench.office.approvals.get(admin, asked.id)).may_decide
        while await bench.office.approvals.expire_due():
            pass
        assert (await bench.ended(run)).verdict is Verdict.EXPIRED
        assert (await bench.office.approvals.get(reviewer, asked.id)).approval.state is State.EXPIRED


async def test_a_wait_is_over_by_itself_when_nobody_expires_the_approval(bench: Bench):
    async with bench.worker(pipeline := bench.payments()) as worker:
        run = await bench.pipelines.submit(bench.office.tenant, pipeline, Claim(500))
        await bench.asked(run)
        bench.calendar.ahead += timedelta(days=31)
        await worker.sweep_now()
        assert (await bench.ended(run)).verdict is Verdict.EXPIRED


async def test_a_revision_meanwhile_is_what_the_run_waits_for(bench: Bench):
    reviewer = await bench.office.member()
    async with bench.worker(pipeline := bench.payments()):
        run = await bench.pipelines.submit(bench.office.tenant, pipeline, Claim(500))
        asked = await bench.asked(run)
        less = replace(PAYMENT, arguments={"cents": 300})
        revised = await bench.office.approvals.revise(bench.office.tenant, asked.id, less, editor=frozenset())
        await bench.office.approve(reviewer, revised)
        assert await bench.ended(run) == Paid(Verdict.APPROVE, 300, 1)


async def test_the_questions_of_a_cancelled_run_are_withdrawn(bench: Bench):
    reviewer = await bench.office.member()
    async with bench.worker(pipeline := bench.payments()):
        run = await bench.pipelines.submit(bench.office.tenant, pipeline, Claim(500))
        asked = await bench.asked(run)
        await bench.pipelines.cancel(bench.office.tenant, run.id)
        with pytest.raises(Conflict) as refused:
            await bench.office.approve(reviewer, asked)
        assert refused.value.code == "run_finished"
    assert (await bench.office.approvals.get(reviewer, asked.id)).approval.state is State.PENDING
    while await relay(bench.database, build_subscribers(bench.office.approvals)):
        pass
    assert (await bench.office.approvals.get(reviewer, asked.id)).approval.state is State.WITHDRAWN
    assert await bench.office.approvals.withdraw_waiting(bench.office.tenant, run.id) == 0


async def test_a_run_that_takes_over_hears_what_was_decided_for_the_first(bench: Bench):
    """The same key from another run: at once what was decided, or the same question, or a new one where it expired."""
    reviewer = await bench.office.member()
    approvals, tenant = bench.office.approvals, bench.office.tenant
    pipeline = bench.payments()

    async def begin() -> RunId:
        return (await bench.pipelines.submit(tenant, pipeline, Claim(500))).id

    first, second, third = await begin(), await begin(), await begin()
    asked = await approvals.ask(tenant, PAYMENT, key="step", run=first)
    handed = await approvals.ask(tenant, PAYMENT, key="step", run=second)
    assert (handed.id, handed.run) == (asked.id, second)
    await bench.office.approve(reviewer, asked)
    assert (await approvals.ask(tenant, PAYMENT, key="step", run=third)).id == asked.id
    async with bench.database.tenant(tenant) as transaction:
        rows = await transaction.all("select run_id from signal where tenant_id = %(tenant)s", tenant=tenant)
    assert {row["run_id"] for row in rows} == {second, third}
    withdrawn = await approvals.ask(tenant, PAYMENT, key="other", run=first)
    await approvals.withdraw_waiting(tenant, first)
    anew = await approvals.ask(tenant, PAYMENT, key="other", run=second)
    assert (anew.state, anew.id != withdrawn.id) == (State.PENDING, True)


async def test_who_begins_it_again_does_not_make_its_first_author_another_person(bench: Bench):
    author, retrier, third = await bench.office.members(Role.REVIEWER, Role.REVIEWER, Role.REVIEWER)
    approvals, tenant = bench.office.approvals, bench.office.tenant
    pipeline = bench.payments()
    first, second = [(await bench.pipelines.submit(tenant, pipeline, Claim(5))).id for _ in range(2)]
    await approvals.ask(tenant, PAYMENT, key="step", run=first, initiator=author.hands)
    again = await approvals.ask(tenant, PAYMENT, key="step", run=second, initiator=retrier.hands)
    for person in (author, retrier):
        with pytest.raises(SamePerson):
            await bench.office.approve(person, again)
    assert (await bench.office.approve(third, again)).state is State.APPROVED


async def test_a_retry_after_a_crash_uses_the_decision_that_was_given(bench: Bench):
    reviewer = await bench.office.member()
    pipeline, is_broken = Pipeline("tests.breaking", version=1), [True]

    @pipeline.step("ask", title="Ask")
    async def ask(claim: Claim, run: StepRun) -> Wait[Decision]:
        return await bench.office.approvals.ask_step(run, PAYMENT)

    @pipeline.step("pay", title="Pay", after=("ask",))
    async def pay(decision: Decision, run: StepRun) -> Paid:
        used = await bench.office.approvals.consume_step(run, decision)
        if is_broken.pop():
            is_broken.append(False)
            raise Abandon("The till is closed.")
        is_broken.append(False)
        return Paid(used.verdict, 1, 1)

    async with bench.worker(pipeline):
        run = await bench.pipelines.submit(bench.office.tenant, pipeline, Claim(500))
        await bench.office.approve(reviewer, await bench.asked(run))
        assert (await bench.until(run, lambda found: found.status.is_final)).status is RunStatus.FAILED
        retried = await bench.pipelines.rerun(bench.office.tenant, run.id, from_failed=True, pipeline=pipeline)
        assert (await bench.ended(retried)).verdict is Verdict.APPROVE
