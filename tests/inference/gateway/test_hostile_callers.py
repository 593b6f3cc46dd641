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
from mainspring.foundation.valkey_wire import ValkeyWire
from mainspring.foundation.vault import LocalKeyWrapper, TenantVault, Vault
from mainspring.inference.gateway import RecordStatus
from mainspring.inference.gateway import shipper as shipping
from mainspring.inference.gateway.cache import ExactCache
from mainspring.inference.gateway.draft import Draft
from mainspring.inference.gateway.engine.access import make_access
from mainspring.inference.gateway.engine.again import RepliesAgain
from mainspring.inference.gateway.engine.incoming import Incoming, Passing
from mainspring.inference.gateway.engine.tenants import KeptTenants
from mainspring.inference.gateway.errors import ModelError
from mainspring.inference.gateway.keeper import SnapshotKeeper
from mainspring.inference.gateway.models.endpoints import Access, endpoints_of
from mainspring.inference.gateway.policies import ConfigurationReader, ProviderKeyMisplaced
from mainspring.inference.gateway.policy import CachePolicy, TenantPolicy
from mainspring.inference.gateway.ports import TenantFacts
from mainspring.inference.gateway.providers import openai
from mainspring.inference.gateway.recorder import Recorder
from mainspring.inference.gateway.shipper import Shipper
from mainspring.inference.gateway.spool import Entry, Segment, Spend
from mainspring.inference.messages import TextDelta, Usage
from tests.upstream import Fault, Reply

from .conftest import Records
from .doors import Member, Place, ask, events, open_place, said
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


DESK = TenantPolicy(cache=CachePolicy(exact="all"))


async def test_a_caller_who_hangs_up_while_a_reply_is_looked_for_leaves_no_lock(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    member, model = await place.member(), place.model()
    again = place.gateway.again
    assert again is not None
    is_looking, find = asyncio.Event(), ExactCache.find

    async def hang(*_: object) -> None:
        is_looking.set()
        await asyncio.Event().wait()

    with monkeypatch.context() as patch:
        patch.setattr(ExactCache, "find", hang)
        leaving = asyncio.create_task(place.chat(member, ask(model), idempotency_key="k"))
        await is_looking.wait()
        assert await locks(place, member)
        leaving.cancel()
        await until(lambda: are_no_locks(place, member))
    assert ExactCache.find is find
    assert (await place.chat(member, ask(model), idempotency_key="k")).status_code == 200


async def locks(place: Place, member: Member) -> list[bytes]:
    return [key async for key in place.valkey.scan_iter(f"gateway:{{{member.tenant}}}:running:*")]


async def are_no_locks(place: Place, member: Member) -> bool:
    return not await locks(place, member)


async def test_a_call_that_took_too_long_leaves_the_turn_of_its_successor(place: Place) -> None:
    member, model = await place.member(), place.model()
    place.script(model, Reply("Late.", delay=0.4))
    calling = asyncio.create_task(place.chat(member, ask(model), idempotency_key="k"))
    await until(lambda: are_asked(place, model))
    (lock,) = await locks(place, member)
    await place.valkey.set(lock, "the successor's")
    assert (await calling).status_code == 200
    assert await place.chat(member, ask(model, "another"), idempotency_key="k")
    assert await place.valkey.get(lock) == b"the successor's"


async def test_a_kept_reply_is_the_answer_of_its_idempotency_key(place: Place) -> None:
    member, model = await place.member(DESK), place.model()
    place.script(model, Reply("First."), Reply("Second."))
    await place.chat(member, ask(model))
    hit = await place.chat(member, ask(model), idempotency_key="k")
    await place.chat(member, ask(model), x_mainspring_cache="refresh")
    again = await place.chat(member, ask(model), idempotency_key="k")
    assert [each.headers["x-mainspring-cache"] for each in (hit, again)] == ["exact", "repeated"]
    assert said(hit) == said(again) == "First."


@pytest.mark.parametrize("key", [{}, {"idempotency_key": "k"}])
async def test_calls_with_other_betas_are_other_calls(place: Place, key: dict[str, str]) -> None:
    member, model = await place.member(DESK if not key else None), place.model("clau")
    traces = (f"00-{'1' * 32}-{'2' * 16}-01", f"00-{'3' * 32}-{'4' * 16}-01")
    for beta in ("one", "two", "one"):
        await place.post("/v1/messages", member, ask(model), anthropic_beta=beta, traceparent=traces[0], **key)
    assert len(place.asked(model)) == 2
    await place.post("/v1/messages", member, ask(model), anthropic_beta="one", traceparent=traces[1], **key)
    assert len(place.asked(model)) == 2


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/responses"])
async def test_what_came_of_a_translated_stream_is_sent_before_its_error(place: Place, path: str) -> None:
    member, model = await place.member(), place.model()
    place.script(model, Reply("one two three", fault=Fault.CUT, fault_after=2))
    body = ask(model, stream=True) if path == "/v1/messages" else {"model": model, "input": "Count.", "stream": True}
    answer = await place.post(path, member, body)
    assert said(answer) == "one two ", answer.text
    last = events(answer)[-1]
    if path == "/v1/messages":
        assert last["type"] == "error"
    else:
        before = events(answer)[:-1]
        assert (before[-1]["type"], "error" in last) == ("response.failed", True)
        assert [event["sequence_number"] for event in before] == list(range(len(before)))


async def test_a_stream_that_does_not_fit_from_its_first_piece_is_refused_in_an_answer(place: Place) -> None:
    member, model = await place.member(), place.model()
    place.script(model, Reply("nonsense from the start"))
    schema = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    shape = {"format": {"type": "json_schema", "schema": schema}}
    body = ask(model, stream=True, output_config=shape)
    answer = await place.post("/v1/messages", member, body, x_mainspring_validate="incremental")
    assert answer.status_code == 502, answer.text
    assert answer.json()["type"] == "error"
    assert (await place.record(member, answer))["structured"] == "invalid"


async def test_what_is_done_behind_calls_ends_with_the_gateway() -> None:
    again = RepliesAgain(
        ExactCache(DeadStore()), lambda _: pytest.fail("no meaning"), ValkeyWire("redis://127.0.0.1:1")
    )
    ended: list[bool] = []

    async def shadow() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    again.begin(shadow())
    await asyncio.sleep(0)
    await again.close()
    assert ended == [True]


class DeadStore:
    """Nothing is kept."""

    async def read(self, *keys: bytes) -> list[bytes | None]:
        return [None for _ in keys]

    async def write(self, key: bytes, value: bytes, *, ttl_seconds: int) -> None:
        return


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_counts_that_only_we_asked_for_are_hidden_whatever_ends_lines(line_end: bytes) -> None:
    said = b'data: {"id":"1","choices":[{"index":0,"delta":{"content":"Hi"}}],"usage":null}'
    counted = b'data: {"id":"1","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}'
    passing = Passing(openai.OUTBOUND, hides_usage=True)
    passing.open((said + line_end * 2 + counted + line_end * 2 + said) + line_end * 2)
    assert passing.first() == (said + line_end * 2) * 2


def test_deltas_before_a_failure_in_the_same_piece_are_read() -> None:
    incoming, heard = Incoming(openai.OUTBOUND), list[object]()
    piece = b'data: {"id":"1","choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\ndata: {"error":{"message":"no"}}\n\n'
    with pytest.raises(ModelError):
        heard.extend(incoming.read(piece))
    assert TextDelta("Hi") in heard


@pytest.mark.parametrize(
    ("access", "is_theirs"),
    [
        (Access(openai_api_key="k"), True),
        (Access(openai_base_url="https://eu.api.openai.com/v1"), True),
        (Access(openai_base_url="https://models.example.org/v1"), False),
        (Access(openai_base_url="https://openai.com.example.org/v1"), False),
        (Access(anthropic_api_key="k"), True),
        (Access(anthropic_api_key="k", anthropic_base_url="https://models.example.org"), False),
        (Access(azure_api_key="k", azure_base_url="https://mine.openai.azure.com"), True),
        (Access(bedrock_region="eu-central-1"), True),
    ],
)
def test_a_tenants_own_key_goes_to_nobody_but_its_vendor(access: Access, is_theirs: bool) -> None:
    (endpoint,) = endpoints_of(access)
    if is_theirs:
        assert make_access(endpoint, "sk-the-tenants").headers
    else:
        assert make_access(endpoint, None)
        with pytest.raises(ProviderKeyMisplaced):
            make_access(endpoint, "sk-the-tenants")
