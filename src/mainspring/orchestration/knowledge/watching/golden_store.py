"""SQL of golden questions, at the tenant's home."""

from uuid import UUID

from mainspring.foundation.db import Row, TenantTransaction
from mainspring.orchestration.knowledge.retrieval import Span

from .types import GoldenQuestion, NewGoldenQuestion


async def lock(transaction: TenantTransaction) -> None:
    """Keep others from adding questions of this tenant until the transaction ends."""
    await transaction.first(
        "select pg_advisory_xact_lock(hashtextextended(%(tenant)s::text, 12))", tenant=transaction.tenant
    )


async def count(transaction: TenantTransaction) -> int:
    """How many the tenant has."""
    row = await transaction.one(
        "select count(*) as questions from golden_question where tenant_id = %(tenant)s", tenant=transaction.tenant
    )
    return int(row["questions"])


async def add(
    transaction: TenantTransaction, identifier: UUID, new: NewGoldenQuestion, *, revision: int, by: str
) -> None:
    """Insert a question."""
    await transaction.run(
        """insert into golden_question (tenant_id, id, question, document_id, revision, start, "end", created_by)
           values (%(tenant)s, %(id)s, %(question)s, %(document)s, %(revision)s, %(start)s, %(end)s, %(by)s)""",
        **_values(transaction, identifier, new, revision),
        by=by,
    )


async def replace(transaction: TenantTransaction, identifier: UUID, new: NewGoldenQuestion, *, revision: int) -> bool:
    """Change a question; False when there is none."""
    changed = await transaction.run(
        """update golden_question
              set question = %(question)s, document_id = %(document)s, revision = %(revision)s, start = %(start)s,
                  "end" = %(end)s
            where tenant_id = %(tenant)s and id = %(id)s""",
        **_values(transaction, identifier, new, revision),
    )
    return changed == 1


async def delete(transaction: TenantTransaction, identifier: UUID) -> bool:
    """Delete a question; False when there is none."""
    deleted = await transaction.run(
        "delete from golden_question where tenant_id = %(tenant)s and id = %(id)s",
        tenant=transaction.tenant,
        id=identifier,
    )
    return deleted == 1


async def list_all(transaction: TenantTransaction) -> list[GoldenQuestion]:
    """Oldest first, with the revision that each document has now."""
    rows = await transaction.all(
        """select g.*, d.revision as current from golden_question as g
             left join document as d on d.tenant_id = %(tenant)s and d.id = g.document_id
            where g.tenant_id = %(tenant)s order by g.id""",
        tenant=transaction.tenant,
    )
    return [_question(row) for row in rows]


async def find(transaction: TenantTransaction, identifier: UUID) -> GoldenQuestion | None:
    """One question."""
    row = await transaction.first(
        """select g.*, d.revision as current from golden_question as g
             left join document as d on d.tenant_id = %(tenant)s and d.id = g.document_id
            where g.tenant_id = %(tenant)s and g.id = %(id)s""",
        tenant=transaction.tenant,
        id=identifier,
    )
    return _question(row) if row else None


def _values(
    transaction: TenantTransaction, identifier: UUID, new: NewGoldenQuestion, revision: int
) -> dict[str, object]:
    return {
        "tenant": transaction.tenant,
        "id": identifier,
        "question": new.question,
        "document": new.document_id,
        "revision": revision,
        "start": new.span.start if new.span else None,
        "end": new.span.end if new.span else None,
    }


def _question(row: Row) -> GoldenQuestion:
    return GoldenQuestion(
        id=row["id"],
        question=row["question"],
        document_id=row["document_id"],
        revision=row["revision"],
        span=Span(row["start"], row["end"]) if row["start"] is not None else None,
        created_by=row["created_by"],
        created_at=row["created_at"],
        current=row["current"],
    )
