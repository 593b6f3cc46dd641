"""What every caller meets: problems with codes, request ids, and no stack trace ever."""

import httpx
import pytest
from psycopg import OperationalError

from mainspring.foundation.errors import Forbidden, NotFound, RateLimited
from mainspring.foundation.http import CurrentPrincipal, create_app
from mainspring.foundation.ids import TenantId, new_id
from mainspring.foundation.principal import Principal, PrincipalKind


class _Anyone:
    async def authenticate(
        self, *, bearer: str | None, cookie: str | None, csrf: str | None, unsafe: bool
    ) -> Principal:
        return Principal(TenantId(new_id()), PrincipalKind.API_KEY, "a key", frozenset({"seen"}))


@pytest.fixture
async def client():
    app = create_app(_Anyone(), title="test", version="0")

    @app.get("/raise/{kind}")
    async def fail(kind: str) -> None:
        raise {
            "missing": NotFound("There is no thing."),
            "limit": RateLimited("5 of 5 used.", retry_after_seconds=7),
            "crash": ZeroDivisionError("secret inside"),
            "gone": OperationalError("connection to 10.0.0.1 refused"),
        }[kind]

    @app.get("/needs")
    async def needs(principal: CurrentPrincipal) -> None:
        principal.require("hidden")

    @app.get("/typed")
    async def typed(n: int) -> int:
        return n

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as opened:
        yield opened


@pytest.mark.parametrize(
    ("path", "status", "code", "retryable"),
    [
        ("/raise/missing", 404, "not_found", False),
        ("/raise/limit", 429, "rate_limited", True),
        ("/raise/crash", 500, "internal_error", False),
        ("/raise/gone", 503, "unavailable", True),
        ("/needs", 403, Forbidden.code, False),
        ("/typed?n=many", 422, "invalid_input", False),
        ("/nowhere", 404, "not_found", False),
    ],
)
async def test_every_error_is_a_problem(client: httpx.AsyncClient, path: str, status: int, code: str, retryable: bool):
    answer = await client.get(path)
    body = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, body["status"], body["code"], body["retryable"]) == (status, status, code, retryable)
    assert body["request_id"] == answer.headers["x-request-id"]
    assert "secret inside" not in answer.text
    assert "10.0.0.1" not in answer.text


async def test_a_limit_says_when_to_come_back(client: httpx.AsyncClient):
    assert (await client.get("/raise/limit")).headers["retry-after"] == "7"


async def test_a_bad_value_is_named(client: httpx.AsyncClient):
    assert (await client.get("/typed?n=many")).json()["errors"][0]["field"] == "query.n"
