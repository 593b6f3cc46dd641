"""What commits between the moment a claim looks and the moment it locks is neither lost nor told twice."""

import asyncio
from uuid import UUID

import pytest

from mainspring.foundation.ids import TenantId
from mainspring.orchestration.pipelines import Pipeline, RunStatus, claiming_store
from mainspring.orchestration.pipelines.claiming import Claiming, Lane, Shares, Turn, claim_steps
from mainspring.orchestration.pipelines.inputs import read_claim
from mainspring.orchestration.pipelines.outcomes import Outcome, succeeded
from mainspring.orchestration.pipelines.settle import settle

from .conftest import Engine, wait_until
from .scenes import Number, diamond

GATE = 4201
WAITING = "select 1 from pg_locks where objid = %(gate)s and not granted"


async def claim(engine: Engine, pipeline: Pipeline, name: str) -> list[Outcome]:
    """Claim a step, and answer how it will end."""
    asked = Claiming({pipeline.lane(name): Lane()}, 1, 60.0, Turn(UUID(int=0)), Shares(10, {}))
    async with engine.database.system() as transaction:
        claimed = await claim_steps(transaction, asked)
    definition = pipeline.get_step(name)
    return [succeeded(read_claim(row, definition).lease, '{"value": 1}', "Done") for row in claimed.rows]


async def end(engine: Engine, outcomes: list[Outcome]) -> None:
    """Settle them; each must be taken."""
    async with engine.database.system() as transaction:
        assert not (await settle(transaction, outcomes)).refused


async def test_a_claim_tells_its_start_after_what_was_told_since_it_looked(
    engine: Engine, tenant: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = diamond("tests.claimrace")
    run = await engine.pipelines.submit(tenant, pipeline, Number(1))
    await end(engine, await claim(engine, pipeline, "root"))
    left = await claim(engine, pipeline, "left")

    statement = claiming_store._CLAIM  # pyright: ignore[reportPrivateUsage] - held up between looking and locking
    gated = statement.replace(
        "where nth <= room\n", f"where nth <= room and (select pg_advisory_xact_lock({GATE})::text) is not null\n"
    )
    assert gated != statement

    async def is_held_up() -> bool:
        async with engine.database.system() as transaction:
            return await transaction.first(WAITING, gate=GATE) is not None

    gate = engine.database.connect_apart()
    gate.execute("select pg_advisory_lock(%(gate)s)", {"gate": GATE})
    gate.commit()
    monkeypatch.setattr(claiming_store, "_CLAIM", gated)
    claiming = asyncio.create_task(claim(engine, pipeline, "right"))
    await wait_until(is_held_up)
    await end(engine, left)
    gate.close()
    right = await claiming
    monkeypatch.undo()

    await end(engine, right or await claim(engine, pipeline, "right"))
    await end(engine, await claim(engine, pipeline, "join"))
    assert (await engine.pipelines.get_run(tenant, run.id)).status is RunStatus.SUCCEEDED
    async with engine.database.tenant(tenant) as transaction:
        told = await transaction.all("select seq from run_event where run_id = %(run)s order by seq", run=run.id)
    assert [row["seq"] for row in told] == list(range(1, len(told) + 1))
