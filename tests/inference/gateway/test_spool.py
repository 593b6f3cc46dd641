"""Records survive: a killed process, a torn file, a database that is away, a second delivery."""

import asyncio
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from mainspring.foundation.db import Database
from mainspring.foundation.errors import Unavailable
from mainspring.foundation.ids import TenantId, new_id
from mainspring.inference.gateway import CallContext, Operation, RecordStatus
from mainspring.inference.gateway.draft import COLUMNS, Draft
from mainspring.inference.gateway.shipper import Shipper
from mainspring.inference.gateway.spool import Entry, Segment, Spend, SpooledCall
from mainspring.inference.gateway.store import insert_calls
from mainspring.inference.gateway.testing import ScriptedProvider, ScriptedReply, scripted_gateway
from mainspring.inference.messages import InferenceRequest, Usage, user

from .conftest import Records, wait_until

DYING_PROCESS = """
import asyncio, sys
from pathlib import Path
from uuid import UUID
from mainspring.foundation.db import Database
from mainspring.foundation.ids import TenantId
from mainspring.inference.gateway import CallContext, Gateway, GatewaySettings
from mainspring.inference.gateway.build import build_engine
from mainspring.inference.gateway.testing import SwitchBoard
from mainspring.inference.messages import InferenceRequest, TextDelta, user

async def main(url, tenant, data_dir):
    away = await Database.open("postgresql://127.0.0.1:1/none?connect_timeout=1")
    settings = GatewaySettings(Path(data_dir), models_url=url)
    gateway = Gateway(build_engine(settings, away, SwitchBoard()))
    context = CallContext(TenantId(UUID(tenant)))
    for number in range(20):
        await gateway.complete(InferenceRequest((user(f"call {number}"),)), context=context)
    async for delta in gateway.stream(InferenceRequest((user("hang"),)), context=context):
        if isinstance(delta, TextDelta):
            print("streaming", flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


def draft(tenant: TenantId) -> Draft:
    """A call as it stands when it begins."""
    made = Draft(new_id(), time.time(), CallContext(tenant, "tester"), Operation.CHAT, model_asked="local/x")
    made.provider = "local"
    return made


def entry(call: Draft, payload: bytes | None = None, *, closing: RecordStatus | None = None) -> Entry:
    """Its opening, or its closing with a status."""
    if closing:
        call.status, call.error_code = closing, None
    return Entry(closing is not None, call.id.bytes, call.context.tenant.bytes, call.line(), payload)


def status_of(call: SpooledCall) -> str:
    return call.last.line.split(b"\t")[COLUMNS.index("status")].decode()


def files(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def store_calls(database: Database, calls: list[SpooledCall]) -> None:
    async with database.raw() as connection:
        await insert_calls(connection, calls)


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
    segment, (first, second) = Segment.create(tmp_path), (draft(tenant), draft(tenant))
    sizes: list[int] = []
    for each in (first, second):
        segment.open(entry(each, b"input"))
        sizes.append(segment.size)
        segment.close(entry(each, b"output", closing=RecordStatus.OK))
        sizes.append(segment.size)
    whole = segment.path.read_bytes()
    for length in range(0, len(whole), 37):
        copy = tmp_path / "copy.spool"
        copy.write_bytes(whole[:length])
        adopted = Segment.adopt(copy)
        assert adopted is not None
        calls: list[SpooledCall] = []
        while some := adopted.unshipped(10):
            calls += some
        found = {call.last.id: status_of(call) for call in calls}
        expected = "ok" if length >= sizes[1] else "broken" if length >= sizes[0] else None
        assert found.get(first.id.bytes) == expected
        os.close(adopted._descriptor)  # pyright: ignore[reportPrivateUsage] - a crash, as far as the file can tell
    assert len(segment.unshipped(10)) == 2
    segment.forget()
    segment.release()


async def test_a_flipped_bit_ends_the_reading_there(tmp_path: Path, tenant: TenantId) -> None:
    segment, call = Segment.create(tmp_path), draft(tenant)
    segment.open(entry(call))
    segment.close(entry(call, closing=RecordStatus.OK))
    data = bytearray(segment.path.read_bytes())
    data[-3] ^= 1
    copy = tmp_path / "copy.spool"
    copy.write_bytes(data)
    adopted = Segment.adopt(copy)
    assert adopted is not None
    assert [status_of(found) for found in adopted.unshipped(10)] == ["broken"]


@pytest.mark.parametrize("is_much", [False, True])
async def test_what_could_not_be_shipped_is_returned_again(tmp_path: Path, tenant: TenantId, is_much: bool) -> None:
    """Also when so much waits that it is no longer kept in memory."""
    segment, calls = Segment.create(tmp_path), [draft(tenant) for _ in range(3)]
    large = b"x" * (30_000_000 if is_much else 3)
    for call in calls:
        segment.open(entry(call, b"input"))
    assert segment.unshipped(10) == []
    for call in calls:
        segment.close(entry(call, large, closing=RecordStatus.OK), b"input")
    found: list[bytes] = []
    while some := segment.unshipped(1):
        segment.return_()
        assert segment.unshipped(1) == some
        assert [(each.input, each.output) for each in some] == [(b"input", large)] * len(some)
        found += [each.last.id for each in some]
        segment.forget()
    assert found == [call.key for call in calls]
    assert segment.is_shipped
    assert segment.size == 0


async def test_a_call_whose_end_could_not_be_written_stays_for_an_heir(tmp_path: Path, tenant: TenantId) -> None:
    segment = Segment.create(tmp_path)
    segment.open(entry(draft(tenant), b"input"))
    segment.lose()
    segment.forget()
    segment.release()
    heir = Segment.adopt(segment.path)
    assert heir is not None
    assert [(status_of(call), call.input) for call in heir.unshipped(10)] == [("broken", b"input")]


async def test_the_file_of_a_living_process_is_left_alone(tmp_path: Path, tenant: TenantId) -> None:
    segment = Segment.create(tmp_path)
    segment.open(entry(draft(tenant)))
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
    call = draft(tenant)
    await store_calls(database, [SpooledCall(entry(call, closing=RecordStatus.OK), b"in", b"out", None)])
    await store_calls(database, [SpooledCall(entry(call, closing=RecordStatus.BROKEN), b"other", None, None)])
    (row,) = await records(1)
    assert (row["status"], bytes(row["input"])) == ("ok", b"in")


async def test_text_that_postgres_cannot_hold_is_cleaned(
    database: Database, tenant: TenantId, records: Records
) -> None:
    call = draft(tenant)
    call.model_served = 'a\0b\\u0000"\t\n\r\\N'
    ended = entry(call, closing=RecordStatus.OK)
    await store_calls(database, [SpooledCall(ended, b'{"text":"\\u0000"}', None, None)])
    (row,) = await records(1)
    assert row["model_served"] == 'ab\\u0000"\t\n\r\\N'
    assert bytes(row["input"]) == b'{"text":"\\u0000"}'


async def test_one_record_that_is_refused_does_not_hold_up_the_others(
    tmp_path: Path, database: Database, tenant: TenantId, records: Records
) -> None:
    shipper = Shipper(tmp_path, database)
    for tokens in (1, 2**40, 3):
        call = draft(tenant)
        shipper.segment().open(entry(call))
        call.usage = Usage(input_tokens=tokens)
        shipper.segment().close(entry(call, closing=RecordStatus.OK))
    await shipper.ship()
    assert {row["input_tokens"] for row in await records(2)} == {1, 3}
    await shipper.close()
    assert [file.name for file in files(tmp_path)] == ["refused.lines"]


async def test_a_file_is_emptied_once_all_its_calls_are_shipped(
    tmp_path: Path, database: Database, tenant: TenantId
) -> None:
    shipper = Shipper(tmp_path, database)
    call, running = draft(tenant), draft(tenant)
    segment = shipper.segment()
    for each in (call, running):
        segment.open(entry(each))
    segment.close(entry(call, closing=RecordStatus.OK))
    await shipper.ship()
    assert segment.path.stat().st_size > 0
    segment.close(entry(running, closing=RecordStatus.OK))
    await shipper.ship()
    assert segment.path.stat().st_size == 0
    await shipper.close()
    assert not files(tmp_path)


async def test_spend_is_added_up_by_scope_and_day_and_never_twice(
    tmp_path: Path, database: Database, tenant: TenantId
) -> None:
    shipper, scopes = Shipper(tmp_path, database), (("tenant", ""), ("model", "local/x"))
    calls = [draft(tenant) for _ in range(3)]
    for call in calls:
        ended = entry(call, closing=RecordStatus.OK)
        shipper.segment().open(entry(call))
        shipper.segment().close(msgspec.structs.replace(ended, spend=Spend(739000, 5, 10, scopes)))
    copy = tmp_path / "left-by-another.spool"
    copy.write_bytes(shipper.segment().path.read_bytes())
    await shipper.ship()
    shipper.adopt()
    await shipper.ship()
    await shipper.close()
    async with database.tenant(tenant) as transaction:
        rows = await transaction.all("select scope, value, cost_micros, tokens, calls from gateway_spend")
    assert sorted(tuple(row.values()) for row in rows) == [("model", "local/x", 15, 30, 3), ("tenant", "", 15, 30, 3)]


async def test_files_of_others_are_adopted_while_running(
    tmp_path: Path, database: Database, tenant: TenantId, records: Records
) -> None:
    shipper = Shipper(tmp_path, database)
    shipper.start()
    left = Segment.create(tmp_path)
    left.open(entry(draft(tenant)))
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
