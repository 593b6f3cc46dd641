"""Routing: what is never allowed, what comes first, and what the refusal says."""

import timeit
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mainspring.foundation.ids import TenantId, new_id
from mainspring.inference.gateway.errors import ContextTooLong, InvalidRequest
from mainspring.inference.gateway.models import Access, Catalogue, Resolution, load_catalogue
from mainspring.inference.gateway.policy import DEFAULT_POLICY, Limit, Price, RoutingPolicy, TenantPolicy
from mainspring.inference.gateway.providers import openai
from mainspring.inference.gateway.providers.wire import to_json
from mainspring.inference.gateway.routing import (
    BreakerState,
    Cause,
    Demand,
    Measurements,
    NoPermittedRoute,
    NoRoute,
    Prediction,
    Reason,
    Router,
    UnpricedModel,
)
from mainspring.inference.gateway.server.reading import read_call, read_order
from mainspring.inference.gateway.server.request import Request
from mainspring.inference.gateway.types import CallContext

ON = date(2026, 11, 22)
SMALL = Demand(input_tokens=100, max_tokens=200)
FILE = """
[aliases]
pair = ["small", "big"]

[[endpoints]]
name = "frankfurt"
provider = "eu-host"
url = "http://10.0.0.1/v1"
region = "eu-central-1"

[[endpoints]]
name = "dublin"
provider = "eu-host"
url = "http://10.0.0.2/v1"
region = "eu-west-1"

[[endpoints]]
name = "virginia"
provider = "us-host"
url = "http://10.0.0.3/v1"
region = "us-east-1"

[[endpoints]]
name = "leaky"
provider = "us-host"
url = "http://10.0.0.4/v1"
region = "eu-west-1"
retention_region = "us-east-1"

[[endpoints]]
name = "nowhere"
provider = "us-host"
url = "http://10.0.0.5/v1"

[[models]]
name = "eu-host/small-2026-01-01"
aliases = ["small"]
quality = "economy"
context_tokens = 1000
max_output_tokens = 500
price = { input_micros = 1000000, output_micros = 1000000 }
at.us-host = { name = "small-us" }

[[models]]
name = "us-host/big-2026-01-01"
aliases = ["big"]
quality = "premium"
context_tokens = 100000
images = false
price = { input_micros = 9000000, output_micros = 9000000 }
at.eu-host = { name = "big-eu" }

[[models]]
name = "us-host/unpriced-2026-01-01"
aliases = ["unpriced"]
"""


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    path = tmp_path_factory.mktemp("routing") / "models.toml"
    path.write_text(FILE, encoding="utf-8")
    return load_catalogue(Access(region="de", models_url="http://127.0.0.1:1/v1"), path)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def router_of(
    clock: Clock | None = None, *, breaker: Callable[[str], BreakerState] | None = None, seed: int = 1
) -> tuple[Router, Measurements]:
    measurements = Measurements(clock or Clock(), breaker) if breaker else Measurements(clock or Clock())
    return Router(measurements, Random(seed)), measurements


def choose(catalogue: Catalogue, name: str, policy: TenantPolicy, demand: Demand = SMALL) -> list[str]:
    router, _ = router_of()
    return [each.name for each in router.choose(catalogue.resolve(name, policy, ON), demand, policy).candidates]


def resolved(catalogue: Catalogue, name: str, policy: TenantPolicy = DEFAULT_POLICY) -> Resolution:
    return catalogue.resolve(name, policy, ON)


# --- hard filters ---


def test_a_model_at_one_place_goes_there_as_named(catalogue: Catalogue) -> None:
    router, _ = router_of()
    route = router.choose(resolved(catalogue, "local/smollm2-135m-instruct"), SMALL, DEFAULT_POLICY)
    assert [each.name for each in route.candidates] == ["local/smollm2-135m-instruct"]
    assert (route.reason, route.rejected) == (Reason.NAMED, ())


def test_residency_asks_where_a_call_is_stored_processed_and_retained(catalogue: Catalogue) -> None:
    policy = TenantPolicy(residency="eu")
    router, _ = router_of()
    route = router.choose(resolved(catalogue, "small"), SMALL, policy)
    assert {each.endpoint.name for each in route.candidates} == {"frankfurt", "dublin"}
    why = {each.name: each.why for each in route.rejected}
    assert {each.cause for each in route.rejected} == {Cause.RESIDENCY}
    assert "retains in us-east-1" in why["leaky/small-us"]
    assert "stores in an unknown region" in why["nowhere/small-us"]


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_with_residency_no_candidate_outside_ever_appears(catalogue: Catalogue, data: st.DataObject) -> None:
    endpoints = ["frankfurt", "dublin", "virginia", "leaky", "nowhere", "eu-host", "us-host", "local"]
    residency = data.draw(st.sampled_from(["eu", "EU", "de", "ie", "eu-west-1", "us", "europe", "mars", ""]))
    policy = TenantPolicy(
        residency=residency or "unset",
        allow=data.draw(st.none() | st.just(("*",)) | st.just(("us-host/*", "eu-host/*"))),
        larger_on_long_context=data.draw(st.booleans()),
        prices=data.draw(st.sampled_from([{}, {"unpriced": Price(input_micros=1, output_micros=1)}])),
        routing=RoutingPolicy(
            prefer=tuple(data.draw(st.lists(st.sampled_from(endpoints), max_size=3))),
            weights=data.draw(st.dictionaries(st.sampled_from(endpoints), st.floats(0, 9), max_size=4)),
            latency_target_ms=data.draw(st.none() | st.integers(1, 1000)),
            cost_ceiling_micros=data.draw(st.none() | st.integers(0, 10_000)),
            quality=data.draw(st.sampled_from(["economy", "standard", "premium"])),
            learned=data.draw(st.booleans()),
        ),
    )
    demand = Demand(
        input_tokens=data.draw(st.integers(0, 200_000)),
        max_tokens=data.draw(st.none() | st.integers(1, 5000)),
        needs_images=data.draw(st.booleans()),
        needs_tools=data.draw(st.booleans()),
        needs_schema=data.draw(st.booleans()),
        embedding=data.draw(st.none() | st.just([1.0])),
    )
    states: list[BreakerState] = ["closed", "half_open", "open"]
    broken: dict[str, BreakerState] = {name: data.draw(st.sampled_from(states)) for name in endpoints}
    router, measurements = router_of(breaker=lambda name: broken[name.partition("/")[0]], seed=data.draw(st.integers()))
    name = data.draw(
        st.sampled_from(["small", "big", "pair", "unpriced", "auto", "auto/economy", "us-host/big", "us-host/x"])
    )
    resolution = catalogue.resolve(name, policy, ON)
    for each in resolution.deployments:
        measurements.saw(each, data.draw(st.none() | st.floats(1, 2000)), ok=data.draw(st.booleans()))
    places = {"frankfurt": "eu", "dublin": "eu", "local": "eu", "virginia": "us", "leaky": "no", "nowhere": "no"}
    inside = {
        "eu": {"frankfurt", "dublin", "local"},
        "EU": {"frankfurt", "dublin", "local"},
        "europe": {"frankfurt", "dublin", "local"},
        "de": {"frankfurt", "local"},
        "ie": {"dublin"},
        "eu-west-1": {"dublin"},
        "us": {name for name, place in places.items() if place == "us"},
    }.get(residency, set())
    predictor = Sure({"eu-host/small-2026-01-01": 0.1, "us-host/big-2026-01-01": 0.9})
    explained = router.explain(resolution, demand, policy, predictor)
    assert {each.name.partition("/")[0] for each in explained.candidates} <= inside
    for ask in (
        lambda: router.choose(resolution, demand, policy, predictor),
        lambda: router.choose_larger(resolution, demand, policy),
    ):
        try:
            route = ask()
        except NoRoute:
            continue
        assert route.candidates
        assert {each.endpoint.name for each in route.candidates} <= inside


class Sure:
    """A predictor that is always sure."""

    def __init__(self, scores: Mapping[str, float]) -> None:
        self._scores = scores

    def predict(self, embedding: Sequence[float], models: Sequence[str]) -> Mapping[str, Prediction]:
        assert len(embedding)
        return {
            name: Prediction(self._scores[name], self._scores[name], 100) for name in models if name in self._scores
        }


@pytest.mark.parametrize(
    ("allow", "served_by"),
    [
        (("us-host/*",), {"virginia", "leaky", "nowhere"}),
        (("small*",), {"frankfurt", "dublin", "virginia", "leaky", "nowhere"}),
        (("eu-host/small",), {"frankfurt", "dublin"}),
        (("dublin/*",), {"dublin"}),
        (("*/small-2026-??-??",), {"frankfurt", "dublin", "virginia", "leaky", "nowhere"}),
    ],
)
def test_an_allow_list_is_of_providers_models_and_endpoints(
    catalogue: Catalogue, allow: tuple[str, ...], served_by: set[str]
) -> None:
    found = choose(catalogue, "small", TenantPolicy(allow=allow))
    assert {name.partition("/")[0] for name in found} == served_by


@pytest.mark.parametrize(
    "policy", [TenantPolicy(allow=("openai/*",)), TenantPolicy(residency="jp"), TenantPolicy(allow=())]
)
def test_what_the_policy_forbids_is_refused_as_forbidden(catalogue: Catalogue, policy: TenantPolicy) -> None:
    with pytest.raises(NoPermittedRoute, match=r"for 'small' \(frankfurt/small-2026-01-01: it .*; dublin/") as caught:
        choose(catalogue, "small", policy)
    assert caught.value.status == 403


@pytest.mark.parametrize(
    ("demand", "why"),
    [
        (Demand(needs_images=True), "it takes no images"),
        (Demand(needs_files=True), "it takes no files"),
        (Demand(input_tokens=100_001), "the call needs about 100001 tokens of context, and it has 100000"),
        (Demand(input_tokens=99_999, max_tokens=2), "needs about 100001 tokens"),
    ],
)
def test_what_no_deployment_can_do_is_refused_with_each_ones_reason(
    catalogue: Catalogue, demand: Demand, why: str
) -> None:
    with pytest.raises((NoRoute, ContextTooLong)) as caught:
        choose(catalogue, "us-host/big", DEFAULT_POLICY, demand)
    code = "model_context_too_long" if "context" in why or "tokens" in why else "no_route"
    assert (caught.value.status, caught.value.code) == (422, code)
    assert caught.value.detail.count(why) == 3


def test_a_model_without_tools_or_schemas_is_left_out_where_they_are_needed(catalogue: Catalogue) -> None:
    local = "local/smollm2-135m-instruct"
    assert choose(catalogue, local, DEFAULT_POLICY, Demand(needs_schema=True)) == [local]
    with pytest.raises(NoRoute, match="it calls no tools"):
        choose(catalogue, local, DEFAULT_POLICY, Demand(needs_tools=True))


def test_an_output_limit_beyond_the_models_own_takes_no_context(catalogue: Catalogue) -> None:
    assert choose(catalogue, "small", DEFAULT_POLICY, Demand(input_tokens=500, max_tokens=100_000))


def test_a_call_too_long_goes_to_a_larger_model_only_where_the_tenant_allows_it(catalogue: Catalogue) -> None:
    long = Demand(input_tokens=20_000)
    with pytest.raises(ContextTooLong, match="needs about 20000 tokens"):
        choose(catalogue, "small", DEFAULT_POLICY, long)
    policy = TenantPolicy(larger_on_long_context=True, residency="eu")
    router, _ = router_of()
    route = router.choose(resolved(catalogue, "small", policy), long, policy)
    assert {each.name for each in route.candidates} == {"frankfurt/big-eu", "dublin/big-eu"}
    assert route.reason is Reason.LARGER
    assert Cause.CONTEXT in {each.cause for each in route.rejected}
    again = router.choose_larger(resolved(catalogue, "small", policy), long, policy)
    assert {each.name for each in again.candidates} == {"frankfurt/big-eu", "dublin/big-eu"}
    with pytest.raises(NoRoute, match="none is larger"):
        router.choose_larger(resolved(catalogue, "small"), SMALL, DEFAULT_POLICY)


def test_a_cost_ceiling_leaves_out_what_may_cost_more(catalogue: Catalogue) -> None:
    policy = TenantPolicy(routing=RoutingPolicy(cost_ceiling_micros=300))
    assert {name.rpartition("/")[2] for name in choose(catalogue, "pair", policy)} == {"small-2026-01-01", "small-us"}
    with pytest.raises(NoRoute, match="may cost 2700 micro-USD, above the ceiling of 300"):
        choose(catalogue, "big", policy)


@pytest.mark.parametrize(
    "policy",
    [
        TenantPolicy(limits=(Limit(scope="tenant", budget_per_month_micros=1),)),
        TenantPolicy(limits=(Limit(scope="model", match="unpriced", budget_per_day_micros=1),)),
        TenantPolicy(routing=RoutingPolicy(cost_ceiling_micros=10**9)),
    ],
)
def test_an_unpriced_model_is_refused_where_money_is_limited(catalogue: Catalogue, policy: TenantPolicy) -> None:
    assert choose(catalogue, "unpriced", DEFAULT_POLICY)
    with pytest.raises(UnpricedModel, match=r"its price is unknown, and a .* holds.*Give the model a price"):
        choose(catalogue, "unpriced", policy)
    priced = TenantPolicy(limits=policy.limits, prices={"unpriced": Price(input_micros=1, output_micros=1)})
    assert choose(catalogue, "unpriced", priced)


def test_a_budget_of_another_model_does_not_hold_an_unpriced_one_up(catalogue: Catalogue) -> None:
    policy = TenantPolicy(limits=(Limit(scope="model", match="small", budget_per_day_micros=1),))
    assert choose(catalogue, "unpriced", policy)


def test_auto_takes_the_cheapest_that_meets_the_class(catalogue: Catalogue) -> None:
    assert choose(catalogue, "auto/economy", DEFAULT_POLICY)[0] == "local/smollm2-135m-instruct", "it is free"
    premium = choose(catalogue, "auto/premium", DEFAULT_POLICY)
    assert {name.rpartition("/")[2] for name in premium} == {"big-eu", "big-2026-01-01"}


# --- order ---


def test_preferred_endpoints_and_providers_come_first_in_their_order(catalogue: Catalogue) -> None:
    policy = TenantPolicy(routing=RoutingPolicy(prefer=("dublin", "us-host")))
    found = choose(catalogue, "small", policy)
    assert found[0] == "dublin/small-2026-01-01"
    assert found[-1] == "frankfurt/small-2026-01-01"


def test_what_is_slower_than_the_target_comes_last_and_gets_another_chance_after_a_minute(catalogue: Catalogue) -> None:
    clock = Clock()
    router, measurements = router_of(clock)
    policy = TenantPolicy(residency="eu", routing=RoutingPolicy(latency_target_ms=500, prefer=()))
    resolution = resolved(catalogue, "small", policy)
    frankfurt, dublin = (each for each in resolution.deployments if each.endpoint.provider == "eu-host")
    measurements.saw(frankfurt, 900, ok=True)
    measurements.saw(dublin, 100, ok=True)
    routes = [router.choose(resolution, SMALL, policy) for _ in range(20)]
    assert {route.candidates[0].endpoint.name for route in routes} == {"dublin"}
    assert {route.reason for route in routes} == {Reason.FAST}
    clock.now = 61
    firsts = {router.choose(resolution, SMALL, policy).candidates[0].endpoint.name for _ in range(50)}
    assert firsts == {"dublin", "frankfurt"}


def test_an_open_breaker_puts_a_deployment_last_but_keeps_it(catalogue: Catalogue) -> None:
    router, _ = router_of(breaker=lambda name: "open" if name.startswith("dublin") else "closed")
    policy = TenantPolicy(residency="eu", routing=RoutingPolicy(prefer=("dublin",)))
    route = router.choose(resolved(catalogue, "small"), SMALL, policy)
    assert [each.endpoint.name for each in route.candidates] == ["frankfurt", "dublin"]
    assert route.reason is Reason.HEALTHY


def test_calls_are_split_by_weight_among_equals_and_never_go_to_weight_0_first(catalogue: Catalogue) -> None:
    policy = TenantPolicy(
        routing=RoutingPolicy(weights={"frankfurt": 3, "dublin": 1, "virginia": 0, "leaky": 0, "nowhere": 0})
    )
    router, _ = router_of()
    resolution = resolved(catalogue, "small")
    firsts = [router.choose(resolution, SMALL, policy).candidates[0].endpoint.name for _ in range(2000)]
    assert set(firsts) == {"frankfurt", "dublin"}
    assert 0.70 < firsts.count("frankfurt") / 2000 < 0.80


def test_an_alias_of_two_models_tries_them_in_its_order_whatever_they_cost(catalogue: Catalogue) -> None:
    ranks = [name.rpartition("/")[2] for name in choose(catalogue, "pair", TenantPolicy(residency="eu"))]
    assert ranks == ["small-2026-01-01", "small-2026-01-01", "big-eu", "big-eu"]


def test_the_cheaper_of_two_places_comes_first(catalogue: Catalogue) -> None:
    policy = TenantPolicy(residency="eu", prices={"dublin/small-2026-01-01": Price(input_micros=1, output_micros=1)})
    router, _ = router_of()
    route = router.choose(resolved(catalogue, "small", policy), SMALL, policy)
    assert [each.endpoint.name for each in route.candidates] == ["dublin", "frankfurt"]
    assert route.reason is Reason.CHEAPEST


# --- tasks ---


def test_a_tasks_model_comes_first_whatever_its_class_and_auto_follows(catalogue: Catalogue) -> None:
    policy = TenantPolicy(routing=RoutingPolicy(quality="premium"))
    router, _ = router_of()
    first, rest = resolved(catalogue, "small"), resolved(catalogue, "auto", policy)
    assert {each.model.name for each in router.choose(rest, SMALL, policy).candidates} == {"us-host/big-2026-01-01"}
    route = router.choose_for_task(first, rest, SMALL, policy)
    assert route.reason is Reason.TASK
    assert [each.model.name for each in route.candidates[:5]] == ["eu-host/small-2026-01-01"] * 5
    assert {each.model.name for each in route.candidates[5:]} == {"us-host/big-2026-01-01"}
    assert not {each.name for each in route.candidates} & {each.name for each in route.rejected}


def test_a_tasks_model_that_cannot_take_the_call_leaves_it_to_auto(catalogue: Catalogue) -> None:
    policy = TenantPolicy(routing=RoutingPolicy(quality="premium"))
    router, _ = router_of()
    first, rest = resolved(catalogue, "small"), resolved(catalogue, "auto", policy)
    long = Demand(input_tokens=5000, max_tokens=200)
    route = router.choose_for_task(first, rest, long, policy)
    assert route.reason is not Reason.TASK
    assert {each.model.name for each in route.candidates} == {"us-host/big-2026-01-01"}
    explained = router.explain_for_task(first, rest, long, policy)
    assert explained.reason is route.reason
    assert "context" in {each.cause.value for each in explained.rejected if "small" in each.name}


def test_a_task_overrules_no_residency(catalogue: Catalogue) -> None:
    policy = TenantPolicy(residency="jp")
    router, _ = router_of()
    with pytest.raises(NoPermittedRoute):
        router.choose_for_task(resolved(catalogue, "small"), resolved(catalogue, "auto", policy), SMALL, policy)
    european = TenantPolicy(residency="eu")
    route = router.choose_for_task(resolved(catalogue, "small"), resolved(catalogue, "auto"), SMALL, european)
    assert {each.endpoint.name for each in route.candidates} <= {"frankfurt", "dublin"}


def test_an_explanation_for_a_task_ranks_its_model_first_and_each_deployment_once(catalogue: Catalogue) -> None:
    router, _ = router_of()
    explained = router.explain_for_task(resolved(catalogue, "big"), resolved(catalogue, "auto"), SMALL, DEFAULT_POLICY)
    assert (explained.asked, explained.reason) == ("auto", Reason.TASK)
    assert explained.candidates[0].model == "us-host/big-2026-01-01"
    assert [each.rank for each in explained.candidates] == list(range(1, len(explained.candidates) + 1))
    names = [each.name for each in (*explained.candidates, *explained.rejected)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("words", ["Draft a letter.", "Describe the image."], ids=["plain", "looked at closely"])
def test_a_header_names_the_task_and_its_absence_none(words: str) -> None:
    body = to_json({"model": "auto", "messages": [{"role": "user", "content": words}]})
    context = CallContext(TenantId(new_id()))

    def task(headers: dict[bytes, bytes]) -> str | None:
        request = Request(b"POST", b"/v1/chat/completions", headers, body, is_last=False)
        return read_call(read_order(request, openai.INBOUND), context).demand.task

    assert task({b"x-mainspring-task": b"drafting"}) == "drafting"
    assert task({b"traceparent": b"00-1-2-01"}) is None
    assert task({}) is None
    with pytest.raises(InvalidRequest, match="x-mainspring-task is longer than 200"):
        task({b"x-mainspring-task": b"x" * 201})


# --- explanation ---


def test_an_explanation_says_of_every_deployment_why_it_stands_where_it_stands(catalogue: Catalogue) -> None:
    policy = TenantPolicy(residency="eu", routing=RoutingPolicy(prefer=("dublin",), latency_target_ms=50))
    router, measurements = router_of()
    resolution = resolved(catalogue, "small")
    for each in resolution.deployments:
        measurements.saw(each, 80.0, ok=False)
    explained = router.explain(resolution, SMALL, policy)
    first, second = explained.candidates
    assert (first.rank, first.name, first.estimate_micros, first.price_version) == (
        1,
        "dublin/small-2026-01-01",
        300,
        "operator",
    )
    assert (first.ttft_ms, first.breaker) == (80.0, "closed")
    assert first.error_share == pytest.approx(0.1)
    assert first.why == "preferred as number 1, slower than the target of 50 ms, by cost"
    assert second.why == "slower than the target of 50 ms, by cost"
    assert explained.reason is Reason.PREFERRED
    assert len(explained.candidates) + len(explained.rejected) == 5


def test_an_explanation_of_a_refusal_has_its_error(catalogue: Catalogue) -> None:
    router, _ = router_of()
    explained = router.explain(resolved(catalogue, "small"), SMALL, TenantPolicy(residency="jp"))
    assert explained.candidates == ()
    assert explained.refusal is not None
    assert explained.refusal[0] == "no_permitted_route"


# --- speed ---


def test_a_route_between_two_places_takes_microseconds(catalogue: Catalogue) -> None:
    """Measured 0.7 us for one place and 3.5 us for two; the bound leaves room for a busy machine."""
    router, _ = router_of()
    policy = TenantPolicy(residency="eu")
    resolution = resolved(catalogue, "small")
    assert len(router.choose(resolution, SMALL, policy).candidates) == 2
    seconds = min(timeit.repeat(lambda: router.choose(resolution, SMALL, policy), number=1000, repeat=10)) / 1000
    assert seconds < 40e-6


def test_a_changed_policy_is_another_plan_at_once(catalogue: Catalogue) -> None:
    router, _ = router_of()
    resolution = resolved(catalogue, "small")
    assert len(router.choose(resolution, SMALL, DEFAULT_POLICY).candidates) == 5
    assert len(router.choose(resolution, SMALL, TenantPolicy(residency="eu")).candidates) == 2
    assert len(router.choose(resolution, SMALL, DEFAULT_POLICY).candidates) == 5
