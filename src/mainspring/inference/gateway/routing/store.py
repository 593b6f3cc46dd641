"""SQL of past outcomes: how well a model answered a question, for routing that learns."""

from collections.abc import Sequence
from uuid import UUID

from mainspring.foundation.db import Row, TenantTransaction


async def find_answered(transaction: TenantTransaction, call: UUID) -> Row | None:
    """What a call of the tenant asked, of which model, and who answered; by primary key."""
    return await transaction.first(
        """
        select r.operation, r.model_asked, r.model_served, r.provider, p.input
          from inference_record r left join inference_payload p on p.tenant_id = r.tenant_id and p.record_id = r.id
         where r.tenant_id = %(tenant)s and r.id = %(id)s""",
        tenant=transaction.tenant,
        id=call,
    )


async def upsert_outcome(
    transaction: TenantTransaction, call: UUID, *, model: str, embedding: Sequence[float], score: float
) -> None:
    """Store the outcome of a call; a later word on the same call replaces the score."""
    await transaction.run(
        """
        insert into route_outcome (tenant_id, id, model, embedding, score)
        values (%(tenant)s, %(id)s, %(model)s, %(embedding)s::halfvec, %(score)s)
        on conflict (tenant_id, id) do update set score = excluded.score""",
        tenant=transaction.tenant,
        id=call,
        model=model,
        embedding=f"[{','.join(format(number, '.5g') for number in embedding)}]",
        score=score,
    )


async def select_newest_outcomes(transaction: TenantTransaction, *, limit: int) -> list[Row]:
    """Model, score and embedding (pgvector's binary form) of the newest calls; by primary key, `limit` rows."""
    return await transaction.all(
        """
        select model, score, halfvec_send(embedding) as embedding from route_outcome
         where tenant_id = %(tenant)s order by id desc limit %(limit)s""",
        tenant=transaction.tenant,
        limit=limit,
    )


async def delete_older_outcomes(transaction: TenantTransaction, *, keep: int) -> int:
    """Delete all but the newest `keep` calls' outcomes; returns how many."""
    return await transaction.run(
        """
        delete from route_outcome where tenant_id = %(tenant)s and id < (
          select id from route_outcome where tenant_id = %(tenant)s order by id desc offset %(last)s limit 1)""",
        tenant=transaction.tenant,
        last=keep - 1,
    )
