"""Calls of the same meaning share a reply: which calls, what keeps them apart, and how an entry learns to answer."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache

import numpy as np
import pytest
from msgspec import structs
from numpy.typing import NDArray

from mainspring.foundation.db import Database
from mainspring.foundation.ids import TenantId
from mainspring.foundation.vault import LocalKeyWrapper, Vault
from mainspring.inference.gateway.cache import ReplyScope, forget_expired
from mainspring.inference.gateway.cache.guards import disagreement, read_features
from mainspring.inference.gateway.cache.judge import LikenessJudge
from mainspring.inference.gateway.cache.semantic import SemanticCache, SemanticLookup
from mainspring.inference.gateway.cache.threshold import Observation, chance_of_right, is_near_enough
from mainspring.inference.gateway.policy import CachePolicy
from mainspring.inference.gateway.providers.local.embedder import Embedder
from mainspring.inference.messages import (
    Completion,
    Extra,
    FinishReason,
    ImagePart,
    InferenceRequest,
    Link,
    Message,
    ResponseFormat,
    Role,
    Sampling,
    TextPart,
    Tool,
    ToolCallPart,
    ToolResultPart,
    Usage,
    assistant,
    system,
    user,
)

HOUR = timedelta(hours=1)
FAQ = CachePolicy(semantic_features=("faq",), semantic_error=0.05, shadow_share=0.0)
ASKED = "How do I reset my password in the portal?"
AGAIN = "How can I reset my password in the portal?"
MORE = (
    "Please, how do I reset my password in the portal?",
    "how do I reset my password in the portal",
    "How do you reset my password in the portal?",
    "How would I reset my password in the portal?",
    "How do I reset my password in the portal please?",
    "How should I reset my password in the portal?",
)


@cache
def embedder() -> Embedder:
    return Embedder(1)


def vectors_of(texts: Sequence[str]) -> NDArray[np.float32]:
    vectors = np.zeros((len(texts), 384), dtype=np.float32)
    for batch in embedder().batches(texts):
        vectors[list(batch.places)] = embedder().run(batch)
    return vectors


async def embed_one(text: str) -> NDArray[np.float32]:
    return vectors_of([text])[0]


async def embed_all(texts: Sequence[str]) -> NDArray[np.float32]:
    return vectors_of(texts)


@dataclass(slots=True)
class Draws:
    """A sampler that always draws the same number."""

    value: float = 0.99

    def random(self) -> float:
        return self.value


@pytest.fixture
def draws() -> Draws:
    return Draws()


@pytest.fixture
def semantic(database: Database, draws: Draws) -> SemanticCache:
    vault = Vault(database, LocalKeyWrapper([b"w" * 32]))
    return SemanticCache(database, embed_one, "minilm@1", LikenessJudge(embed_all), vault.open_tenant, draws)


@pytest.fixture
def scope(tenant: TenantId) -> ReplyScope:
    return ReplyScope(tenant, "openai", "openai/m-1", "faq", "faq@1")


def call(text: str) -> InferenceRequest:
    return InferenceRequest((system("You are the help desk."), user(text)))


def reply(text: str = "Open Settings and choose Reset.") -> Completion:
    return Completion(assistant(text), FinishReason.STOP, Usage(7, 5), "m-1", "r1")


async def ask(
    semantic: SemanticCache, scope: ReplyScope, text: str, fresh: Completion, policy: CachePolicy = FAQ
) -> SemanticLookup:
    """One call as the gateway makes it: look, and ask the model and learn unless there was a hit."""
    lookup = await semantic.find(scope, call(text), policy)
    if lookup.outcome != "hit" or lookup.is_shadowed:
        await semantic.learn(lookup, fresh, ttl=HOUR)
    return lookup


async def taught(semantic: SemanticCache, scope: ReplyScope) -> None:
    """An entry for ASKED that has seen enough right replies to answer."""
    await ask(semantic, scope, ASKED, reply())
    for text in MORE:
        await ask(semantic, scope, text, reply())


async def test_an_entry_explores_until_it_has_seen_enough_and_then_answers(
    semantic: SemanticCache, scope: ReplyScope
) -> None:
    assert (await ask(semantic, scope, ASKED, reply())).outcome == "miss"
    assert (await ask(semantic, scope, AGAIN, reply())).outcome == "explore"
    await taught(semantic, scope)
    lookup = await semantic.find(scope, call(AGAIN), FAQ)
    assert (lookup.outcome, lookup.reply and lookup.reply.kind) == ("hit", "semantic")
    assert lookup.reply is not None
    assert lookup.reply.completion == reply()
    (figures,) = await semantic.figures(scope.tenant)
    assert (figures.feature, figures.hits > 0, figures.shadowed, figures.wrong) == ("faq", True, 0, 0)


async def test_a_wrong_comparison_keeps_the_fresh_reply_apart_and_closes_the_entry(
    semantic: SemanticCache, scope: ReplyScope
) -> None:
    await taught(semantic, scope)
    assert (await semantic.find(scope, call(AGAIN), FAQ)).outcome == "hit"
    lookup = await semantic.find(scope, call(AGAIN), structs.replace(FAQ, semantic_error=0.0001))
    assert lookup.outcome == "explore"
    assert await semantic.learn(lookup, reply("Ask your administrator for a new badge."), ttl=HOUR) is False
    near = await semantic.find(scope, call(MORE[0]), FAQ)
    assert near.outcome == "explore"


async def test_a_stricter_policy_wants_more_evidence(semantic: SemanticCache, scope: ReplyScope) -> None:
    await taught(semantic, scope)
    assert (await semantic.find(scope, call(AGAIN), structs.replace(FAQ, semantic_error=0.001))).outcome == "explore"


async def test_shadow_runs_measure_the_error_of_hits(semantic: SemanticCache, scope: ReplyScope, draws: Draws) -> None:
    await taught(semantic, scope)
    draws.value = 0.01
    shadowing = structs.replace(FAQ, shadow_share=0.05)
    lookup = await semantic.find(scope, call(AGAIN), shadowing)
    assert (lookup.outcome, lookup.is_shadowed) == ("hit", True)
    assert await semantic.learn(lookup, reply(), ttl=HOUR) is True
    assert await semantic.learn(lookup, reply("Passwords were abolished in 2031."), ttl=HOUR) is False
    (figures,) = await semantic.figures(scope.tenant)
    assert (figures.shadowed, figures.wrong) == (2, 1)
    assert (await semantic.find(scope, call(AGAIN), FAQ)).outcome == "explore"


async def test_another_tenant_is_never_answered(
    semantic: SemanticCache, scope: ReplyScope, other_tenant: TenantId
) -> None:
    await taught(semantic, scope)
    theirs = await semantic.find(replace(scope, tenant=other_tenant), call(ASKED), FAQ)
    assert (theirs.outcome, theirs.entry) == ("miss", None)


REQUEST = call(ASKED)


@pytest.mark.parametrize(
    "changed",
    [
        replace(REQUEST, messages=(system("You are a pirate."), user(ASKED))),
        replace(REQUEST, messages=(system("You are the help desk."), user("Hi"), assistant("Yes?"), user(ASKED))),
        replace(REQUEST, messages=(system("You are the help desk."), user("Context: version 2"), user(ASKED))),
        replace(REQUEST, tools=(Tool("look", "Looks", {"type": "object"}),)),
        replace(REQUEST, response_format=ResponseFormat("x", {"type": "object"})),
        replace(REQUEST, sampling=Sampling(temperature=1)),
        replace(REQUEST, max_tokens=10),
        replace(REQUEST, extra=Extra("openai", {"reasoning_effort": "low"})),
    ],
    ids=["system prompt", "earlier turns", "retrieved context", "tools", "format", "sampling", "cap", "extra"],
)
async def test_everything_but_the_last_turn_must_be_equal(
    semantic: SemanticCache, scope: ReplyScope, changed: InferenceRequest
) -> None:
    await ask(semantic, scope, ASKED, reply())
    assert (await semantic.find(scope, call(ASKED), FAQ)).outcome == "explore"
    assert (await semantic.find(scope, changed, FAQ)).outcome == "miss"


async def test_model_prompt_version_and_embedder_must_be_equal(semantic: SemanticCache, scope: ReplyScope) -> None:
    await ask(semantic, scope, ASKED, reply())
    for other in (replace(scope, model="openai/m-2"), replace(scope, prompt="faq@2"), replace(scope, residency="eu")):
        assert (await semantic.find(other, REQUEST, FAQ)).outcome == "miss"
    assert (await replace(semantic, embedder="minilm@2").find(scope, REQUEST, FAQ)).outcome == "miss"


@pytest.mark.parametrize(
    "request_",
    [
        replace(
            REQUEST,
            messages=(
                user("Look it up"),
                Message(Role.ASSISTANT, (ToolCallPart("c", "look", "{}"),)),
                Message(Role.TOOL, (ToolResultPart("c", (TextPart("found"),)),)),
                user(ASKED),
            ),
        ),
        replace(REQUEST, messages=(Message(Role.USER, (TextPart(ASKED), ImagePart(Link("https://x/y.png")))),)),
        replace(REQUEST, messages=(user(ASKED), assistant("Well"))),
        call("x " * 600),
        call("  "),
        call("Как сбросить пароль?"),
    ],
    ids=["tool turns", "image", "model's turn last", "too long", "empty", "another script"],
)
async def test_some_calls_are_left_alone(
    semantic: SemanticCache, scope: ReplyScope, request_: InferenceRequest
) -> None:
    assert (await semantic.find(scope, request_, FAQ)).outcome == "left_alone"


async def test_a_feature_that_has_not_opted_in_is_left_alone(semantic: SemanticCache, scope: ReplyScope) -> None:
    for feature in ("chat", None):
        assert (await semantic.find(replace(scope, feature=feature), REQUEST, FAQ)).outcome == "left_alone"


async def test_guards_stand_between_near_questions(semantic: SemanticCache, scope: ReplyScope) -> None:
    await ask(semantic, scope, "How do I cancel invoice 12345?", reply())
    lookup = await semantic.find(scope, call("How do I cancel invoice 12346?"), FAQ)
    assert (lookup.outcome, lookup.reason) == ("miss", "guard: numbers")


@pytest.mark.parametrize(
    "fresh",
    [
        replace(reply(), finish_reason=FinishReason.REFUSED),
        replace(reply(), finish_reason=FinishReason.LENGTH),
        replace(reply(), message=Message(Role.ASSISTANT, (ToolCallPart("c", "look", "{}"),))),
    ],
    ids=["refused", "cut off", "tool call"],
)
async def test_what_should_not_be_repeated_makes_no_entry(
    semantic: SemanticCache, scope: ReplyScope, fresh: Completion
) -> None:
    await ask(semantic, scope, ASKED, fresh)
    assert (await semantic.find(scope, REQUEST, FAQ)).outcome == "miss"


async def test_entries_end_and_can_be_purged(
    semantic: SemanticCache, scope: ReplyScope, other_tenant: TenantId, database: Database
) -> None:
    theirs = replace(scope, tenant=other_tenant)
    for owner in (scope, theirs):
        await ask(semantic, owner, ASKED, reply())
    assert await semantic.purge(scope.tenant, "chat") == 0
    assert await semantic.purge(scope.tenant, "faq") == 1
    assert (await semantic.find(scope, REQUEST, FAQ)).outcome == "miss"
    assert (await semantic.find(theirs, REQUEST, FAQ)).outcome == "explore"
    await semantic.learn(await semantic.find(scope, REQUEST, FAQ), reply(), ttl=timedelta(0))
    assert (await semantic.find(scope, REQUEST, FAQ)).outcome == "miss"
    assert await forget_expired(database) >= 1
    assert await semantic.purge(scope.tenant) == 0


async def test_neither_question_nor_reply_lie_in_the_database_in_clear(
    semantic: SemanticCache, scope: ReplyScope, database: Database
) -> None:
    await ask(semantic, scope, ASKED, reply())
    async with database.tenant(scope.tenant) as transaction:
        row = await transaction.one("select * from semantic_entry")
    shown = b" ".join(value if isinstance(value, bytes) else str(value).encode() for value in row.values())
    assert b"password" not in shown
    assert b"Settings" not in shown


async def test_without_postgres_the_call_is_left_alone(semantic: SemanticCache, scope: ReplyScope) -> None:
    away = await Database.open("postgresql://nobody@127.0.0.1:1/none?connect_timeout=1")
    try:
        lookup = await replace(semantic, open_sealer=Vault(away, LocalKeyWrapper([b"w" * 32])).open_tenant).find(
            scope, REQUEST, FAQ
        )
    finally:
        await away.close()
    assert (lookup.outcome, lookup.reason) == ("left_alone", "away")


APART = [
    ("What is the limit for 5 users?", "What is the limit for 50 users?", "numbers"),
    ("Convert 5 kg to pounds", "Convert 5 mg to pounds", "numbers"),
    ("What are the five best books?", "What are the six best books?", "numbers"),
    ("Who won on Monday?", "Who won on Tuesday?", "times"),
    ("What is due today?", "What is due tomorrow?", "times"),
    ("How do I install Java on my laptop?", "How do I install Python on my laptop?", "names"),
    ("What does 'force majeure' mean?", "What does 'ultra vires' mean?", "quoted"),
    ("How do I move from Oslo to Rome?", "How do I move from Rome to Oslo?", "order of names"),
    ("Why is my card accepted?", "Why is my card not accepted?", "negation"),
    ("Can I cancel the order?", "Can't I cancel the order?", "negation"),
    ("How do I increase the limit?", "How do I decrease the limit?", "poles"),
    ("Should I buy shares?", "Should I sell shares?", "poles"),
    ("When does the contract end?", "Why does the contract end?", "question"),
    ("how do i learn java at home", "how do i learn python at home", "words"),
    ("What percentage of cats are pets?", "What percentage of pets are cats?", "order of words"),
]


@pytest.mark.parametrize(("first", "second", "guard"), APART)
def test_a_guard_keeps_different_questions_apart_in_both_directions(first: str, second: str, guard: str) -> None:
    ours, theirs = read_features(first), read_features(second)
    assert ours is not None
    assert theirs is not None
    assert disagreement(ours, theirs) == guard
    assert disagreement(theirs, ours) == guard


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (ASKED, AGAIN),
        ("What is the best way to learn Java?", "How do I learn Java?"),
        ("what is a cap in the MSA", "What's a cap in the MSA?"),
        ("Is 1,000 enough?", "is 1000 enough"),
        ("Where is the office?", "Where is your office?"),
    ],
)
def test_guards_let_the_same_question_through(first: str, second: str) -> None:
    ours, theirs = read_features(first), read_features(second)
    assert ours is not None
    assert theirs is not None
    assert disagreement(ours, theirs) is None


def test_nothing_below_the_floor_and_nothing_without_evidence_is_near_enough() -> None:
    right = [Observation(0.95, True)] * 64
    assert is_near_enough(right, 0.97, 0.05)
    assert not is_near_enough(right, 0.949, 0.2)
    assert not is_near_enough([], 1.0, 0.2)


def test_belief_grows_with_right_replies_falls_with_wrong_ones_and_rises_with_similarity() -> None:
    right, wrong = Observation(0.96, True), Observation(0.96, False)
    grown = [chance_of_right([right] * count, 0.97) for count in (1, 3, 10, 40)]
    assert grown == sorted(grown)
    assert grown[0] < grown[-1]
    assert chance_of_right([right] * 10 + [wrong], 0.97) < chance_of_right([right] * 10, 0.97)
    along = [chance_of_right([right] * 10, similarity) for similarity in (0.95, 0.96, 0.97, 0.99)]
    assert along == sorted(along)


@pytest.mark.parametrize("accepted", [0.01, 0.02, 0.05])
@pytest.mark.parametrize("true_error", [0.0, 0.05, 0.2, 0.5])
def test_hits_are_wrong_at_most_as_often_as_accepted(true_error: float, accepted: float) -> None:
    """Of entries as the belief to begin with expects them: one in ten is wrong at times, the others never."""
    random = np.random.default_rng(3)
    hits = wrong = 0
    for entry in range(60):
        seen: list[Observation] = []
        for _ in range(60):
            similarity = float(random.uniform(0.955, 0.995))
            was_right = entry % 10 > 0 or random.random() >= true_error
            if is_near_enough(seen, similarity, accepted):
                hits, wrong = hits + 1, wrong + (not was_right)
                if random.random() >= 0.05:
                    continue
            seen.append(Observation(similarity, was_right))
    assert hits > 500
    assert wrong / hits <= accepted


JUDGED = [
    ("Open Settings.", "open  settings", True),
    ('{"a": 1, "b": [2]}', '{"b":[2],"a":1}', True),
    ('{"a": 1}', '{"a": 2}', False),
    ("The fee is 10 dollars a month.", "The fee is 20 dollars a month.", False),
    ("You can cancel at any time.", "You cannot cancel at any time.", False),
    ("Open Settings and choose Reset.", "You will find lions in the zoo.", False),
    ("Open the settings page and choose reset.", "Open the settings page, and then choose reset.", True),
]


@pytest.mark.parametrize(("kept", "fresh", "is_same"), JUDGED)
async def test_the_judge_calls_replies_the_same_only_when_little_differs(kept: str, fresh: str, is_same: bool) -> None:
    assert await LikenessJudge(embed_all).is_same(reply(kept), reply(fresh)) is is_same
