"""How long an answer takes says nothing about what other tenants have."""

import random
import time
from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

import pytest

from mainspring.foundation.db import Database
from mainspring.foundation.ids import new_id
from mainspring.foundation.objects import ObjectStore
from mainspring.orchestration.knowledge.retrieval import Filters, Mode, Question
from mainspring.orchestration.knowledge.types import Reader
from tests.attack.twins import Twin, make_twin

PAIRS = 400
ROUNDS = 3
USABLE = 0.08
"""How far from one half the chance may be that one kind of query is the slower one. With 400 pairs its standard
deviation is 0.02 where there is no difference; three rounds have to agree before the difference counts."""


@pytest.fixture(scope="module")
async def twins(database: Database, tmp_path_factory: pytest.TempPathFactory) -> tuple[Twin, Twin]:
    objects = ObjectStore.open(f"file://{tmp_path_factory.mktemp('twins')}")
    return await make_twin(database, objects, "alderwood"), await make_twin(database, objects, "birchfield")


async def _advantage(one: Callable[[], Awaitable[object]], other: Callable[[], Awaitable[object]]) -> float:
    """The chance that `one` takes longer than `other`, less one half; asked in turns, in random order."""
    chance, times = random.Random(5), (list[float](), list[float]())
    for _ in range(PAIRS):
        pair = [(one, times[0]), (other, times[1])]
        chance.shuffle(pair)
        for ask, taken in pair:
            began = time.perf_counter()
            await ask()
            taken.append(time.perf_counter() - began)
    return _share_above(times[0], times[1]) - 0.5


def _share_above(ones: Sequence[float], others: Sequence[float]) -> float:
    """The share of all pairs in which the first is larger (the area under the ROC curve)."""
    ranked = sorted([(value, True) for value in ones] + [(value, False) for value in others])
    ranks = sum(rank for rank, (_, is_one) in enumerate(ranked, 1) if is_one)
    return (ranks - len(ones) * (len(ones) + 1) / 2) / (len(ones) * len(others))


def _ids_like(identifiers: Sequence[UUID]) -> Sequence[UUID]:
    """As many ids that nobody has: of the same time, so that they stand at the same place of every index."""
    return [UUID(int=identifier.int ^ 1) for identifier in identifiers]


async def _is_told_apart(one: Callable[[], Awaitable[object]], other: Callable[[], Awaitable[object]]) -> bool:
    """Whether every one of several rounds shows a difference, and in the same direction."""
    found: list[float] = []
    for _ in range(ROUNDS):
        found.append(await _advantage(one, other))
        if abs(found[-1]) < USABLE or found[0] * found[-1] < 0:
            return False
    return True


async def test_a_document_of_another_tenant_takes_as_long_as_one_of_nobody(twins: tuple[Twin, Twin]):
    own, other = twins
    reader, chance = Reader(own.books.tenant, frozenset({"role:owner"})), random.Random(6)
    nobodys = _ids_like(other.documents)

    async def find(identifiers: Sequence[UUID]) -> None:
        assert await own.books.documents.find(reader, chance.choice(identifiers)) is None

    assert not await _is_told_apart(lambda: find(other.documents), lambda: find(nobodys))


async def test_a_search_among_another_tenants_documents_takes_as_long_as_among_nobodys(twins: tuple[Twin, Twin]):
    own, other = twins

    chance, nobodys = random.Random(7), _ids_like(other.documents)

    async def search(identifiers: Sequence[UUID]) -> None:
        filters = Filters(document_ids=tuple(chance.sample(identifiers, 2)))
        assert (await own.books.ask(Question("fees", mode=Mode.TEXT, filters=filters))).passages == ()

    assert not await _is_told_apart(lambda: search(other.documents), lambda: search(nobodys))


async def test_a_word_that_only_another_tenant_uses_takes_as_long_as_one_that_nobody_uses(twins: tuple[Twin, Twin]):
    own, other = twins

    async def search(word: str) -> None:
        await own.books.ask(Question(word, mode=Mode.TEXT))

    # Two words of the same length that the analysis treats alike.
    assert not await _is_told_apart(lambda: search(other.marker), lambda: search("cedarfield"))


async def test_the_measure_tells_a_document_that_is_there_from_one_that_is_not(twins: tuple[Twin, Twin]):
    """What a leak by time would look like: one's own documents, which are read whole."""
    own, _ = twins
    reader = Reader(own.books.tenant, None)

    async def chunks(identifier: UUID) -> None:
        if await own.books.documents.find(reader, identifier):
            await own.books.indexes.list_chunks(reader, identifier)

    assert await _is_told_apart(lambda: chunks(own.documents[0]), lambda: chunks(new_id()))
