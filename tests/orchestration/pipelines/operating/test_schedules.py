"""The clock starts pipelines: once for each instant, once for what was missed, by the clock of a place."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mainspring.foundation.db import Database
from mainspring.foundation.ids import TenantId, new_id, show_id
from mainspring.orchestration.pipelines.operating import fire_due
from mainspring.orchestration.pipelines.operating.cron import explain, next_firing, preview
from mainspring.orchestration.pipelines.operating.errors import ScheduleInvalid
from mainspring.orchestration.pipelines.operating.run_routes import READ
from tests.orchestration.pipelines.conftest import Engine

from .conftest import Desk

NIGHTLY = {"name": "nightly", "pipeline": "tests.shop", "input": {"amount": 5}, "cron": "30 2 * * *"}


async def make(desk: Desk, tenant: TenantId, **other: object) -> dict[str, object]:
    answer = await desk.post(tenant, "/schedules", {**NIGHTLY, **other})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def put_off(database: Database, tenant: TenantId, ago: timedelta) -> None:
    """Make the tenant's schedules due since then."""
    async with database.tenant(tenant) as transaction:
        await transaction.run(
            "update schedule set next_at = date_trunc('minute', now() - %(ago)s) where tenant_id = %(tenant)s",
            ago=ago,
            tenant=tenant,
        )


async def fire(desk: Desk, engine: Engine) -> int:
    return await fire_due(engine.database, engine.pipelines, desk.operating.declared)


async def test_a_schedule_fires_once_however_many_workers_look(engine: Engine, desk: Desk, tenant: TenantId) -> None:
    made = await make(desk, tenant)
    await fire(desk, engine)
    assert (await desk.get(tenant, "/runs")).json()["items"] == []
    await put_off(engine.database, tenant, timedelta(minutes=1))
    await asyncio.gather(*(fire(desk, engine) for _ in range(5)))
    (run,) = (await desk.get(tenant, "/runs")).json()["items"]
    shown = (await desk.get(tenant, f"/schedules/{made['id']}")).json()
    assert shown["last_run"] == run["id"]
    assert shown["last_problem"] is None
    assert shown["upcoming"][0] > run["created_at"]
    assert run["initiated_by"] == "schedule nightly"


async def test_what_was_missed_is_made_up_for_once(engine: Engine, desk: Desk, tenant: TenantId) -> None:
    await make(desk, tenant, cron="*/5 * * * *")
    await put_off(engine.database, tenant, timedelta(days=3))
    for _ in range(3):
        await fire(desk, engine)
    assert len((await desk.get(tenant, "/runs")).json()["items"]) == 1


async def test_a_schedule_in_a_timezone_that_was_abolished_stands_still_and_holds_up_no_other(
    engine: Engine, desk: Desk, tenant: TenantId
) -> None:
    lost = await make(desk, tenant, name="lost")
    await make(desk, tenant)
    await put_off(engine.database, tenant, timedelta(minutes=1))
    async with engine.database.tenant(tenant) as transaction:
        await transaction.run(
            """
            update schedule set timezone = 'Mars/Olympus', next_at = next_at - interval '1 hour'
             where tenant_id = %(tenant)s and name = 'lost'""",
            tenant=tenant,
        )
    await fire(desk, engine)
    assert len((await desk.get(tenant, "/runs")).json()["items"]) == 1
    shown = (await desk.get(tenant, f"/schedules/{lost['id']}")).json()
    assert "no timezone" in shown["last_problem"]
    assert shown["upcoming"] == []
    assert len((await desk.get(tenant, "/schedules")).json()["items"]) == 2


async def test_a_paused_schedule_does_not_fire_and_makes_up_for_nothing(
    engine: Engine, desk: Desk, tenant: TenantId
) -> None:
    made = await make(desk, tenant)
    path = f"/schedules/{made['id']}"
    paused = (await desk.send("PATCH", tenant, path, {"is_paused": True})).json()
    assert (paused["is_paused"], paused["upcoming"]) == (True, [])
    await put_off(engine.database, tenant, timedelta(days=1))
    await fire(desk, engine)
    resumed = (await desk.send("PATCH", tenant, path, {"is_paused": False})).json()
    await fire(desk, engine)
    assert (await desk.get(tenant, "/runs")).json()["items"] == []
    assert len(resumed["upcoming"]) == 5


async def test_a_refused_firing_is_skipped_and_shown(engine: Engine, desk: Desk, tenant: TenantId) -> None:
    made = await make(desk, tenant)
    async with engine.database.tenant(tenant) as transaction:
        await transaction.run(
            'update schedule set input = \'{"amount": "many"}\' where tenant_id = %(tenant)s', tenant=tenant
        )
    await put_off(engine.database, tenant, timedelta(minutes=1))
    await fire(desk, engine)
    shown = (await desk.get(tenant, f"/schedules/{made['id']}")).json()
    assert "does not fit" in shown["last_problem"]
    assert shown["last_run"] is None
    assert (await desk.get(tenant, "/runs")).json()["items"] == []


async def test_a_pipeline_that_this_worker_lacks_is_left_to_others_for_a_while(
    engine: Engine, desk: Desk, tenant: TenantId
) -> None:
    made = await make(desk, tenant)
    async with engine.database.tenant(tenant) as transaction:
        await transaction.run("update schedule set pipeline = 'tests.gone' where tenant_id = %(tenant)s", tenant=tenant)
    await put_off(engine.database, tenant, timedelta(minutes=1))
    await fire(desk, engine)
    assert (await desk.get(tenant, f"/schedules/{made['id']}")).json()["last_problem"] is None
    await put_off(engine.database, tenant, timedelta(minutes=10))
    await fire(desk, engine)
    assert "pipeline_unknown" in (await desk.get(tenant, f"/schedules/{made['id']}")).json()["last_problem"]


async def test_schedules_are_made_listed_changed_and_deleted(desk: Desk, tenant: TenantId) -> None:
    made = await make(desk, tenant, timezone="Europe/Berlin")
    assert made["cron_text"] == "At 02:30 every day"
    assert (await desk.post(tenant, "/schedules", NIGHTLY)).status_code == 409
    path = f"/schedules/{made['id']}"
    changed = (await desk.send("PATCH", tenant, path, {"cron": "0 9 * * MON", "input": {"amount": 9}})).json()
    assert (changed["cron"], changed["timezone"]) == ("0 9 * * MON", "Europe/Berlin")
    assert changed["input"]["amount"] == 9
    (listed,) = (await desk.get(tenant, "/schedules")).json()["items"]
    assert (listed["id"], listed["upcoming"]) == (made["id"], changed["upcoming"][:1])
    assert (await desk.send("DELETE", tenant, path)).status_code == 204
    assert (await desk.send("DELETE", tenant, path)).status_code == 404


async def test_another_tenant_sees_and_changes_no_schedule(
    desk: Desk, tenant: TenantId, other_tenant: TenantId
) -> None:
    made = await make(desk, tenant)
    for wanted in (made["id"], show_id("sch", new_id()), "sch_x", "%00"):
        path = f"/schedules/{wanted}"
        assert (await desk.get(other_tenant, path)).status_code == 404
        assert (await desk.send("PATCH", other_tenant, path, {"is_paused": True})).status_code == 404
        assert (await desk.send("DELETE", other_tenant, path)).status_code == 404
    assert (await desk.get(other_tenant, "/schedules")).json()["items"] == []
    assert (await desk.post(tenant, "/schedules", NIGHTLY, READ)).status_code == 403


@pytest.mark.parametrize(
    ("other", "status"),
    [
        ({"cron": "* * * *"}, 422),
        ({"cron": "* * * * * *"}, 422),
        ({"cron": "61 * * * *"}, 422),
        ({"cron": "0 0 31 2 *"}, 422),
        ({"cron": "@daily"}, 422),
        ({"cron": "* " * 5000}, 422),
        ({"cron": "\0 * * * *"}, 422),
        ({"timezone": "Mars/Olympus"}, 422),
        ({"timezone": "../../etc/passwd"}, 422),
        ({"timezone": "Europe"}, 422),
        ({"timezone": ""}, 422),
        ({"input": {"amount": "many"}}, 422),
        ({"input": {"amount": 1, "note": "a\0"}}, 422),
        ({"name": ""}, 422),
        ({"name": " x"}, 422),
        ({"name": "a\nb"}, 422),
        ({"pipeline": "nope"}, 404),
        ({"pipeline": "tests.inner"}, 403),
        ({"tenant_id": "another"}, 422),
    ],
)
async def test_a_schedule_that_makes_no_sense_is_refused(
    desk: Desk, tenant: TenantId, other: dict[str, object], status: int
) -> None:
    answer = await desk.post(tenant, "/schedules", {**NIGHTLY, **other})
    assert answer.status_code == status, answer.text
    assert (await desk.get(tenant, "/schedules")).json()["items"] == []


async def test_a_preview_shows_the_next_firings_in_words_and_instants(desk: Desk, tenant: TenantId) -> None:
    asked = {"cron": "30 7 * * MON-FRI", "timezone": "Europe/Berlin", "count": 3}
    shown = (await desk.get(tenant, "/schedules:preview", **asked)).json()
    assert shown["cron_text"] == "At 07:30 on Monday through Friday"
    assert len(shown["upcoming"]) == 3
    assert (await desk.get(tenant, "/schedules:preview", cron="* * * * *", count=21)).status_code == 422
    assert (await desk.get(tenant, "/schedules:preview", cron="nonsense")).json()["code"] == "schedule_invalid"


def test_summer_time_skips_and_repeats_nothing() -> None:
    spring = preview("30 2 * * *", "Europe/Berlin", datetime(2026, 3, 28, 12, tzinfo=UTC), 2)
    autumn = preview("30 2 * * *", "Europe/Berlin", datetime(2026, 10, 24, 12, tzinfo=UTC), 2)
    assert [f"{at:%d %H:%M}" for at in spring] == ["29 01:00", "30 00:30"]
    assert [f"{at:%d %H:%M}" for at in autumn] == ["25 00:30", "26 01:30"]
    halves = preview("*/30 * * * *", "Europe/Berlin", datetime(2026, 10, 24, 23, tzinfo=UTC), 8)
    assert {later - earlier for earlier, later in pairwise(halves)} == {timedelta(minutes=30)}


_FIELD = st.one_of(
    st.sampled_from(["*", "*/5", "1-5", "0", "30", "L", "LW", "MON-FRI", "5L", "MON#5", "29", "2", "JAN"]),
    st.text("0123456789*/,-#LWMONFRJA²", min_size=1, max_size=8),
)


@given(st.lists(_FIELD, min_size=5, max_size=5).map(" ".join))
def test_a_cron_line_comes_later_or_is_refused(cron: str) -> None:
    start = datetime(2026, 3, 1, tzinfo=UTC)
    with suppress(ScheduleInvalid):
        assert next_firing(cron, "Europe/Berlin", start) > start
        assert explain(cron)
