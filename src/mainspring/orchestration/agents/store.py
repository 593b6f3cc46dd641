"""The SQL of assistants as runs need them, and of whose threads are; what else is done with both is in `server`."""

from collections.abc import Sequence
from uuid import UUID

from mainspring.foundation.db import Row, TenantTransaction


async def find_assistant(transaction: TenantTransaction, assistant: UUID) -> Row | None:
    """Graph, config and context of an assistant. Primary key."""
    return await transaction.first(
        "select id, graph, config, context from agent_assistant where tenant_id = %(tenant)s and id = %(id)s",
        tenant=transaction.tenant,
        id=assistant,
    )


async def insert_standard(
    transaction: TenantTransaction, assistant: UUID, *, graph: str, name: str, description: str | None
) -> Row:
    """The standard assistant of a graph, at version 1; another one's insert at the same time is waited for."""
    values = {
        "tenant": transaction.tenant,
        "id": assistant,
        "graph": graph,
        "name": name,
        "description": description,
    }
    await transaction.run(
        """
        insert into agent_assistant (tenant_id, id, graph, name, description, metadata)
        values (%(tenant)s, %(id)s, %(graph)s, %(name)s, %(description)s, '{"created_by": "system"}')
            on conflict do nothing""",
        **values,
    )
    await transaction.run(
        """
        insert into agent_assistant_version (tenant_id, assistant_id, version, graph, name, description, metadata)
        values (%(tenant)s, %(id)s, 1, %(graph)s, %(name)s, %(description)s, '{"created_by": "system"}')
            on conflict do nothing""",
        **values,
    )
    return await transaction.one(
        "select id, graph, config, context from agent_assistant where tenant_id = %(tenant)s and id = %(id)s",
        tenant=transaction.tenant,
        id=assistant,
    )


async def hidden_threads(transaction: TenantTransaction, threads: Sequence[UUID], hands: Sequence[str]) -> set[UUID]:
    """Those of the threads that belong to none of these hands. Primary key."""
    rows = await transaction.all(
        """
        select id from agent_thread
         where tenant_id = %(tenant)s and id = any(%(threads)s::uuid[]) and owner <> all(%(hands)s::text[])""",
        tenant=transaction.tenant,
        threads=list(threads),
        hands=list(hands),
    )
    return {row["id"] for row in rows}
