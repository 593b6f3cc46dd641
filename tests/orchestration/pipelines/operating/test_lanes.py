"""What a tenant sees of its own lanes, and nothing of anybody else's."""

from mainspring.foundation.ids import TenantId
from mainspring.orchestration.pipelines.operating import HoldKind
from tests.orchestration.pipelines.conftest import Engine

from .conftest import Desk
from .pipelines import Counter, Order, shop

LANE = "tests.shop@1/price"


async def lanes(desk: Desk, tenant: TenantId) -> list[dict[str, object]]:
    answer = await desk.get(tenant, "/lanes")
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def test_a_tenant_sees_what_it_has_waiting_and_how_long(
    engine: Engine, desk: Desk, tenant: TenantId, other_tenant: TenantId
) -> None:
    pipeline = shop(Counter())
    assert await lanes(desk, tenant) == []
    run, *_ = [await engine.pipelines.submit(tenant, pipeline, Order(1)) for _ in range(3)]
    await engine.pipelines.submit(other_tenant, pipeline, Order(1))
    async with engine.database.tenant(tenant) as transaction:
        await transaction.run(
            "update step set status = 'running', token = gen_random_uuid(), lease_until = now() + interval '1 minute'"
            " where run_id = %(run)s and status = 'ready'",
            run=run.id,
        )
        await transaction.run("update run set created_at = created_at - interval '1 hour'")
    (lane,) = await lanes(desk, tenant)
    assert {name: lane[name] for name in ("lane", "pipeline", "version", "step", "ready", "running")} == {
        "lane": LANE,
        "pipeline": "tests.shop",
        "version": 1,
        "step": "price",
        "ready": 2,
        "running": 1,
    }
    assert 3600 <= float(str(lane["oldest_seconds"])) < 3700
    (other,) = await lanes(desk, other_tenant)
    assert (other["ready"], other["running"]) == (1, 0)
    assert (await desk.get(tenant, "/lanes", "run.operate")).status_code == 403


async def test_lanes_tell_of_the_tenants_holds_and_the_operators(
    engine: Engine, desk: Desk, tenant: TenantId, other_tenant: TenantId
) -> None:
    async def held() -> tuple[object, object]:
        (lane,) = await lanes(desk, tenant)
        return lane["is_paused"], lane["is_draining"]

    await engine.pipelines.submit(tenant, shop(Counter()), Order(1))
    holds = desk.operating.holds
    assert await held() == (False, False)
    await holds.hold(other_tenant, HoldKind.PAUSE, (None, None), reason="Not yours.", by="them")
    await holds.hold(tenant, HoldKind.PAUSE, ("tests.shop", "ship"), reason="Another step.", by="us")
    assert await held() == (False, False)
    await holds.hold(tenant, HoldKind.DRAIN, ("tests.shop", "ship"), reason="A drain is of the pipeline.", by="us")
    assert await held() == (False, True)
    made = await holds.hold(None, HoldKind.PAUSE, ("tests.shop", "price"), reason="Incident 8.", by="root@host")
    try:
        assert await held() == (True, True)
    finally:
        await holds.release(None, made.id)
