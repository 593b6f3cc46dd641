"""Routing that learns: what past calls taught of a question, kept apart by tenant, within bounds."""

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise
from random import Random

import numpy as np
import pytest

from mainspring.foundation.db import Database
from mainspring.foundation.errors import InvalidInput
from mainspring.foundation.ids import TenantId, new_id
from mainspring.inference.gateway.models import Access, Catalogue, load_catalogue
from mainspring.inference.gateway.policy import Price, RoutingPolicy, TenantPolicy
from mainspring.inference.gateway.routing import Demand, Measurements, Neighbours, Prediction, Reason, Router
from mainspring.inference.gateway.routing.outcomes import DIMENSIONS, Outcomes
from mainspring.inference.gateway.routing.store import delete_older_outcomes, select_newest_outcomes

ON = date(2026, 11, 22)
FILE = """
aliases = { pair = ["ours/small", "ours/big"] }

[[endpoints]]
name = "ours"
provider = "ours"
url = "http://10.0.0.1/v1"
"""
PRICES = {
    "ours/small": Price(input_micros=1_000_000, output_micros=1_000_000),
    "ours/big": Price(input_micros=9_000_000, output_micros=9_000_000),
}


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    path = tmp_path_factory.mktemp("routing") / "models.toml"
    path.write_text(FILE, encoding="utf-8")
    return load_catalogue(Access(), path)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Sure:
    """A predictor that is always sure."""

    def __init__(self, scores: Mapping[str, float]) -> None:
        self._scores = scores

    def predict(self, embedding: Sequence[float], models: Sequence[str]) -> Mapping[str, Prediction]:
        assert len(embedding)
        return {
            name: Prediction(self._scores[name], self._scores[name], 100) for name in models if name in self._scores
        }


LEARNS = TenantPolicy(prices=PRICES, routing=RoutingPolicy(learned=True))
ASKED = Demand(input_tokens=100, max_tokens=200, embedding=[1.0])


@pytest.mark.parametrize(
    ("scores", "first", "reason"),
    [
        ((0.85, 0.9), "small", Reason.LEARNED),
        ((0.5, 0.9), "big", Reason.LEARNED),
        ((0.99, 0.2), "small", Reason.LEARNED),
    ],
)
def test_learned_routing_takes_the_cheapest_that_will_do(
    catalogue: Catalogue, scores: tuple[float, float], first: str, reason: Reason
) -> None:
    predictor = Sure({"ours/small": scores[0], "ours/big": scores[1]})
    router = Router(Measurements(Clock()), Random(1))
    route = router.choose(catalogue.resolve("pair", LEARNS, ON), ASKED, LEARNS, predictor)
    assert route.candidates[0].wire_model == first
    assert route.reason is reason
    assert len(route.candidates) == 2, "the others stay, for when the first fails"


def test_nothing_is_learned_for_a_tenant_that_did_not_ask_for_it_or_of_one_model_alone(catalogue: Catalogue) -> None:
    router = Router(Measurements(Clock()), Random(1))
    predictor = Sure({"ours/small": 0.1, "ours/big": 0.9})
    not_asked = TenantPolicy(prices=PRICES)
    assert (
        router.choose(catalogue.resolve("pair", LEARNS, ON), ASKED, not_asked, predictor).reason is not Reason.LEARNED
    )
    alone = Sure({"ours/big": 0.9})
    assert router.choose(catalogue.resolve("pair", LEARNS, ON), ASKED, LEARNS, alone).reason is not Reason.LEARNED


def _outcomes(count: int) -> tuple[list[str], "np.ndarray[tuple[int, int], np.dtype[np.float32]]", list[float]]:
    """Two kinds of questions: the weak model answers those of the first kind only, the strong one both."""
    rng = np.random.default_rng(7)
    kinds = np.arange(count) % 2
    vectors = rng.normal(0, 0.05, (count, DIMENSIONS)).astype(np.float32)
    vectors[np.arange(count), kinds] += 1
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    models = ["weak" if place % 4 < 2 else "strong" for place in range(count)]
    scores = [1.0 if model == "strong" or kind == 0 else 0.0 for model, kind in zip(models, kinds, strict=True)]
    return models, vectors, scores


def test_neighbours_tell_the_questions_that_a_weak_model_can_answer() -> None:
    models, vectors, scores = _outcomes(800)
    index = Neighbours(models, vectors, np.array(scores, dtype=np.float32))
    easy, hard = np.eye(DIMENSIONS)[0].tolist(), np.eye(DIMENSIONS)[1].tolist()
    assert index.predict(easy, ["weak"])["weak"].lower > 0.8
    assert index.predict(hard, ["weak"])["weak"].score < 0.2
    assert index.predict(hard, ["strong"])["strong"].lower > 0.9
    assert index.seen == {"weak": 400, "strong": 400}


def test_too_few_outcomes_predict_nothing() -> None:
    models, vectors, scores = _outcomes(40)
    index = Neighbours(models, vectors, np.array(scores, dtype=np.float32))
    assert index.predict(vectors[0].tolist(), ["weak", "strong", "unseen"]) == {}


def test_a_bound_draws_nearer_the_more_was_seen() -> None:
    def width(count: int) -> float:
        models, vectors, _ = _outcomes(count)
        scores = np.array([place % 3 == 0 for place in range(count)], dtype=np.float32)
        found = Neighbours(models, vectors, scores, neighbours=count).predict(vectors[0].tolist(), ["weak"])["weak"]
        return found.score - found.lower

    widths = [width(count) for count in (100, 400, 1600)]
    assert all(wide > narrow for wide, narrow in pairwise(widths))


async def test_outcomes_are_kept_by_call_and_come_back_as_predictions(database: Database, tenant: TenantId) -> None:
    clock = Clock()
    outcomes = Outcomes(database, clock)
    models, vectors, scores = _outcomes(160)
    for model, vector, score in zip(models, vectors, scores, strict=True):
        await outcomes.record_outcome(tenant, new_id(), model=model, embedding=vector.tolist(), score=score)
    assert outcomes.predictor(tenant) is None, "nothing waits for the database"
    assert await outcomes.refresh() == 1
    index = outcomes.predictor(tenant)
    assert index is not None
    assert index.seen == {"weak": 80, "strong": 80}
    hard = np.eye(DIMENSIONS)[1].tolist()
    assert index.predict(hard, ["weak"])["weak"].score < 0.3
    assert await outcomes.refresh() == 0
    clock.now = 60
    assert await outcomes.refresh() == 1


async def test_a_later_word_on_a_call_replaces_the_earlier(database: Database, tenant: TenantId) -> None:
    outcomes = Outcomes(database, Clock())
    call, vector = new_id(), np.eye(DIMENSIONS)[0].tolist()
    await outcomes.record_outcome(tenant, call, model="weak", embedding=vector, score=1)
    await outcomes.record_outcome(tenant, call, model="weak", embedding=vector, score=0.25)
    async with database.tenant(tenant) as transaction:
        rows = await select_newest_outcomes(transaction, limit=10)
    assert [row["score"] for row in rows] == [0.25]


async def test_another_tenant_learns_nothing_from_these_outcomes(
    database: Database, tenant: TenantId, other_tenant: TenantId
) -> None:
    outcomes = Outcomes(database, Clock())
    await outcomes.record_outcome(tenant, new_id(), model="weak", embedding=np.eye(DIMENSIONS)[0].tolist(), score=1)
    outcomes.predictor(other_tenant)
    await outcomes.refresh()
    assert outcomes.predictor(other_tenant) is None


async def test_only_the_newest_outcomes_are_kept(database: Database, tenant: TenantId) -> None:
    outcomes = Outcomes(database, Clock())
    for score in (0.1, 0.2, 0.3, 0.4):
        await outcomes.record_outcome(
            tenant, new_id(), model="m", embedding=np.eye(DIMENSIONS)[0].tolist(), score=score
        )
    async with database.tenant(tenant) as transaction:
        assert await delete_older_outcomes(transaction, keep=4) == 0
        assert await delete_older_outcomes(transaction, keep=3) == 1
        rows = await select_newest_outcomes(transaction, limit=10)
    assert [round(float(str(row["score"])), 1) for row in rows] == [0.4, 0.3, 0.2]


async def test_memory_holds_a_few_tenants_and_lets_the_longest_unused_go(database: Database) -> None:
    outcomes = Outcomes(database, Clock(), tenants=2)
    first, second, third = (TenantId(new_id()) for _ in range(3))
    for tenant in (first, second, first, third):
        outcomes.predictor(tenant)
    assert outcomes.held == (first, third)


@pytest.mark.parametrize(("score", "numbers"), [(1.1, DIMENSIONS), (-0.1, DIMENSIONS), (0.5, 3)])
async def test_an_outcome_out_of_range_is_refused(
    database: Database, tenant: TenantId, score: float, numbers: int
) -> None:
    with pytest.raises(InvalidInput, match="of an outcome"):
        await Outcomes(database, Clock()).record_outcome(
            tenant, new_id(), model="m", embedding=[0.0] * numbers, score=score
        )
