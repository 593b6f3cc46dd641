"""What a worker that runs for months keeps of what it has told."""

import asyncio
from uuid import uuid4

from mainspring.foundation.clock import now
from mainspring.foundation.ids import TenantId, new_id
from mainspring.foundation.stopping import stop_all
from mainspring.foundation.valkey import Valkey
from mainspring.orchestration.pipelines.consequences import FanProgress
from mainspring.orchestration.pipelines.outcomes import Lease
from mainspring.orchestration.pipelines.publisher import MAX_QUEUE, Emitted, Publisher
from mainspring.orchestration.pipelines.types import RunId

from .conftest import wait_until


async def no_floor(tenant: TenantId, run: RunId) -> int:
    return 0


async def test_nothing_is_kept_of_a_fan_out_that_ends_elsewhere(valkey: Valkey, tenant: TenantId) -> None:
    publisher = Publisher(valkey, find_floor=no_floor, clock=now)
    sending = asyncio.create_task(publisher.run())
    for _ in range(10):
        publisher.tell_fans([FanProgress(tenant, RunId(new_id()), "fan", 1, 1, done=5, total=9)])

    async def has_told() -> bool:
        return publisher.kept == 0

    await wait_until(has_told)
    await stop_all([sending])


async def test_what_a_step_emits_while_nothing_can_be_sent_is_bounded(valkey: Valkey, tenant: TenantId) -> None:
    publisher = Publisher(valkey, find_floor=no_floor, clock=now)
    lease = Lease(tenant, RunId(new_id()), "talk", "", uuid4(), 1)
    for number in range(MAX_QUEUE + 100):
        publisher.emit(Emitted(lease, 1, {"name": "word", "data": number}))
    assert publisher.kept == MAX_QUEUE
