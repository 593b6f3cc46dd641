"""What callers and dead processes leave behind must not hold up, hide or break the calls of others."""

import asyncio
import os
import socket
import zlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest

from mainspring.application.identity import Identity
from mainspring.foundation.db import Database, Row
from mainspring.foundation.engines import EngineUrls
from mainspring.foundation.errors import Unavailable
from mainspring.foundation.ids import TenantId
from mainspring.foundation.valkey import open_valkey
from mainspring.foundation.vault import LocalKeyWrapper, TenantVault, Vault
from mainspring.inference.gateway import RecordStatus
from mainspring.inference.gateway import shipper as shipping
from mainspring.inference.gateway.draft import Draft
from mainspring.inference.gateway.engine.tenants import KeptTenants
from mainspring.inference.gateway.keeper import SnapshotKeeper
from mainspring.inference.gateway.policies import ConfigurationReader
from mainspring.inference.gateway.ports import TenantFacts
from mainspring.inference.gateway.recorder import Recorder
from mainspring.inference.gateway.shipper import Shipper
from mainspring.inference.gateway.spool import Entry, Segment, Spend
from mainspring.inference.messages import Usage
from tests.upstream import Reply

from .conftest import Records
from .doors import Place, ask, open_place
from .running import until
from .test_spool import draft, entry, files


@pytest.fixture(scope="module")
async def place(engines: EngineUrls, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    async with open_place(engines, tmp_path_factory.mktemp("doors")) as opened:
        yield opened


def ended(call: Draft, spend: Spend | None = None) -> Entry:
    return msgspec.structs.replace(entry(call, closing=RecordStatus.OK), spend=spend)


async def spent(database: Database, tenant: TenantId) -> list[tuple[object, ...]]:
    async with database.tenant(tenant) as transaction:
        rows = await transaction.all("select scope, value, cost_micros, calls from gateway_spend order by scope")
    return [tuple(row.values()) for row in rows]


@pytest.mark.parametrize("field", ["user", "safety_identifier", "metadata"])
async def test_an_end_user_of_any_length_is_recorded_and_booked(place: Place, field: str) -> None:
    member, path = await place.member(), "/v1/messages" if field == "metadata" else "/v1/chat/completions"
    model = place.model("clau" if field == "metadata" else "acme")
    names = [os.urandom(4000).hex() + last for last in ("a", "b")]
    for name in names:
        named: dict[str, Any] = {"metadata": {"user_id": name}} if field == "metadata" else {field: name}
        assert (await place.post(path, member, ask(model, **named))).status_code == 200
    first, second = [row["end_user"] for row in await place.records(member, 2)]
    assert first.startswith(names[0][:100])
    assert first != second
    assert len(first) == 200
    assert ("user", first) in [row[:2] for row in await spent(place.database, member.tenant)]


async def test_an_end_user_with_control_characters_is_recorded_without_them(place: Place) -> None:
    member, model = await place.member(), place.model()
    answer = await place.chat(member, ask(model, user="a\0b\x1b\nc"))
    assert (await place.record(member, answer))["end_user"] == "abc"
    assert ("user", "abc") in [row[:2] for row in await spent(place.database, member.tenant)]


async def test_values_the_books_cannot_hold_are_booked_as_what_they_can(
    tmp_path: Path, database: Database, tenant: TenantId
) -> None:
    shipper, long = Shipper(tmp_path, database), os.urandom(4000).hex()
    for value in ("a\0", "a", long):
        shipper.segment().open(entry(call := draft(tenant)))
        shipper.segment().close(ended(call, Spend(739000, 5, 10, (("user", value),))))
    await shipper.ship()
    await shipper.close()
    booked = await spent(database, tenant)
    assert ("user", "a", 10, 2) in booked
    assert [len(str(row[1])) for row in booked if row[1] != "a"] == [500]


async def test_a_record_too_large_for_an_index_is_set_aside_and_no_other_waits(
    tmp_path: Path, database: Database, tenant: TenantId, records: Records
) -> None:
    shipper, scopes = Shipper(tmp_path, database), (("tenant", ""), (os.urandom(4000).hex(), "x"))
    spends = [None, Spend(739000, 5, 10, scopes), None]
    for spend in spends:
        shipper.segment().open(entry(call := draft(tenant)))
        shipper.segment().close(ended(call, spend))
    await shipper.ship()
    await shipper.close()
    assert len(await records(2)) == 2
    assert await spent(database, tenant) == [("tenant", "", 5, 1)]
    assert [file.name for file in files(tmp_path)] == ["refused.lines"]


async def test_a_commit_of_a_refused_record_fails(tmp_path: Path, database: Database, tenant: TenantId) -> None:
    shipper, call = Shipper(tmp_path, database), draft(tenant)
    shipper.segment().open(entry(call))
    call.usage = Usage(input_tokens=2**40)
    shipper.segment().close(ended(call, Spend(739000, 5, 10, (("tenant", ""),))))
    shipper.start()
    with pytest.raises(Unavailable, match="refused"):
        await shipper.committed(call.key)
    await shipper.close()
    assert await spent(database, tenant) == [("tenant", "", 5, 1)]


async def test_a_database_that_says_nothing_refuses_a_commit_in_time(
    tmp_path: Path, tenant: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipping, "STORE_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://127.0.0.1:{silent.getsockname()[1]}/none?connect_timeout=30"
        database = await Database.open(url)
        shipper, call = Shipper(tmp_path, database), draft(tenant)
        shipper.segment().open(entry(call))
        shipper.segment().close(ended(call))
        shipper.start()
        with pytest.raises(Unavailable):
            async with asyncio.timeout(3):
                await shipper.committed(call.key)
        await shipper.close()
        await database.close()
    assert [file.suffix for file in files(tmp_path)] == [".spool"]


async def test_a_file_of_another_layout_is_set_aside_and_no_other_waits(
    tmp_path: Path, database: Database, tenant: TenantId, records: Records
) -> None:
    body = msgspec.msgpack.encode([True, "an older layout"])
    odd = tmp_path / "0-old.spool"
    odd.write_bytes(len(body).to_bytes(4, "little") + zlib.crc32(body).to_bytes(4, "little") + body)
    left = Segment.create(tmp_path)
    left.open(entry(draft(tenant)))
    os.close(left._descriptor)  # pyright: ignore[reportPrivateUsage] - its owner dies
    shipper = Shipper(tmp_path, database)
    shipper.adopt()
    await shipper.ship()
    assert len(await records(1)) == 1
    await shipper.close()
    assert [file.name for file in files(tmp_path)] == ["0-old.spool.refused"]


async def test_a_hold_that_cannot_be_read_does_not_keep_its_record_from_being_shipped(
    tmp_path: Path, database: Database, tenant: TenantId, records: Records
) -> None:
    async def settle(_: Entry) -> None:
        raise ValueError("a hold of another layout")

    left = Segment.create(tmp_path)
    left.open(entry(draft(tenant)))
    os.close(left._descriptor)  # pyright: ignore[reportPrivateUsage] - its owner dies
    shipper = Shipper(tmp_path, database, settle)
    shipper.adopt()
    await shipper.ship()
    assert len(await records(1)) == 1
    await shipper.close()
    assert not files(tmp_path)


async def test_a_tenant_that_is_removed_while_it_calls_keeps_its_record(place: Place) -> None:
    member, model = await place.member(), place.model()
    place.script(model, Reply("Said.", delay=0.3))
    calling = asyncio.create_task(place.chat(member, ask(model)))
    await until(lambda: are_asked(place, model))
    assert place.gateway.keeper is not None
    place.gateway.keeper.snapshot.replace(member.tenant, None, ())
    assert (await calling).status_code == 200
    (row,) = await place.records(member, 1)
    assert (row["status"], row["output_tokens"]) == ("ok", 7)
    assert b"Said." in unseal(await place.vault.open_tenant(member.tenant), row)


async def are_asked(place: Place, model: str) -> bool:
    return bool(place.asked(model))


def unseal(vault: TenantVault, row: Row) -> bytes:
    return vault.unseal("inference_payload", row["id"], bytes(row["output"]))


async def test_a_call_whose_end_cannot_be_sealed_is_left_to_an_heir(
    tmp_path: Path, database: Database, tenant: TenantId, records: Records
) -> None:
    def sealer(_: TenantId) -> Callable[[UUID, bytes], bytes]:
        def seal(_: UUID, content: bytes) -> bytes:
            if content == b"output":
                raise RuntimeError("no key")
            return content

        return seal

    recorder = Recorder.open_in(tmp_path, database, sealer=sealer)
    recording = recorder.record(draft(tenant), payload=b"input")
    with pytest.raises(RuntimeError):
        recording.close(RecordStatus.OK, None, b"output", None)
    await recorder.close()
    shipper = Shipper(tmp_path / "spool", database)
    shipper.adopt()
    await shipper.ship()
    (row,) = await records(1)
    assert (row["status"], bytes(row["input"])) == ("broken", b"input")
    await shipper.close()


async def test_a_vault_that_cannot_be_opened_while_the_database_is_away_refuses_for_now(
    tenant: TenantId, database: Database
) -> None:
    away = await Database.open("postgresql://127.0.0.1:1/none?connect_timeout=1")
    valkey = open_valkey("redis://127.0.0.1:1")
    identity = Identity(away, valkey)
    reader = ConfigurationReader(away, Vault(away, LocalKeyWrapper([bytes(range(32))])))
    keeper = SnapshotKeeper(away, valkey, identity.directory, reader)
    keeper.snapshot.replace(tenant, TenantFacts(tenant, True), ())
    with pytest.raises(Unavailable):
        async with asyncio.timeout(30):
            await KeptTenants(keeper).get(tenant)
    await identity.close()
    await valkey.aclose()
    await away.close()
