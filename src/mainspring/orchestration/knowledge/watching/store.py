"""SQL of the watch. Checks and alerts are in the platform's own database, wherever a tenant's documents live.

They hold figures and no word of a document, and an alert is announced through the outbox in the transaction that
opens it. What is measured is read at the tenant's home.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from mainspring.foundation.db import Row, SystemTransaction, TenantTransaction
from mainspring.foundation.ids import TenantId

from .types import (
    Alert,
    Check,
    CheckKind,
    CheckStatus,
    Figures,
    Measured,
    Moved,
    Ranks,
    SearchedIndex,
    Subject,
)

LEASE = timedelta(minutes=15)
"""After which a check that was begun and not ended is begun again."""


async def list_searched(transaction: SystemTransaction) -> list[SearchedIndex]:
    """Every tenant's active index that holds something."""
    rows = await transaction.all(
        """select tenant_id, id, embedding_model from knowledge_index as i
            where status = 'active' and exists (
                  select from indexed_document as d where d.tenant_id = i.tenant_id and d.index_id = i.id)
            order by tenant_id"""
    )
    return [SearchedIndex(TenantId(row["tenant_id"]), row["id"], row["embedding_model"]) for row in rows]


async def list_finished(transaction: TenantTransaction, day: date) -> set[Subject]:
    """What needs no second look on this day."""
    rows = await transaction.all(
        """select kind, subject from knowledge_check
            where tenant_id = %(tenant)s and day = %(day)s and status <> 'running'""",
        tenant=transaction.tenant,
        day=day,
    )
    return {Subject(CheckKind(row["kind"]), row["subject"]) for row in rows}


async def claim(transaction: TenantTransaction, subject: Subject, at: datetime) -> bool:
    """Whether the day's check is now this worker's: nobody else made it, or is at it."""
    claimed = await transaction.run(
        """insert into knowledge_check as made (tenant_id, kind, subject, day, claimed_at)
           values (%(tenant)s, %(kind)s, %(subject)s, %(day)s, %(at)s)
           on conflict (tenant_id, kind, subject, day) do update set claimed_at = excluded.claimed_at
            where made.status = 'running' and made.claimed_at < excluded.claimed_at - %(lease)s""",
        **_key(transaction, subject, at),
        at=at,
        lease=LEASE,
    )
    return claimed == 1


async def finish(
    transaction: TenantTransaction, subject: Subject, at: datetime, status: CheckStatus, measured: Measured
) -> bool:
    """Write down what was found; False when another worker already has, after this one took too long."""
    finished = await transaction.run(
        """update knowledge_check set status = %(status)s, figures = %(figures)s, ranks = %(ranks)s
            where tenant_id = %(tenant)s and kind = %(kind)s and subject = %(subject)s and day = %(day)s
              and status = 'running'""",
        **_key(transaction, subject, at),
        status=status,
        figures=Jsonb(dict(measured.figures)),
        ranks=Jsonb(dict(measured.ranks)) if measured.ranks is not None else None,
    )
    return finished == 1


async def list_usual(
    transaction: TenantTransaction, subject: Subject, at: datetime, days: int
) -> list[tuple[Figures, Ranks | None]]:
    """What was found on the last usual days, newest first.

    Days on which something moved are not usual, unless somebody has acknowledged it: then they are what is usual, and
    those before are not.
    """
    rows = await transaction.all(
        """with accepted as (
             select opened_on, acknowledged_at from knowledge_alert
              where tenant_id = %(tenant)s and kind = %(kind)s and subject = %(subject)s
                and acknowledged_at is not null
              order by acknowledged_at desc limit 1)
           select c.figures, c.ranks from knowledge_check as c left join accepted as a on true
            where c.tenant_id = %(tenant)s and c.kind = %(kind)s and c.subject = %(subject)s and c.day < %(day)s
              and (c.status in ('learning', 'normal') or (c.status = 'moved' and c.claimed_at <= a.acknowledged_at))
              and (a.opened_on is null or c.day >= a.opened_on)
            order by c.day desc limit %(days)s""",
        **_key(transaction, subject, at),
        days=days,
    )
    return [(row["figures"], row["ranks"]) for row in rows]


async def open_alert(
    transaction: TenantTransaction, identifier: UUID, subject: Subject, at: datetime, moved: Sequence[Moved]
) -> bool:
    """Open an alert; False while there is one of the subject that is not resolved, whoever has seen it."""
    opened = await transaction.run(
        """insert into knowledge_alert (tenant_id, id, kind, subject, opened_on, opened_at, moved)
           values (%(tenant)s, %(id)s, %(kind)s, %(subject)s, %(day)s, %(at)s, %(moved)s)
           on conflict (tenant_id, kind, subject) where resolved_at is null do nothing""",
        **_key(transaction, subject, at),
        id=identifier,
        at=at,
        moved=Jsonb(msgspec.to_builtins(list(moved))),
    )
    return opened == 1


async def resolve(transaction: TenantTransaction, subject: Subject, at: datetime) -> int:
    """Close the subject's alert, for it is back to normal."""
    return await transaction.run(
        """update knowledge_alert set resolved_at = %(at)s
            where tenant_id = %(tenant)s and kind = %(kind)s and subject = %(subject)s and resolved_at is null""",
        tenant=transaction.tenant,
        kind=subject.kind,
        subject=subject.name,
        at=at,
    )


async def resolve_others(transaction: TenantTransaction, subjects: Sequence[Subject], at: datetime) -> int:
    """Close alerts of what is not looked at any more, such as an index that is no longer searched."""
    return await transaction.run(
        """update knowledge_alert set resolved_at = %(at)s
            where tenant_id = %(tenant)s and resolved_at is null
              and (kind, subject) not in (select * from unnest(%(kinds)s::text[], %(subjects)s::text[]))""",
        tenant=transaction.tenant,
        at=at,
        kinds=[subject.kind.value for subject in subjects],
        subjects=[subject.name for subject in subjects],
    )


async def acknowledge(transaction: TenantTransaction, alert: UUID, at: datetime, by: str) -> Alert | None:
    """Note who has seen it, the first one only; None when there is no such alert."""
    row = await transaction.first(
        """update knowledge_alert
              set acknowledged_at = coalesce(acknowledged_at, %(at)s),
                  acknowledged_by = coalesce(acknowledged_by, %(by)s)
            where tenant_id = %(tenant)s and id = %(id)s returning *""",
        tenant=transaction.tenant,
        id=alert,
        at=at,
        by=by,
    )
    return _alert(row) if row else None


async def list_alerts(transaction: TenantTransaction, limit: int) -> list[Alert]:
    """Unresolved ones first, newest first."""
    rows = await transaction.all(
        """select * from knowledge_alert where tenant_id = %(tenant)s
            order by resolved_at is not null, opened_at desc, id limit %(limit)s""",
        tenant=transaction.tenant,
        limit=limit,
    )
    return [_alert(row) for row in rows]


async def list_checks(transaction: TenantTransaction, since: date) -> list[Check]:
    """Checks that were made on that day or later, newest first."""
    rows = await transaction.all(
        """select kind, subject, day, status, figures from knowledge_check
            where tenant_id = %(tenant)s and day >= %(since)s and status <> 'running'
            order by day desc, kind, subject""",
        tenant=transaction.tenant,
        since=since,
    )
    return [
        Check(Subject(CheckKind(row["kind"]), row["subject"]), row["day"], CheckStatus(row["status"]), row["figures"])
        for row in rows
    ]


async def find_last_ranks(transaction: TenantTransaction) -> Ranks:
    """Where the answers of golden questions stood the last time."""
    row = await transaction.first(
        """select ranks from knowledge_check where tenant_id = %(tenant)s and kind = 'golden' and ranks is not null
            order by day desc limit 1""",
        tenant=transaction.tenant,
    )
    return row["ranks"] if row else {}


async def forget_before(transaction: TenantTransaction, day: date) -> None:
    """Let go of old checks, and of alerts that were resolved before that day."""
    await transaction.run(
        "delete from knowledge_check where tenant_id = %(tenant)s and day < %(day)s", tenant=transaction.tenant, day=day
    )
    await transaction.run(
        "delete from knowledge_alert where tenant_id = %(tenant)s and resolved_at < %(day)s",
        tenant=transaction.tenant,
        day=day,
    )


async def measure_lengths(transaction: TenantTransaction, index: UUID) -> Row:
    """Of all vectors of the index: `vectors`, `mean_norm`, `norm_spread` and the `non_unit_share`, over 1 % off."""
    return await transaction.one(
        """select count(*) as vectors, avg(norm) as mean_norm, stddev_pop(norm) as norm_spread,
                  avg((abs(norm - 1) > 0.01)::integer)::float8 as non_unit_share
             from (select l2_norm(embedding) as norm from chunk_vector
                    where tenant_id = %(tenant)s and index_id = %(index)s) as measured""",
        tenant=transaction.tenant,
        index=index,
    )


async def sample_vectors(transaction: TenantTransaction, index: UUID, limit: int) -> list[tuple[UUID, list[float]]]:
    """Vectors with their documents, spread over the index, the same ones each time."""
    rows = await transaction.planned(
        """select document_id, embedding::text as vector from chunk_vector
            where tenant_id = %(tenant)s and index_id = %(index)s
            order by hashtextextended(document_id::text, ordinal), document_id, ordinal limit %(limit)s""",
        tenant=transaction.tenant,
        index=index,
        limit=limit,
    )
    return [(row["document_id"], msgspec.json.decode(row["vector"], type=list[float])) for row in rows]


async def count_new_terms(transaction: TenantTransaction, index: UUID, since: datetime) -> tuple[int, int]:
    """How many terms the documents that came in since then hold, and how many of these no other document holds."""
    (row,) = await transaction.planned(
        """with arrived as (
             select held.term, sum(held.chunks) as chunks
               from indexed_document as d, unnest(d.terms, d.term_chunks) as held(term, chunks)
              where d.tenant_id = %(tenant)s and d.index_id = %(index)s and d.indexed_at >= %(since)s
              group by held.term)
           select count(*) as terms, count(*) filter (where known.chunks <= arrived.chunks) as fresh
             from arrived join term_count as known on known.tenant_id = %(tenant)s and known.index_id = %(index)s
                  and known.term = arrived.term""",
        tenant=transaction.tenant,
        index=index,
        since=since,
    )
    return row["terms"], row["fresh"]


def _key(transaction: TenantTransaction, subject: Subject, at: datetime) -> dict[str, object]:
    return {"tenant": transaction.tenant, "kind": subject.kind, "subject": subject.name, "day": at.date()}


def _alert(row: Row) -> Alert:
    return Alert(
        id=row["id"],
        subject=Subject(CheckKind(row["kind"]), row["subject"]),
        opened_on=row["opened_on"],
        opened_at=row["opened_at"],
        moved=tuple(msgspec.convert(each, Moved) for each in row["moved"]),
        acknowledged_at=row["acknowledged_at"],
        acknowledged_by=row["acknowledged_by"],
        resolved_at=row["resolved_at"],
    )
