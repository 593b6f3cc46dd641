"""Records survive: a killed process, a torn file, a database that is away, a second delivery."""

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mainspring.foundation.db import Database
from mainspring.foundation.errors import Unavailable
from mainspring.foundation.ids import TenantId, new_id
from mainspring.inference.gateway import CallContext, InferenceRecord, Operation, RecordStatus
from mainspring.inference.gateway.shipper import Shipper
from mainspring.inference.gateway.spool import Segment, SpooledCall
from mainspring.inference.gateway.store import insert_calls
from mainspring.inference.gateway.testing import ScriptedProvider, ScriptedReply, scripted_gateway
from mainspring.inference.messages import InferenceRequest, user

from .conftest import Records, wait_until

DYING_PROCESS = """
import asyncio, sys
from pathlib import Path
from uuid import UUID
from mainspring.foundation.db import Database
from mainspring.foundation.ids import TenantId
from mainspring.inference.gateway import CallContext, GatewaySettings, build_gateway
from mainspring.inference.gateway.testing import SwitchBoard
from mainspring.inference.messages import InferenceRequest, TextDelta, user

async def main(url, tenant, data_dir):
    away = await Database.open("postgresql://127.0.0.1:1/none?connect_timeout=1")
    settings = GatewaySettings(Path(data_dir), models_url=url)
    gateway = await build_gateway(settings, away, ai_switch=SwitchBoard())
    context = CallContext(TenantId(UUID(tenant)))
    for number in range(20):
        await gateway.complete(InferenceRequest((user(f"call {number}"),)), context=context)
    async for delta in gateway.stream(InferenceRequest((user("hang"),)), context=context):
        if isinstance(delta, TextDelta):
            print("streaming", flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


def record(tenant: TenantId, **changes: object) -> InferenceRecord:
    base = InferenceRecord(
        tenant_id=tenant,
        id=new_id(),
        at=datetime.now(UTC),
        operation=Operation.CHAT,
        model_asked="local/x",
        provider="local",
        principal="tester",
        error_code="process_died",
    )
    return replace(base, **changes)  # pyright: ignore[reportArgumentType] - the keys are fields


def files(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def store_calls(database: Database, calls: list[SpooledCall]) -> None:
    async with database.system() as transaction:
        await insert_calls(transaction, calls)


@pytest.fixture
async def away() -> AsyncIterator[Database]:
    """A database that nobody answers for."""
    database = await Database.open("postgresql://127.0.0.1:1/none?connect_timeout=1")
    yield database
    await database.close()


async def test_a_process_killed_in_a_stream_loses_no_record(
    tmp_path: Path, database: Database, tenant: TenantId, records: Records
) -> None:
    def answer(request: InferenceRequest) -> ScriptedReply:
        hangs = request.messages[0].text == "hang"
        return ScriptedReply("one two three", pause=60 if hangs else 0)

    async with ScriptedProvider(answer) as provider:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", DYING_PROCESS, provider.url, str(tenant), str(tmp_path)),
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        assert await process.stdout.readline() == b"streaming\n"
        process.send_signal(signal.SIGKILL)
        await process.wait()
        heir = await scripted_gateway(provider, database, tmp_path)
        rows = await records(21)
        await heir.close()
    assert Counter((row["status"], row["error_code"]) for row in rows) == {
        ("ok", None): 20,
        ("broken", "process_died"): 1,
    }
    assert sum(b"call 7" in row["input"] for row in rows) == 1
    assert not files(tmp_path / "spool")


async def test_a_torn_tail_costs_only_the_entry_that_was_torn(tmp_path: Path, tenant: TenantId) -> None:
    segment, (first, second) = Segment.create(tmp_path), (record(tenant), record(tenant))
    for each in (first, second):
        segment.open(each, b"input")
        segment.close(replace(each, status=RecordStatus.OK), b"output")
    whole = segment.path.read_bytes()
    for length in range(0, len(whole), 37):
        copy = tmp_path / "copy.spool"
        copy.write_bytes(whole[:length])
        adopted = Segment.adopt(copy)
        assert adopted is not None
        found = {call.record.id: call.record.status for call in adopted.closed(10)}
        assert found.get(first.id) in ({None} if length < len(whole) // 4 else {*RecordStatus, None})
        if length >= len(whole) // 2 + 8:
            assert found[first.id] is RecordStatus.OK
        os.close(adopted._descriptor)  # pyright: ignore[reportPrivateUsage] - a crash, as far as the file can tell
    segment.forget([first.id, second.id])
    segment.release()


async def test_a_flipped_bit_ends_the_reading_there(tmp_path: Path, tenant: TenantId) -> None:
    segment, call = Segment.create(tmp_path), record(tenant)
    segment.open(call, None)
    segment.close(call, None)
    data = bytearray(segment.path.read_bytes())
    data[-3] ^= 1
    copy = tmp_path / "copy.spool"
    copy.write_bytes(data)
    adopted = Segment.adopt(copy)
    assert adopted is not None
    assert [found.record.status for found in adopted.closed(10)] == [RecordStatus.BROKEN]


async def test_the_file_of_a_living_process_is_left_alone(tmp_path: Path, tenant: TenantId) -> None:
    segment = Segment.create(tmp_path)
    segment.open(record(tenant), None)
    assert Segment.adopt(segment.path) is None


async def test_records_wait_in_the_spool_while_postgres_is_away(
    tmp_path: Path, away: Database, database: Database, context: CallContext, records: Records
) -> None:
    async with ScriptedProvider() as provider:
        gateway = await scripted_gateway(provider, away, tmp_path)
        await gateway.complete(InferenceRequest((user("Hi"),)), context=context)
        await gateway.close()
        assert len(files(tmp_path / "spool")) == 1
        heir = await scripted_gateway(provider, database, tmp_path)
        (row,) = await records(1)
        await heir.close()
    assert row["status"] == "ok"


async def test_a_second_delivery_changes_nothing(database: Database, tenant: TenantId, records: Records) -> None:
    call = SpooledCall(record(tenant, status=RecordStatus.OK), b"in", b"out")
    await store_calls(database, [call])
    again = SpooledCall(replace(call.record, status=RecordStatus.BROKEN), b"other", None)
    await store_calls(database, [again, again])
    (row,) = await records(1)
    assert (row["status"], bytes(row["input"])) == ("ok", b"in")


async def test_text_that_postgres_cannot_hold_is_cleaned(
    database: Database, tenant: TenantId, records: Records
) -> None:
    call = SpooledCall(record(tenant, model_served='a\0b\\u0000"'), b'{"text":"\\u0000"}', None)
    await store_calls(database, [call])
    (row,) = await records(1)
    assert row["model_served"] == 'ab\\u0000"'
    assert bytes(row["input"]) == b'{"text":"\\u0000"}'


async def test_one_record_that_is_refused_does_not_hold_up_the_others(
    tmp_path: Path, database: Database, tenant: TenantId, records: Records
) -> None:
    shipper = Shipper(tmp_path, database)
    for tokens in (1, 2**40, 3):
        call = record(tenant)
        shipper.segment().open(call, None)
        shipper.segment().close(replace(call, status=RecordStatus.OK, input_tokens=tokens), None)
    assert await shipper.ship() == 2
    assert {row["input_tokens"] for row in await records(2)} == {1, 3}
    await shipper.close()
    assert len(files(tmp_path)) == 1


async def test_a_file_is_emptied_once_all_its_calls_are_shipped(
    tmp_path: Path, database: Database, tenant: TenantId
) -> None:
    shipper = Shipper(tmp_path, database)
    call, running = record(tenant), record(tenant)
    segment = shipper.segment()
    for each in (call, running):
        segment.open(each, None)
    segment.close(call, None)
    await shipper.ship()
    assert segment.path.stat().st_size > 0
    segment.close(running, None)
    await shipper.ship()
    assert segment.path.stat().st_size == 0
    await shipper.close()
    assert not files(tmp_path)


async def test_files_of_others_are_adopted_while_running(
    tmp_path: Path, database: Database, tenant: TenantId, records: Records
) -> None:
    shipper = Shipper(tmp_path, database)
    shipper.start()
    left = Segment.create(tmp_path)
    left.open(record(tenant), None)
    os.close(left._descriptor)  # pyright: ignore[reportPrivateUsage] - its owner dies

    async def is_adopted() -> bool:
        shipper.adopt()
        shipper.ring()
        return not left.path.exists()

    await wait_until(is_adopted)
    (row,) = await records(1)
    assert row["status"] == "broken"
    await shipper.close()


async def test_a_spool_that_cannot_be_written_refuses_calls_before_they_cost(
    tmp_path: Path, database: Database, context: CallContext
) -> None:
    (tmp_path / "spool").write_text("a file where the folder should be")
    async with ScriptedProvider() as provider:
        gateway = await scripted_gateway(provider, database, tmp_path)
        with pytest.raises(Unavailable, match="data folder"):
            await gateway.complete(InferenceRequest((user("Hi"),)), context=context)
        await gateway.close()
        assert provider.requests == []
