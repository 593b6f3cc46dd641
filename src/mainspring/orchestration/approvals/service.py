"""`Approvals`: ask a person, decide, use the decision once.

Producers (steps, agents, tools) call `ask`, `revise` and `consume`; they name a tenant, for they act for work that was
admitted before. People come with their principal to `decide`, `delegate`, `withdraw`, `get` and `list`. Whether
somebody may decide is asked in `eyes` and nowhere else.
"""

from datetime import timedelta
from uuid import UUID

from mainspring.foundation.db import Database, TenantTransaction
from mainspring.foundation.ids import TenantId, read_id
from mainspring.foundation.pagination import Page, PageRequest, cut_page, make_cursor
from mainspring.foundation.principal import Principal
from mainspring.orchestration.pipelines import Pipelines, RunId, StepRun, Wait, for_signal

from . import asking, deciding, store, timing
from .consuming import consume
from .eyes import READ, may_decide, may_read, voices
from .reading import approval_not_found, find_decision, read_approval, show_approval
from .record import Entry
from .signals import Calls
from .types import (
    APPROVAL_PREFIX,
    Approval,
    ApprovalId,
    Decision,
    Json,
    Origin,
    Proposal,
    Ruling,
    Seen,
    State,
    Verdict,
    Wanted,
)

_GRACE = timedelta(minutes=5)
"""Approvals expire themselves and tell the run; should nobody do that, its wait is over so much later."""


class Approvals:
    """The door to approvals. Every method works for one tenant and sees no other, but for the two of the clock."""

    def __init__(self, database: Database, pipelines: Pipelines) -> None:
        self._database = database
        self._pipelines = pipelines

    async def ask(  # noqa: PLR0913 - the words of every producer, at one place
        self,
        tenant: TenantId,
        proposal: Proposal,
        *,
        key: str,
        run: RunId | None = None,
        signal: str | None = None,
        initiator: frozenset[str] = frozenset(),
        editor: frozenset[str] = frozenset(),
    ) -> Approval:
        """Ask for a decision; it is durable when this returns.

        key        the same key and content answers the same approval; another content voids the former one
        run        who waits: it is signalled with a `Decision`; `signal` is the name, `approval:apr_...` by default
        initiator  hands of who began the work; editor: of who changed it last. Neither may decide under four eyes
        raises     ProposalRefused; AlreadyConsumed when the key's former content was approved and done
        """
        calls, origin = Calls(self._pipelines), Origin(key, run, signal, initiator, editor)
        async with self._database.tenant(tenant) as transaction:
            row = await asking.ask(calls, transaction, proposal, origin)
        await calls.make_known()
        return read_approval(row)

    async def ask_in(self, transaction: TenantTransaction, proposal: Proposal, origin: Origin) -> Approval:
        """As `ask`, within the caller's transaction, which must not hold a run's lock."""
        return read_approval(await asking.ask(Calls(self._pipelines), transaction, proposal, origin))

    async def ask_step(self, run: StepRun, proposal: Proposal) -> Wait[Decision]:
        """What a step returns that wants a person's decision; its output is the `Decision`, whatever it says.

        Asked for the run's initiator, once for all attempts of the step and retries of the run. Raises as `ask`.
        """
        asked = await self.ask(run.tenant, proposal, key=run.idempotency_key, run=run.run_id, initiator=run.initiator)
        nobody = Decision(
            show_approval(asked.id), Verdict.EXPIRED, asked.arguments, None, asked.expires_at, asked.digest
        )
        signal = asked.signal or asking.signal_name(asked.id)
        return for_signal(signal, expires=proposal.expires + _GRACE, default=nobody)

    async def consume_step(self, run: StepRun, decision: Decision) -> Decision:
        """Use an approved decision in a step, which may be run again after it. Raises as `consume`."""
        approval = ApprovalId(read_id(APPROVAL_PREFIX, decision.approval))
        return await self.consume(run.tenant, approval, decision.digest, consumer=run.idempotency_key)

    async def revise(
        self, tenant: TenantId, approval: ApprovalId, proposal: Proposal, *, editor: frozenset[str]
    ) -> Approval:
        """Put a changed proposal in place of one that is pending, or approved and not used: that one is void.

        Whoever waits goes on to wait, for the new one. The same content again changes nothing.
        raises   NotFound, ProposalRefused, AlreadyDecided
        """
        async with self._database.tenant(tenant) as transaction:
            former = await deciding.get_locked(transaction, approval)
            return read_approval(await asking.revise(transaction, former, proposal, editor=editor))

    async def consume(
        self, tenant: TenantId, approval: ApprovalId, digest: str, *, consumer: str | None = None
    ) -> Decision:
        """Use the decision, once: whoever gets it does the action, with its arguments.

        digest    of what is about to be done, as the decision named it
        consumer  such as a step's idempotency key: the same consumer is answered again, so that a step which died
                  after this may be run again. None: the second call is refused, whoever makes it
        raises    NotFound, NotApproved, ContentChanged, AlreadyConsumed
        atomic    one conditional update; of several at once, one gets it
        """
        async with self._database.tenant(tenant) as transaction:
            return await consume(transaction, approval, digest, consumer=consumer)

    async def consume_in(
        self, transaction: TenantTransaction, approval: ApprovalId, digest: str, *, consumer: str | None = None
    ) -> Decision:
        """As `consume`, within the caller's transaction: an effect in the same database is done with it or not."""
        return await consume(transaction, approval, digest, consumer=consumer)

    async def find_decision(self, tenant: TenantId, approval: ApprovalId) -> Decision | None:
        """What came of it, for a producer that waits by looking: as the person said, `expired` or `withdrawn`.

        None while it is pending, and when it was voided: then there is another question. Raises NotFound.
        """
        async with self._database.tenant(tenant) as transaction:
            row = await store.find(transaction, approval)
        if row is None:
            raise approval_not_found(approval)
        return find_decision(row)

    async def decide(
        self,
        principal: Principal,
        approval: ApprovalId,
        verdict: Verdict,
        *,
        digest: str,
        reason: str | None = None,
        edited_arguments: Json = None,
    ) -> Approval:
        """Approve, reject or edit what was shown. Saying the same again is answered alike, and done once.

        digest  of what the person was shown; another one than the approval's is refused
        An edit approves what it makes of it; under four eyes it is shown to another person instead.
        raises  NotFound, Forbidden, NotAssigned, SamePerson, AlreadyDecided, DecidedTooLate, ContentChanged,
                ProposalRefused, InvalidInput; Conflict `run_finished` when the run that waits has ended
        """
        ruling = Ruling(verdict, digest, reason, edited_arguments)
        calls = Calls(self._pipelines)
        async with self._database.tenant(principal.tenant) as transaction:
            row = await deciding.decide(calls, transaction, principal, approval, ruling)
        await calls.make_known()
        return read_approval(row)

    async def delegate(
        self, principal: Principal, approval: ApprovalId, to: str, *, reason: str | None = None
    ) -> Approval:
        """Let a person, a team or a role decide as well, `user:usr_...` or the like; they need the permission too.

        Only who may decide may delegate, so nobody picks a judge of their own work. Repeating it changes nothing.
        raises  as `decide`; SamePerson for a person who began or edited it
        """
        async with self._database.tenant(principal.tenant) as transaction:
            return read_approval(await deciding.delegate(transaction, principal, approval, to, reason))

    async def withdraw(self, principal: Principal, approval: ApprovalId, *, reason: str | None = None) -> Approval:
        """Take the question back: for who began the work or edited it, and members with `run.operate`.

        The run that waits is told, with the verdict `withdrawn`. Repeating it changes nothing.
        raises  NotFound, Forbidden, AlreadyDecided, DecidedTooLate
        """
        calls = Calls(self._pipelines)
        async with self._database.tenant(principal.tenant) as transaction:
            row = await deciding.withdraw(calls, transaction, principal, approval, reason)
        await calls.make_known()
        return read_approval(row)

    async def withdraw_waiting(self, tenant: TenantId, run: RunId) -> int:
        """Withdraw what a run that has ended waited for, and say how many; repeating it is fine."""
        withdrawn, calls = 0, Calls(self._pipelines)
        async with self._database.tenant(tenant) as transaction:
            for identifier in await store.list_waiting(transaction, run):
                row = await deciding.get_locked(transaction, ApprovalId(identifier))
                if row["state"] == State.PENDING.value and row["run_id"] == run:
                    entry = Entry("withdrawn", reason="The run that waited has ended.")
                    await deciding.close_withdrawn(calls, transaction, row, entry)
                    withdrawn += 1
        return withdrawn

    async def get(self, principal: Principal, approval: ApprovalId) -> Seen:
        """One approval with its history. Needs `ai.output.view`; see `Seen` for what others are shown."""
        principal.require(READ)
        async with self._database.tenant(principal.tenant) as transaction:
            row = await store.find(transaction, approval)
            if row is None:
                raise approval_not_found(approval)
            found = read_approval(row, await store.read_history(transaction, approval))
        return _seen(principal, found, is_over=row["is_over"])

    async def list(self, principal: Principal, request: PageRequest, wanted: Wanted | None = None) -> Page[Seen]:
        """Approvals, newest first, without arguments, output and text. Needs `ai.output.view`."""
        principal.require(READ)
        wanted = wanted or Wanted()
        (before,) = request.key(UUID)
        where = store.ListFilter(
            before=before,
            limit=request.limit + 1,
            state=wanted.state.value if wanted.state else None,
            run=wanted.run,
            voices=sorted(voices(principal)) if wanted.is_mine else None,
            hands=sorted(principal.hands),
        )
        async with self._database.tenant(principal.tenant) as transaction:
            rows = await store.list_some(transaction, where)
        shown, has_more = cut_page(rows, request)
        seen = tuple(_seen(principal, read_approval(row), is_over=row["is_over"]) for row in shown)
        return Page(seen, make_cursor(str(shown[-1]["id"])) if has_more else None)

    async def expire_due(self, *, limit: int = 100) -> int:
        """End what nobody decided in time, in every tenant, and say how many; several workers may do so at once."""
        return await timing.expire_due(self._database, self._pipelines, limit=limit)

    async def escalate_due(self, *, limit: int = 100) -> int:
        """Let those decide as well to whom overdue questions escalate, in every tenant, and say how many."""
        return await timing.escalate_due(self._database, self._pipelines, limit=limit)


def _seen(principal: Principal, approval: Approval, *, is_over: bool) -> Seen:
    is_open = approval.state is State.PENDING and not is_over
    return Seen(approval, may_read(principal, approval), is_open and may_decide(principal, approval))
