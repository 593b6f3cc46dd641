"""All SQL of approvals. Every statement is confined to its transaction's tenant by row-level security as well.

Instants of a person's time are `mainspring_now()`, so that a rehearsal can move the clock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from psycopg.types.json import Jsonb

from mainspring.foundation.db import Row, SystemTransaction, TenantTransaction


@dataclass(frozen=True, slots=True)
class ListFilter:
    """Which approvals a list shows.

    voices, hands  of the caller, for what the caller may decide now; None: everybody's
    """

    before: UUID | None
    limit: int
    state: str | None
    run: UUID | None
    voices: Sequence[str] | None
    hands: Sequence[str]


async def insert(transaction: TenantTransaction, row: Mapping[str, object]) -> Row | None:
    """The new approval; None when its key asks a question already."""
    return await transaction.first(
        """
        insert into approval (tenant_id, id, key, action, title, shown, content, digest, shown_digest, assigned,
                              four_eyes, initiator, editor, run_id, signal, asked_at, expires_at, escalate_at,
                              escalate_to)
        values (%(tenant)s, %(id)s, %(key)s, %(action)s, %(title)s, %(shown)s, %(content)s, %(digest)s, %(digest)s,
                %(assigned)s, %(four_eyes)s, %(initiator)s, %(editor)s, %(run)s, %(signal)s, mainspring_now(),
                mainspring_now() + %(expires)s::interval, mainspring_now() + %(escalate_after)s::interval,
                %(escalate_to)s)
        on conflict (tenant_id, key) where replaced_by is null do nothing
        returning *""",
        tenant=transaction.tenant,
        **row,
    )


async def find(transaction: TenantTransaction, approval: UUID) -> Row | None:
    """One approval."""
    return await transaction.first(
        "select *, expires_at <= mainspring_now() as is_over from approval"
        " where tenant_id = %(tenant)s and id = %(id)s",
        tenant=transaction.tenant,
        id=approval,
    )


async def lock(transaction: TenantTransaction, approval: UUID) -> Row | None:
    """One approval, kept from everybody else until the transaction ends; `is_over`: the time to decide has passed."""
    return await transaction.first(
        "select *, expires_at <= mainspring_now() as is_over from approval"
        " where tenant_id = %(tenant)s and id = %(id)s for update",
        tenant=transaction.tenant,
        id=approval,
    )


async def lock_by_key(transaction: TenantTransaction, key: str) -> Row | None:
    """The question that the key asks now, locked as by `lock`."""
    return await transaction.first(
        "select *, expires_at <= mainspring_now() as is_over from approval"
        " where tenant_id = %(tenant)s and key = %(key)s and replaced_by is null for update",
        tenant=transaction.tenant,
        key=key,
    )


async def list_some(transaction: TenantTransaction, wanted: ListFilter) -> list[Row]:
    """Approvals, newest first, without their content.

    Planned for these very values: conditions that are absent are gone then, and `approval_by_state` serves an inbox
    however much the tenant has decided before.
    """
    return await transaction.planned(
        """
        select id, tenant_id, key, action, title, digest, shown_digest, revision, state, assigned, four_eyes,
               initiator, editor, run_id, asked_at, expires_at, escalated_at, verdict, decided_by, decided_hands,
               decided_at, replaced_by, expires_at <= mainspring_now() as is_over
          from approval
         where tenant_id = %(tenant)s
           and (%(before)s::uuid is null or id < %(before)s::uuid)
           and (%(state)s::text is null or state = %(state)s::text)
           and (%(run)s::uuid is null or run_id = %(run)s::uuid)
           and (%(voices)s::text[] is null
                or (state = 'pending' and expires_at > mainspring_now() and assigned && %(voices)s::text[]
                    and not (four_eyes and (cardinality(%(hands)s::text[]) = 0
                                            or initiator && %(hands)s::text[] or editor && %(hands)s::text[]))))
         order by id desc limit %(limit)s""",
        tenant=transaction.tenant,
        before=wanted.before,
        state=wanted.state,
        run=wanted.run,
        voices=None if wanted.voices is None else list(wanted.voices),
        hands=list(wanted.hands),
        limit=wanted.limit,
    )


async def replace(transaction: TenantTransaction, approval: UUID, *, by: UUID) -> Row:
    """Let another question take its place: what was pending or approved is void, what has ended stays as it is."""
    return await transaction.one(
        """
        update approval set replaced_by = %(by)s,
                            state = case when state in ('pending', 'approved') then 'voided' else state end
         where tenant_id = %(tenant)s and id = %(id)s returning *""",
        tenant=transaction.tenant,
        id=approval,
        by=by,
    )


async def rebind(transaction: TenantTransaction, approval: UUID, *, run: UUID, signal: str | None) -> Row:
    """Let another run wait for a pending approval."""
    return await transaction.one(
        "update approval set run_id = %(run)s, signal = %(signal)s"
        " where tenant_id = %(tenant)s and id = %(id)s returning *",
        tenant=transaction.tenant,
        id=approval,
        run=run,
        signal=signal,
    )


async def edit(transaction: TenantTransaction, approval: UUID, *, content: str, digest: str, hands: list[str]) -> Row:
    """Put an edited content in place of the one that was shown; it stays pending."""
    return await transaction.one(
        """
        update approval set content = %(content)s, digest = %(digest)s, editor = %(hands)s, revision = revision + 1
         where tenant_id = %(tenant)s and id = %(id)s returning *""",
        tenant=transaction.tenant,
        id=approval,
        content=content,
        digest=digest,
        hands=hands,
    )


async def decide(transaction: TenantTransaction, approval: UUID, values: Mapping[str, object]) -> Row:
    """Write a decision down; the constraints of the table have the last word on it."""
    return await transaction.one(
        """
        update approval set state = %(state)s, verdict = %(verdict)s, reason = %(reason)s,
                            decided_digest = %(digest)s, decided_by = %(by)s, decided_hands = %(hands)s,
                            decided_at = mainspring_now()
         where tenant_id = %(tenant)s and id = %(id)s and state = 'pending' returning *""",
        tenant=transaction.tenant,
        id=approval,
        **values,
    )


async def close(transaction: TenantTransaction, approval: UUID, *, state: str) -> Row:
    """End a pending approval without a decision."""
    return await transaction.one(
        """
        update approval set state = %(state)s, closed_at = mainspring_now()
         where tenant_id = %(tenant)s and id = %(id)s and state = 'pending' returning *""",
        tenant=transaction.tenant,
        id=approval,
        state=state,
    )


async def widen(transaction: TenantTransaction, approval: UUID, *, assigned: list[str], is_escalation: bool) -> Row:
    """Let more people decide."""
    return await transaction.one(
        """
        update approval set assigned = %(assigned)s,
                            escalated_at = case when %(is_escalation)s then mainspring_now() else escalated_at end
         where tenant_id = %(tenant)s and id = %(id)s returning *""",
        tenant=transaction.tenant,
        id=approval,
        assigned=assigned,
        is_escalation=is_escalation,
    )


async def consume(transaction: TenantTransaction, approval: UUID, *, digest: str, by: str | None) -> Row | None:
    """The approval, used up by this statement and by no other; None when it could not be."""
    return await transaction.first(
        """
        update approval set state = 'consumed', consumed_at = mainspring_now(), consumed_by = %(by)s
         where tenant_id = %(tenant)s and id = %(id)s and state = 'approved' and decided_digest = %(digest)s
        returning *""",
        tenant=transaction.tenant,
        id=approval,
        digest=digest,
        by=by,
    )


async def remember(transaction: TenantTransaction, approval: Row, entry: Mapping[str, object]) -> None:
    """Append to the history of an approval whose row is locked, or was made in this transaction."""
    await transaction.run(
        """
        insert into approval_history (tenant_id, approval_id, seq, event, revision, digest, content, by_subject,
                                      by_name, hands, reason, facts, at)
        select %(tenant)s, %(id)s, coalesce(max(seq), 0) + 1, %(event)s, %(revision)s, %(digest)s, %(content)s, %(by)s,
               %(name)s, %(hands)s, %(reason)s, %(facts)s, mainspring_now()
          from approval_history where tenant_id = %(tenant)s and approval_id = %(id)s""",
        tenant=transaction.tenant,
        id=approval["id"],
        revision=approval["revision"],
        digest=approval["digest"],
        content=approval["content"],
        **{**entry, "facts": Jsonb(entry["facts"])},
    )


async def read_history(transaction: TenantTransaction, approval: UUID) -> list[Row]:
    """What happened to an approval, in order."""
    return await transaction.all(
        """
        select event, at, revision, digest, content, by_subject, by_name, reason, facts from approval_history
         where tenant_id = %(tenant)s and approval_id = %(id)s order by seq""",
        tenant=transaction.tenant,
        id=approval,
    )


async def list_waiting(transaction: TenantTransaction, run: UUID) -> list[UUID]:
    """Approvals that a run waits for."""
    rows = await transaction.all(
        "select id from approval where tenant_id = %(tenant)s and run_id = %(run)s and state = 'pending'",
        tenant=transaction.tenant,
        run=run,
    )
    return [row["id"] for row in rows]


async def list_expiring(transaction: SystemTransaction, *, limit: int) -> list[Row]:
    """Pending approvals of all tenants whose time is over: tenant and id, the longest overdue first."""
    return await transaction.all(
        """
        select tenant_id, id from approval where state = 'pending' and expires_at <= mainspring_now()
         order by expires_at limit %(limit)s""",
        limit=limit,
    )


async def list_escalating(transaction: SystemTransaction, *, limit: int) -> list[Row]:
    """Pending approvals of all tenants that more people are to see now."""
    return await transaction.all(
        """
        select tenant_id, id from approval
         where state = 'pending' and escalated_at is null and escalate_at <= mainspring_now()
           and expires_at > mainspring_now()
         order by escalate_at limit %(limit)s""",
        limit=limit,
    )
