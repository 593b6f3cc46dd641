"""Identical calls share a reply: what makes them identical, what is kept, and how it is forgotten."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import pytest

from mainspring.foundation.db import Database
from mainspring.foundation.engines import EngineUrls
from mainspring.foundation.errors import BadRequest, Unavailable
from mainspring.foundation.ids import TenantId, new_id
from mainspring.foundation.valkey import Valkey, ValkeyGone, open_valkey
from mainspring.foundation.valkey_wire import ValkeyWire
from mainspring.foundation.vault import LocalKeyWrapper, TenantVault, Vault
from mainspring.inference.gateway.cache import (
    CachedReply,
    ExactCache,
    ReplyScope,
    ValkeyStore,
    WireStore,
    exact_key,
    is_replayable,
    may_match_by_meaning,
    may_match_exactly,
    read_wish,
    replay,
    scope_bytes,
    wire_key,
)
from mainspring.inference.gateway.collect import Collector
from mainspring.inference.gateway.policy import CachePolicy
from mainspring.inference.messages import (
    Completion,
    Extra,
    FinishReason,
    ImagePart,
    InferenceRequest,
    Link,
    Message,
    OpaquePart,
    ReasoningPart,
    Role,
    Sampling,
    TextDelta,
    TextPart,
    Tool,
    ToolCallPart,
    Usage,
    assistant,
    system,
    user,
)

CALL = InferenceRequest((system("Be brief."), user("What is a cap?")), sampling=Sampling(temperature=0))
REPLY = Completion(assistant("A limit of liability."), FinishReason.STOP, Usage(7, 5, cached_tokens=2), "m-1", "r1")
RICH = replace(
    REPLY,
    message=Message(
        Role.ASSISTANT,
        (
            ReasoningPart("let me\nthink  about it", "seal"),
            TextPart(" one two  three four five\nsix ", Extra("openai", {"annotations": [1]})),
            ToolCallPart("c1", "look", '{"a": [1, 2], "b": "x y z"}'),
            OpaquePart(Extra("anthropic", {"type": "search", "n": None})),
            ToolCallPart("c2", "look", ""),
        ),
    ),
    finish_reason=FinishReason.TOOL_CALLS,
    extra=Extra("openai", {"system_fingerprint": "f"}),
)


@pytest.fixture
def scope(tenant: TenantId) -> ReplyScope:
    return ReplyScope(tenant, "openai", "openai/m-1", "search", "search@3", "eu")


@pytest.fixture
def cache(valkey: Valkey) -> ExactCache:
    return ExactCache(ValkeyStore(valkey))


@pytest.fixture
async def wire(engines: EngineUrls) -> AsyncIterator[ValkeyWire]:
    opened = await ValkeyWire(engines.valkey_url).start()
    yield opened
    await opened.close()


async def kept(cache: ExactCache, tenant: TenantId, key: bytes, feature: str | None = None) -> bool:
    return await cache.keep(await cache.find(tenant, key, feature), REPLY, ttl_seconds=60)


def test_a_key_changes_with_everything_that_may_change_the_reply(scope: ReplyScope) -> None:
    calls = [
        CALL,
        replace(CALL, messages=(user("What is a cap?"),)),
        replace(CALL, sampling=Sampling(temperature=0, seed=1)),
        replace(CALL, max_tokens=5),
        replace(CALL, tools=(Tool("t", "d", {"type": "object"}),)),
        replace(CALL, extra=Extra("openai", {"reasoning_effort": "low"})),
    ]
    scopes = [
        scope,
        replace(scope, tenant=TenantId(new_id())),
        replace(scope, dialect="anthropic"),
        replace(scope, model="openai/m-2"),
        replace(scope, feature="chat"),
        replace(scope, prompt="search@4"),
        replace(scope, residency=None),
    ]
    keys = [exact_key(scope, call) for call in calls] + [exact_key(other, CALL) for other in scopes[1:]]
    assert len(set(keys)) == len(keys)


def test_a_key_does_not_change_with_how_the_reply_travels(scope: ReplyScope) -> None:
    travel = {"stream": True, "stream_options": {"include_usage": True}, "user": "u1", "metadata": {"a": "b"}}
    assert exact_key(scope, replace(CALL, extra=Extra("openai", travel))) == exact_key(scope, CALL)
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "temperature": 0}
    prefix = scope_bytes(scope)
    key = wire_key(prefix, msgspec.json.encode(body))
    assert wire_key(prefix, msgspec.json.encode({**travel, **dict(reversed(body.items()))})) == key
    assert wire_key(prefix, msgspec.json.encode({**body, "temperature": 1})) != key
    assert wire_key(scope_bytes(replace(scope, model="m-2")), msgspec.json.encode(body)) != key
    assert wire_key(prefix, b"[1]") is None


def test_members_of_a_body_cannot_run_into_each_other(scope: ReplyScope) -> None:
    prefix = scope_bytes(scope)
    assert wire_key(prefix, b'{"a":"b","c":1}') != wire_key(prefix, b'{"a":"b\\",\\"c","d":1}')
    assert wire_key(prefix, b'{"a":11,"b":1}') != wire_key(prefix, b'{"a":1,"1b":1}')


async def test_a_reply_is_found_again_by_its_key_alone(cache: ExactCache, tenant: TenantId) -> None:
    key = b"k" * 32
    assert (await cache.find(tenant, key)).reply is None
    assert await kept(cache, tenant, key)
    found = (await cache.find(tenant, key)).reply
    assert found is not None
    assert (found.completion, found.kind) == (REPLY, "exact")
    assert (datetime.now(UTC) - found.created_at).total_seconds() < 60
    assert (await cache.find(tenant, b"o" * 32)).reply is None


async def test_another_tenant_finds_nothing_under_the_same_key(
    cache: ExactCache, tenant: TenantId, other_tenant: TenantId
) -> None:
    assert await kept(cache, tenant, b"k" * 32)
    assert (await cache.find(other_tenant, b"k" * 32)).reply is None


async def test_an_entry_ends(cache: ExactCache, tenant: TenantId, valkey: Valkey) -> None:
    await kept(cache, tenant, b"k" * 32)
    (place,) = [key async for key in valkey.scan_iter(f"gateway:{{{tenant}}}:reply:*")]  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType] - untyped in the client
    assert 0 < await valkey.ttl(place) <= 60  # pyright: ignore[reportUnknownArgumentType] - as above


@pytest.mark.parametrize("completion", [REPLY, RICH])
async def test_every_part_of_a_reply_survives(cache: ExactCache, tenant: TenantId, completion: Completion) -> None:
    lookup = await cache.find(tenant, b"k" * 32)
    assert await cache.keep(lookup, completion, ttl_seconds=60)
    found = (await cache.find(tenant, b"k" * 32)).reply
    assert found is not None
    assert found.completion == completion


@pytest.mark.parametrize(
    "completion",
    [
        *(
            replace(REPLY, finish_reason=reason)
            for reason in (FinishReason.REFUSED, FinishReason.FILTERED, FinishReason.LENGTH, FinishReason.PAUSED)
        ),
        replace(REPLY, message=assistant("  ")),
        replace(REPLY, message=assistant("x" * 300_000)),
        replace(REPLY, message=Message(Role.ASSISTANT, (TextPart("see"), ImagePart(Link("https://x"))))),
    ],
    ids=["refused", "filtered", "cut off", "paused", "empty", "too large", "with a picture"],
)
async def test_what_should_not_be_repeated_is_not_kept(
    cache: ExactCache, tenant: TenantId, completion: Completion
) -> None:
    assert not await cache.keep(await cache.find(tenant, b"k" * 32), completion, ttl_seconds=60)
    assert (await cache.find(tenant, b"k" * 32)).reply is None


async def test_a_purge_forgets_one_feature_or_all(cache: ExactCache, tenant: TenantId, other_tenant: TenantId) -> None:
    await kept(cache, tenant, b"a" * 32, "search")
    await kept(cache, tenant, b"b" * 32, "chat")
    await kept(cache, other_tenant, b"a" * 32, "search")
    await cache.purge(tenant, "search")
    assert (await cache.find(tenant, b"a" * 32, "search")).reply is None
    assert (await cache.find(tenant, b"b" * 32, "chat")).reply is not None
    await cache.purge(tenant)
    assert (await cache.find(tenant, b"b" * 32, "chat")).reply is None
    assert (await cache.find(other_tenant, b"a" * 32, "search")).reply is not None


async def test_a_call_under_way_during_a_purge_keeps_nothing_that_is_found(cache: ExactCache, tenant: TenantId) -> None:
    before = await cache.find(tenant, b"k" * 32)
    await cache.purge(tenant)
    await cache.keep(before, REPLY, ttl_seconds=60)
    assert (await cache.find(tenant, b"k" * 32)).reply is None
    assert await kept(cache, tenant, b"k" * 32)
    assert (await cache.find(tenant, b"k" * 32)).reply is not None


async def test_the_wire_client_finds_what_the_other_kept(cache: ExactCache, tenant: TenantId, wire: ValkeyWire) -> None:
    hot = ExactCache(WireStore(wire))
    await kept(cache, tenant, b"k" * 32)
    assert (await hot.find(tenant, b"k" * 32)).reply is not None
    await kept(hot, tenant, b"l" * 32)
    assert (await cache.find(tenant, b"l" * 32)).reply is not None


async def test_sealed_entries_are_unreadable_in_valkey_and_to_another_key(
    valkey: Valkey, tenant: TenantId, database: Database
) -> None:
    vault = Vault(database, LocalKeyWrapper([b"w" * 32]))
    sealed = ExactCache(ValkeyStore(valkey), vault.open_tenant)
    await kept(sealed, tenant, b"k" * 32)
    (place,) = [key async for key in valkey.scan_iter(f"gateway:{{{tenant}}}:reply:*")]  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType] - untyped in the client
    entry = await valkey.get(place)  # pyright: ignore[reportUnknownArgumentType] - as above
    assert isinstance(entry, bytes)
    assert b"liability" not in entry
    assert (await sealed.find(tenant, b"k" * 32)).reply is not None
    moved = bytes(place).decode().replace((b"k" * 32).hex(), (b"m" * 32).hex())  # pyright: ignore[reportUnknownArgumentType] - as above
    await valkey.set(moved, entry)
    assert (await sealed.find(tenant, b"m" * 32)).reply is None


async def test_bytes_of_another_form_are_a_miss(cache: ExactCache, tenant: TenantId, valkey: Valkey) -> None:
    await kept(cache, tenant, b"k" * 32)
    (place,) = [key async for key in valkey.scan_iter(f"gateway:{{{tenant}}}:reply:*")]  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType] - untyped in the client
    await valkey.set(place, b"\x01/garbage")  # pyright: ignore[reportUnknownArgumentType] - as above
    assert (await cache.find(tenant, b"k" * 32)).reply is None


async def test_without_valkey_every_lookup_is_a_miss_and_a_purge_says_so(tenant: TenantId) -> None:
    client = open_valkey("redis://127.0.0.1:1/0")
    away = ExactCache(ValkeyStore(client))
    lookup = await away.find(tenant, b"k" * 32)
    assert (lookup.reply, lookup.is_away) == (None, True)
    assert not await away.keep(lookup, REPLY, ttl_seconds=60)
    with pytest.raises(ValkeyGone):
        await away.purge(tenant)
    await client.aclose()


async def test_without_the_vault_nothing_is_kept_in_clear(valkey: Valkey, tenant: TenantId) -> None:
    async def open_nothing(tenant: TenantId) -> TenantVault:
        raise Unavailable(f"The database is away for {tenant}.")

    sealed = ExactCache(ValkeyStore(valkey), open_nothing)
    assert not await kept(sealed, tenant, b"k" * 32)
    await kept(ExactCache(ValkeyStore(valkey)), tenant, b"k" * 32)
    assert (await sealed.find(tenant, b"k" * 32)).reply is None


@pytest.mark.parametrize("completion", [REPLY, RICH])
def test_a_replay_makes_the_same_reply_in_small_pieces(completion: Completion) -> None:
    deltas = replay(CachedReply(completion, datetime.now(UTC)))
    collector = Collector()
    for delta in deltas:
        collector.add(delta)
    again = collector.completion()
    assert (again.finish_reason, again.usage, again.model, again.id) == (
        completion.finish_reason,
        completion.usage,
        completion.model,
        completion.id,
    )
    plain = [replace(part, extra=None) if isinstance(part, TextPart) else part for part in completion.message.parts]
    assert list(again.message.parts) == plain


def test_a_long_text_is_replayed_in_pieces_of_a_few_words() -> None:
    words = " ".join(f"word{n}" for n in range(100))
    deltas = replay(CachedReply(replace(REPLY, message=assistant(words)), datetime.now(UTC)))
    assert sum(isinstance(delta, TextDelta) for delta in deltas) == 25


@pytest.mark.parametrize(
    ("header", "read", "keep", "match"),
    [
        (None, True, True, True),
        ("off", False, False, False),
        ("Refresh", False, True, True),
        ("exact", True, True, False),
    ],
)
def test_a_caller_opts_out_by_header(header: str | None, read: bool, keep: bool, match: bool) -> None:
    wish = read_wish(header)
    assert (wish.may_read, wish.may_keep, wish.may_match) == (read, keep, match)


def test_an_unknown_wish_names_the_known_ones() -> None:
    with pytest.raises(BadRequest, match="off, refresh, exact"):
        read_wish("never")


def test_the_policy_decides_which_calls_share_replies() -> None:
    deterministic = CachePolicy(exact="deterministic", semantic_features=("faq",))
    assert may_match_exactly(deterministic, temperature=0, seed=None)
    assert may_match_exactly(deterministic, temperature=None, seed=7)
    assert not may_match_exactly(deterministic, temperature=None, seed=None)
    assert not may_match_exactly(CachePolicy(), temperature=0, seed=None)
    assert may_match_exactly(CachePolicy(exact="all"), temperature=1, seed=None)
    assert may_match_by_meaning(deterministic, "faq", read_wish(None))
    assert not may_match_by_meaning(deterministic, "faq", read_wish("exact"))
    assert not may_match_by_meaning(deterministic, None, read_wish(None))


def test_calls_that_the_normal_form_cannot_answer_are_not_replayed() -> None:
    assert is_replayable(replace(CALL, extra=Extra("openai", {"n": 1, "logprobs": False})))
    assert not is_replayable(replace(CALL, extra=Extra("openai", {"n": 2})))
    assert not is_replayable(replace(CALL, extra=Extra("openai", {"logprobs": True})))
