"""Every route of the API, walked as the other tenant, as each role, and without a key."""

from collections.abc import Iterator
from functools import cache
from uuid import UUID

import httpx
import pytest

from mainspring.application.identity import ROLE_PERMISSIONS, Role
from mainspring.foundation.ids import show_id
from tests.entry.orchestration_routes import ORCHESTRATION, add_orchestration, describe
from tests.entry.walked import JSON, Route
from tests.scene import Scene
from tools.write_openapi import TARGET, canonical

VIEW, ANALYZE, APPROVE = "ai.output.view", "ai.analysis.trigger", "ai.recommendation.approve"
FIND, EDIT, MANAGE = "knowledge.view", "knowledge.edit", "knowledge.manage"
_GOLDEN = {"question": "Which law governs?", "document": "doc_0"}

ROUTES = [
    Route("GET", "/v1/session", None),
    Route("DELETE", "/v1/session", None, changes=True),
    Route("GET", "/v1/roles", None),
    Route("GET", "/v1/tenant", None),
    Route("PATCH", "/v1/tenant", "tenant.manage", {JSON: {"name": "Acme"}}, changes=True),
    Route("GET", "/v1/members", "member.view"),
    Route(
        "POST", "/v1/members", "member.manage", {JSON: {"email": "n@example.com", "name": "N", "role": "viewer"}}, True
    ),
    Route("PATCH", "/v1/members/{member}", "member.manage", {JSON: {"role": "viewer"}}, changes=True),
    Route("DELETE", "/v1/members/{member}", "member.manage", changes=True),
    Route("GET", "/v1/api-keys", "key.manage"),
    Route("POST", "/v1/api-keys", "key.manage", {JSON: {"name": "n"}}, changes=True),
    Route("DELETE", "/v1/api-keys/{key}", "key.manage", changes=True),
    Route("GET", "/v1/contracts", VIEW),
    Route(
        "POST", "/v1/contracts", "contract.upload", {"files": {"file": ("a.txt", b"1. Term. One year.")}}, changes=True
    ),
    Route("GET", "/v1/contracts/{contract}", VIEW),
    Route("DELETE", "/v1/contracts/{contract}", "contract.delete", changes=True),
    Route("POST", "/v1/contracts/{contract}/runs", ANALYZE, changes=True),
    Route("GET", "/v1/contracts/{contract}/file", VIEW),
    Route("GET", "/v1/contracts/{contract}/text", VIEW),
    Route("GET", "/v1/contracts/{contract}/report", VIEW),
    Route("GET", "/v1/contracts/{contract}/findings", VIEW),
    Route(
        "PATCH", "/v1/contracts/{contract}/findings/{finding}", APPROVE, {JSON: {"decision": "accepted"}}, changes=True
    ),
    Route("GET", "/v1/contracts/{contract}/amendments", VIEW),
    Route("GET", "/v1/amendments/{amendment}", VIEW, changes=True),  # there is none here to look at
    Route("GET", "/v1/amendments/{amendment}/file", VIEW, changes=True),
    Route("GET", "/v1/playbooks", VIEW),
    Route("GET", "/v1/playbooks/buyer", VIEW),
    Route("GET", "/v1/playbooks/buyer/versions", VIEW),
    Route("PUT", "/v1/playbooks/buyer", "playbook.edit", {JSON: {"yaml": "name: buyer"}}, changes=True),
    Route("GET", "/v1/runs", VIEW),
    Route("GET", "/v1/runs/{run}", VIEW),
    Route("GET", "/v1/runs/{run}/events", VIEW),
    Route("POST", "/v1/runs/{run}/cancel", ANALYZE, changes=True),
    Route("GET", "/v1/records", VIEW),
    Route("GET", "/v1/records/{record}", VIEW),
    Route("POST", "/v1/records/{record}/outcome", "ai.model.call", {JSON: {"score": 1.0}}, changes=True),
    Route("GET", "/v1/gateway/models", "gateway.view"),
    Route("GET", "/v1/gateway/cache", "gateway.view"),
    Route("POST", "/v1/gateway/cache:purge", "gateway.manage", {JSON: {"feature": "help-desk"}}, changes=True),
    Route("GET", "/v1/gateway/policy", "gateway.view"),
    Route("PUT", "/v1/gateway/policy", "gateway.manage", {JSON: {"policy": {}, "version": 0}}, changes=True),
    Route("GET", "/v1/gateway/provider-keys", "gateway.view"),
    Route("PUT", "/v1/gateway/provider-keys/openai", "gateway.manage", {JSON: {"key": "k" * 20}}, changes=True),
    Route("DELETE", "/v1/gateway/provider-keys/openai", "gateway.manage", changes=True),
    Route("GET", "/v1/gateway/spend", "gateway.view"),
    Route("GET", "/v1/teams", "member.view"),
    Route("POST", "/v1/teams", "member.manage", {JSON: {"name": "Sales"}}, changes=True),
    Route("GET", "/v1/teams/{team}", "member.view"),
    Route("PATCH", "/v1/teams/{team}", "member.manage", {JSON: {"name": "Sales"}}, changes=True),
    Route("DELETE", "/v1/teams/{team}", "member.manage", changes=True),
    Route("GET", "/v1/teams/{team}/members", "member.view"),
    Route("PUT", "/v1/teams/{team}/members/{member}", "member.manage", changes=True),
    Route("DELETE", "/v1/teams/{team}/members/{member}", "member.manage", changes=True),
    Route("POST", "/v1/knowledge/search", FIND, {JSON: {"text": "acme services agreement", "explain": True}}),
    Route("GET", "/v1/knowledge/documents", FIND),
    Route("POST", "/v1/knowledge/documents", EDIT, {"files": {"file": ("a.txt", b"A text.")}}, changes=True),
    Route("GET", "/v1/knowledge/documents/{document}", FIND),
    Route("DELETE", "/v1/knowledge/documents/{document}", EDIT, changes=True),
    Route("GET", "/v1/knowledge/documents/{document}/file", FIND),
    Route("GET", "/v1/knowledge/documents/{document}/text", FIND),
    Route("GET", "/v1/knowledge/documents/{document}/chunks", FIND),
    Route("POST", "/v1/knowledge/documents/{document}/runs", EDIT, changes=True),
    Route("PUT", "/v1/knowledge/documents/{document}/readers", MANAGE, {JSON: {"readers": None}}, changes=True),
    Route("GET", "/v1/knowledge/sources", FIND),
    Route("POST", "/v1/knowledge/sources", MANAGE, {JSON: {"name": "b", "config": {"kind": "push"}}}, changes=True),
    Route("GET", "/v1/knowledge/sources/{source}", FIND),
    Route("PATCH", "/v1/knowledge/sources/{source}", MANAGE, {JSON: {"is_paused": False}}, changes=True),
    Route("DELETE", "/v1/knowledge/sources/{source}", MANAGE, changes=True),
    Route("POST", "/v1/knowledge/sources/{source}:sync", MANAGE, changes=True),
    Route("PUT", "/v1/knowledge/sources/{source}/documents/{external}", EDIT, {JSON: {"text": "A."}}, changes=True),
    Route("DELETE", "/v1/knowledge/sources/{source}/documents/{external}", EDIT, changes=True),
    Route("GET", "/v1/knowledge/settings", FIND),
    Route("PUT", "/v1/knowledge/settings", MANAGE, {JSON: {"value": {}, "base_version": 0}}, changes=True),
    Route("POST", "/v1/knowledge/settings:preview", MANAGE, {JSON: {"document": "doc_0"}}, changes=True),
    Route("GET", "/v1/knowledge/settings/versions", FIND),
    Route("GET", "/v1/knowledge/indexes", FIND),
    Route("POST", "/v1/knowledge/indexes:rebuild", MANAGE, changes=True),
    Route("GET", "/v1/knowledge/indexes/{index}/comparison", MANAGE, changes=True),  # 409 while none is built
    Route("POST", "/v1/knowledge/indexes/{index}:switch", MANAGE, changes=True),
    Route("POST", "/v1/knowledge/indexes/{index}:undo", MANAGE, changes=True),
    Route("POST", "/v1/knowledge/indexes/{index}:abandon", MANAGE, changes=True),
    Route("GET", "/v1/knowledge/status", FIND),
    Route("GET", "/v1/knowledge/golden-questions", MANAGE),
    Route("POST", "/v1/knowledge/golden-questions", MANAGE, {JSON: _GOLDEN}, changes=True),
    Route("PUT", "/v1/knowledge/golden-questions/{question}", MANAGE, {JSON: _GOLDEN}, changes=True),
    Route("DELETE", "/v1/knowledge/golden-questions/{question}", MANAGE, changes=True),
    Route("GET", "/v1/knowledge/checks", FIND),
    Route("POST", "/v1/knowledge/alerts/{alert}:acknowledge", MANAGE, changes=True),
    *ORCHESTRATION,
]
PAGED = [
    "/v1/contracts",
    "/v1/runs",
    "/v1/records",
    "/v1/members",
    "/v1/api-keys",
    "/v1/gateway/spend",
    "/v1/teams",
    "/v1/knowledge/documents",
    "/v1/knowledge/settings/versions",
    "/v1/approvals",
    "/v1/bulk-actions",
    "/v1/dead-letters",
    "/v1/schedules",
    "/v1/tool-calls",
]
_OPEN = {("POST", "/v1/session"), ("GET", "/v1/agents/ok")}
_UNKNOWN = {"not_found", "agent_unknown"}
by_name = pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")


@cache
def find_record(url: str, key: str) -> str:
    """A model call of the tenant whose contract was analysed."""
    answer = httpx.get(f"{url}/v1/records?limit=1", headers={"authorization": f"Bearer {key}"})
    return answer.json()["items"][0]["id"]


@cache
def find_step(url: str, key: str, run: str) -> str:
    """The first step of the contract's run."""
    answer = httpx.get(f"{url}/v1/runs/{run}/steps?limit=1", headers={"authorization": f"Bearer {key}"})
    return answer.json()["items"][0]["name"]


@cache
def add_knowledge(url: str, key: str) -> dict[str, str]:
    """A team, a source with a document, and a question; the analysed contract's document and its index."""
    with httpx.Client(base_url=f"{url}/v1", headers={"authorization": f"Bearer {key}"}, timeout=20) as client:
        document = client.get("/knowledge/documents?source=contracts").json()["items"][0]["id"]
        client.post("/knowledge/sources", json={"name": "wiki", "config": {"kind": "push"}}).raise_for_status()
        client.put("/knowledge/sources/wiki/documents/page", json={"text": "A page."}).raise_for_status()
        golden = client.post("/knowledge/golden-questions", json={**_GOLDEN, "document": document}).raise_for_status()
        return {
            "team": client.post("/teams", json={"name": "Lawyers"}).raise_for_status().json()["id"],
            "document": document,
            "source": "wiki",
            "external": "page",
            "index": client.get("/knowledge/indexes").json()["items"][0]["id"],
            "question": golden.json()["id"],
            "alert": show_id("alert", UUID(int=0)),
        }


def call(scene: Scene, route: Route, key: str | None) -> httpx.Response:
    ids = {
        "contract": scene.contract,
        "run": scene.run,
        "step": find_step(scene.stack.url, scene.people[Role.OWNER].key, scene.run),
        "finding": scene.finding,
        "amendment": show_id("amd", UUID(int=0)),
        "key": scene.key,
        "member": scene.member,
        "record": find_record(scene.stack.url, scene.people[Role.OWNER].key),
        **add_knowledge(scene.stack.url, scene.people[Role.OWNER].key),
        **add_orchestration(scene.stack.url, scene.people[Role.OWNER].key),
    }
    headers = {"authorization": f"Bearer {key}"} if key else {}
    return _client(scene.stack.url).request(route.method, route.path.format(**ids), headers=headers, **route.body)


@cache
def _client(url: str) -> httpx.Client:
    """One for all requests: making one takes longer than most answers."""
    return httpx.Client(base_url=url, timeout=20)


@pytest.fixture(scope="module", autouse=True)
def _hang_up(scene: Scene) -> Iterator[None]:
    yield
    _client(scene.stack.url).close()
    _client.cache_clear()


def test_the_walk_knows_every_route_there_is(scene: Scene):
    described = httpx.get(f"{scene.stack.url}/openapi.json").json()["paths"]
    served = {
        (method.upper(), path) for path, methods in described.items() for method in methods if path.startswith("/v1/")
    }
    walked = {(route.method, _describe(route.path)) for route in ROUTES}
    assert {(method, path.replace("_id}", "}")) for method, path in served} - _OPEN == walked


def _describe(path: str) -> str:
    return describe(path.replace("/buyer", "/{name}").replace("/openai", "/{provider}"))


@by_name
def test_without_a_key_nothing_answers(scene: Scene, route: Route):
    for key in (None, "ms_00000000_" + "0" * 43, "nonsense"):
        answer = call(scene, route, key)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


@by_name
def test_what_another_tenant_owns_does_not_exist(scene: Scene, route: Route):
    """Same status, same shape and same words as for an id that nobody has."""
    if "{" not in route.path or route.names_new:
        answer = call(scene, route, scene.stranger.key) if not route.changes else None
        texts = [scene.contract, scene.run, scene.finding, scene.key, scene.member, "acme"]
        assert answer is None or not any(text in answer.text for text in texts)
        return
    answer = call(scene, route, scene.stranger.key)
    assert (answer.status_code, answer.json()["code"] in _UNKNOWN) == (404, True)
    assert "acme" not in answer.text.lower()


@by_name
@pytest.mark.parametrize("role", list(Role))
def test_each_role_may_do_what_its_permissions_say(scene: Scene, route: Route, role: Role):
    is_allowed = route.permission is None or route.permission in ROLE_PERMISSIONS[role]
    if is_allowed and route.changes:
        return
    answer = call(scene, route, scene.people[role].key)
    is_hidden = "{thread}" in route.path and "knowledge.manage" not in ROLE_PERMISSIONS[role]
    if is_hidden and "agent.run" in ROLE_PERMISSIONS[role]:
        assert (answer.status_code, answer.json()["code"]) == (404, "agent_unknown")  # it is the owner's
    elif is_allowed:
        assert answer.status_code == 200
    else:
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
        assert str(route.permission) in answer.json()["detail"]


@pytest.mark.parametrize("identifier", ["ctr_0", "run_" + "0" * 26, "%00", "ctr_" + "z" * 26, "x" * 3000])
def test_ids_that_nobody_has_are_not_found(scene: Scene, identifier: str):
    owner = {"authorization": f"Bearer {scene.people[Role.OWNER].key}"}
    answer = httpx.get(f"{scene.stack.url}/v1/contracts/{identifier}", headers=owner)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("query", ["limit=0", "limit=1000000", "limit=many", "cursor=made-up", "cursor=" + "A" * 5000])
@pytest.mark.parametrize("path", PAGED)
def test_a_page_out_of_range_is_refused_with_the_range(scene: Scene, path: str, query: str):
    owner = {"authorization": f"Bearer {scene.people[Role.OWNER].key}"}
    answer = httpx.get(f"{scene.stack.url}{path}?{query}", headers=owner)
    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid_input"


def test_the_consoles_description_of_the_api_is_the_apis_own(scene: Scene):
    """When this fails: make openapi, then npm run generate in console/."""
    assert canonical(httpx.get(f"{scene.stack.url}/openapi.json").json()) == TARGET.read_text()
