"""Items of a fan-out, each with a page of its own."""

from mainspring.foundation.ids import TenantId
from tests.orchestration.pipelines.conftest import Engine
from tests.orchestration.pipelines.test_fan_out import run_through, squares

from .conftest import Desk, path_of


async def test_an_item_is_shown_with_what_it_was_given_and_made(engine: Engine, desk: Desk, tenant: TenantId) -> None:
    run = await run_through(engine, tenant, squares(), 3)
    shown = await desk.get(tenant, f"{path_of(run)}/steps/square", item=2)
    assert shown.status_code == 200, shown.text
    assert (shown.json()["item"], shown.json()["output"]["value"]) == (2, {"value": 4})
    beyond = await desk.get(tenant, f"{path_of(run)}/steps/square", item=3)
    assert beyond.status_code == 404
