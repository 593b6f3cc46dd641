"""The SQL of what may be submitted and of what waits: drains, and how many steps of a tenant are ready."""

from uuid import UUID

from mainspring.foundation.db import Row, SystemTransaction, TenantTransaction


async def list_drains(transaction: SystemTransaction) -> list[Row]:
    """Every drain. One of a step is one of its pipeline here: a new run would come to that step. Rows: few."""
    return await transaction.all("select tenant_id, pipeline, reason from hold where kind = 'drain' order by held_at")


async def count_ready(transaction: TenantTransaction, most: int) -> int:
    """How many steps of the tenant are ready, counted up to `most` and no further. Index: step_ready."""
    row = await transaction.one(
        """
        select count(*) as steps from (
            select 1 from step where tenant_id = %(tenant)s and status = 'ready' limit %(most)s) as counted""",
        tenant=transaction.tenant,
        most=most,
    )
    return row["steps"]


async def count_tenant_lanes(transaction: SystemTransaction, lanes: list[str]) -> list[Row]:
    """What is ready and what runs in each lane by tenant. Index: step_ready and step_leased."""
    return await transaction.all(
        """
        with counted (lane, tenant_id, ready, running) as (
            select lane, tenant_id, count(*), 0::bigint
              from step where status = 'ready' and lane = any (%(lanes)s) group by lane, tenant_id
            union all
            select lane, tenant_id, 0, count(*)
              from step where status = 'running' and lane = any (%(lanes)s) group by lane, tenant_id
        )
        select lane, tenant_id, sum(ready)::bigint as ready, sum(running)::bigint as running
          from counted group by lane, tenant_id order by lane, tenant_id""",
        lanes=lanes,
    )


async def read_share(transaction: SystemTransaction, tenant: UUID) -> Row | None:
    """What was set for the tenant: `weight` and `max_running`."""
    return await transaction.first(
        "select weight, max_running from tenant_share where tenant_id = %(tenant)s", tenant=tenant
    )


async def write_share(transaction: SystemTransaction, tenant: UUID, weight: int, max_running: int | None) -> None:
    """Set the tenant's share."""
    await transaction.run(
        """
        insert into tenant_share (tenant_id, weight, max_running) values (%(tenant)s, %(weight)s, %(most)s)
        on conflict (tenant_id) do update set weight = excluded.weight, max_running = excluded.max_running""",
        tenant=tenant,
        weight=weight,
        most=max_running,
    )
