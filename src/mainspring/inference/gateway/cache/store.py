"""SQL of the semantic cache. Each search is an exact scan of one context's entries of one tenant."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from mainspring.foundation.db import Row, SystemTransaction, TenantTransaction

_NEAREST = """
    select id, reply, observations, created_at, 1 - (embedding <=> %(vector)s::halfvec(384)) as similarity
      from semantic_entry
     where tenant_id = %(tenant)s and context = %(context)s and expires_at > now()
     order by embedding <=> %(vector)s::halfvec(384)
     limit %(limit)s"""

_OBSERVE = """
    update semantic_entry
       set observations = case when jsonb_array_length(observations) < %(most)s then observations
                               else observations - 0 end || %(observation)s::jsonb,
           shadowed = shadowed + %(shadowed)s,
           wrong = wrong + %(wrong)s
     where tenant_id = %(tenant)s and id = %(id)s"""

_FIGURES = """
    select feature, sum(hits)::bigint as hits, sum(shadowed)::bigint as shadowed, sum(wrong)::bigint as wrong
      from semantic_entry where tenant_id = %(tenant)s
     group by feature order by feature"""

_TRIM = """
    delete from semantic_entry where tenant_id = %(tenant)s and id in
      (select id from semantic_entry where tenant_id = %(tenant)s and context = %(context)s
        order by created_at desc offset %(most)s)"""


async def nearest(transaction: TenantTransaction, context: bytes, vector: str, *, limit: int) -> list[Row]:
    """The nearest living entries of a context, nearest first, with their cosine."""
    return await transaction.all(_NEAREST, tenant=transaction.tenant, context=context, vector=vector, limit=limit)


async def insert_entry(
    transaction: TenantTransaction, row: Row, *, expires_at: datetime, most: int | None = None
) -> None:
    """Keep an entry (id, context, feature, embedding, reply); with `most`, the context's oldest above it go."""
    await transaction.run(
        """
        insert into semantic_entry (tenant_id, id, context, feature, embedding, reply, expires_at)
        values (%(tenant)s, %(id)s, %(context)s, %(feature)s, %(embedding)s::halfvec(384), %(reply)s, %(expires_at)s)
        on conflict do nothing""",
        tenant=transaction.tenant,
        expires_at=expires_at,
        **row,
    )
    if most is not None:
        await transaction.run(_TRIM, tenant=transaction.tenant, context=row["context"], most=most)


async def count_hit(transaction: TenantTransaction, entry: UUID) -> None:
    """One more reply given from an entry."""
    await transaction.run(
        "update semantic_entry set hits = hits + 1 where tenant_id = %(tenant)s and id = %(id)s",
        tenant=transaction.tenant,
        id=entry,
    )


async def add_observation(
    transaction: TenantTransaction, entry: UUID, observation: str, *, most: int, shadowed: bool, wrong: bool
) -> None:
    """Append what was seen, as JSON, dropping the oldest above `most`; counts it too when it was a hit."""
    await transaction.run(
        _OBSERVE,
        tenant=transaction.tenant,
        id=entry,
        observation=observation,
        most=most,
        shadowed=int(shadowed),
        wrong=int(shadowed and wrong),
    )


async def figures(transaction: TenantTransaction) -> Sequence[Row]:
    """Hits, shadow runs and wrong ones of the entries that are there, by feature."""
    return await transaction.all(_FIGURES, tenant=transaction.tenant)


async def delete_entries(transaction: TenantTransaction, feature: str | None) -> int:
    """Delete the tenant's entries, or those of one feature."""
    return await transaction.run(
        """
        delete from semantic_entry
         where tenant_id = %(tenant)s and (%(feature)s::text is null or feature = %(feature)s)""",
        tenant=transaction.tenant,
        feature=feature,
    )


async def delete_expired(transaction: SystemTransaction, *, limit: int) -> int:
    """Delete up to `limit` entries of any tenant whose time is over."""
    return await transaction.run(
        """
        delete from semantic_entry where (tenant_id, id) in
          (select tenant_id, id from semantic_entry where expires_at <= now() limit %(limit)s)""",
        limit=limit,
    )
