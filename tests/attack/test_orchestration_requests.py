"""Bodies and parameters that no honest client sends, at every route of orchestration: never an error of ours."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import httpx
import pytest

from tests.attack.conftest import Target
from tests.entry.orchestration_routes import ORCHESTRATION, add_orchestration, describe
from tests.entry.walked import JSON, Route
from tests.stack import Person

DEEP = "[" * 5_000 + "]" * 5_000
ODD_VALUES = [
    None, True, -1, 0, 2**31, 10**19, 1e308, 10**400, "", "\0", "a\0b", "\ud800", "x" * 3_000, "999999-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "../..", "%(tenant)s", [], [None], ["\0"], ["\ud800"], {},
    {"\0": "\0"}, {"a": {"b": "\ud800"}}, {"": [[[]]]}, "rehearsal.act", "* * * * *",
]  # fmt: skip
SOME_ODD = [
    None,
    -1,
    10**19,
    1e308,
    "",
    "a\0b",
    "\ud800",
    "x" * 3_000,
    "9999-12-31T23:59:59-14:00",
    [None],
    {"\0": "\ud800"},
]
ODD_TEXTS = [
    "",
    "null",
    "[]",
    "{}",
    '"x"',
    "NaN",
    '{"a": NaN}',
    '{"a": Infinity}',
    "{",
    DEEP,
    '{"a": ' + DEEP + "}",
    "1e999",
]
ODD_PARAMETERS = ["%00", "-1", "9" * 400, "%ed%a0%80", "x" * 2_000]


@pytest.fixture(scope="module")
def odd(target: Target) -> Person:
    return target.stack.person("odd")


@pytest.fixture(scope="module")
def client(target: Target, odd: Person) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {odd.key}"}
    with httpx.Client(base_url=target.stack.url, headers=headers, timeout=30) as opened:
        yield opened


WITH_BODY = [each for each in ORCHESTRATION if each.method in {"POST", "PUT", "PATCH"}]
READING = [each for each in ORCHESTRATION if each.method == "GET"]
_HUGE = b"[" + b"1," * 25_000_000 + b"1]"
by_name = pytest.mark.parametrize("route", WITH_BODY, ids=lambda route: f"{route.method} {route.path}")


def _mutants(value: Any, others: Sequence[Any] = ODD_VALUES) -> Iterator[Any]:
    """The value with one of its parts replaced, and with a field more."""
    yield from others
    if isinstance(value, dict):
        yield {**value, "unknown_field": 1}
        for name, part in value.items():
            for other in _mutants(part, SOME_ODD):
                yield {**value, name: other}
            yield {key: each for key, each in value.items() if key != name}
    elif isinstance(value, list) and value:
        for other in _mutants(value[0], SOME_ODD):
            yield [other]


def _status(client: httpx.Client, route: Route, path: str, text: str) -> tuple[int, str]:
    headers = {"content-type": "application/json"}
    with client.stream(route.method, path, content=text.encode("utf-8", "surrogatepass"), headers=headers) as answer:
        if not answer.headers.get("content-type", "").startswith("text/event-stream"):
            answer.read()
            return answer.status_code, answer.text
        return answer.status_code, ""


def _path(target: Target, odd: Person, route: Route) -> str:
    made = add_orchestration(target.stack.url, odd.key)
    return route.path.format(run=target.run, step="chunk", **made)


@by_name
def test_no_body_is_an_error_of_ours(target: Target, odd: Person, client: httpx.Client, route: Route):
    path, sample = _path(target, odd, route), route.body.get(JSON, {})
    is_read_elsewhere = path.endswith(("/runs/stream", "/runs/wait"))  # the same body as /runs, and slower to answer
    texts = [*ODD_TEXTS, *(() if is_read_elsewhere else (json.dumps(each) for each in _mutants(sample)))]
    failed = {}
    for text in texts:
        status, answer = _status(client, route, path, text)
        if status >= 500:
            failed[text[:100]] = (status, answer[:200])
    assert failed == {}


@pytest.mark.parametrize("route", [each for each in WITH_BODY if JSON in each.body], ids=lambda route: route.path)
def test_a_body_over_the_limit_is_refused_before_it_is_kept(
    target: Target, odd: Person, client: httpx.Client, route: Route
):
    answer = client.request(route.method, _path(target, odd, route), content=_HUGE)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize("route", READING, ids=lambda route: route.path)
def test_no_parameter_is_an_error_of_ours(target: Target, odd: Person, client: httpx.Client, route: Route):
    described = client.get("/openapi.json").json()["paths"][describe(route.path)]["get"]
    names = {"limit", "unknown"} | {each["name"] for each in described.get("parameters", []) if each["in"] == "query"}
    path = _path(target, odd, route)
    failed = {}
    for name in sorted(names):
        for value in ODD_PARAMETERS:
            with client.stream("GET", f"{path}?{name}={value}") as answer:
                if answer.status_code >= 500:
                    failed[f"{name}={value[:20]}"] = answer.status_code
    assert failed == {}


def test_nothing_crashed_unseen(target: Target):
    """An answer that had begun cannot say so; the log does."""
    log = (target.stack.settings.data_dir / "logs/api.log").read_text()
    crashed = [line for line in log.splitlines() if "request_crashed" in line or "Traceback" in line]
    assert crashed == []
