"""What each role may do, over HTTP, and that a refusal names the missing permission."""

import httpx
import pytest

from mainspring.application.identity import ALL_PERMISSIONS, ROLE_PERMISSIONS, Identity, Permission, Role, Tenant
from mainspring.application.identity.testing import make_key, make_member
from mainspring.foundation.ids import show_id

MATRIX = {
    Role.VIEWER: {"ai.output.view", "knowledge.view"},
    Role.ANALYST: {
        "ai.output.view",
        "knowledge.view",
        "knowledge.edit",
        "ai.analysis.trigger",
        "ai.model.call",
        "contract.upload",
        "gateway.view",
        "member.view",
        "agent.run",
    },
    Role.REVIEWER: {
        "ai.output.view",
        "knowledge.view",
        "knowledge.edit",
        "ai.analysis.trigger",
        "ai.model.call",
        "contract.upload",
        "gateway.view",
        "member.view",
        "agent.run",
        "agent.edit",
        "run.operate",
        "ai.recommendation.approve",
        "playbook.edit",
        "contract.delete",
    },
    Role.ADMIN: ALL_PERMISSIONS - {"tenant.manage"},
    Role.OWNER: ALL_PERMISSIONS,
}

GUARDED = [
    ("GET", "/v1/members", None, Permission.MEMBER_VIEW, 200),
    ("POST", "/v1/members", {"email": "x", "name": "N", "role": "viewer"}, Permission.MEMBER_MANAGE, 422),
    ("PATCH", "/v1/members/{member}", {"role": "viewer"}, Permission.MEMBER_MANAGE, 404),
    ("DELETE", "/v1/members/{member}", None, Permission.MEMBER_MANAGE, 404),
    ("GET", "/v1/teams", None, Permission.MEMBER_VIEW, 200),
    ("GET", "/v1/teams/{team}", None, Permission.MEMBER_VIEW, 404),
    ("GET", "/v1/teams/{team}/members", None, Permission.MEMBER_VIEW, 404),
    ("POST", "/v1/teams", {"name": "Legal"}, Permission.MEMBER_MANAGE, 201),
    ("PATCH", "/v1/teams/{team}", {"name": "Legal"}, Permission.MEMBER_MANAGE, 404),
    ("DELETE", "/v1/teams/{team}", None, Permission.MEMBER_MANAGE, 404),
    ("PUT", "/v1/teams/{team}/members/{member}", None, Permission.MEMBER_MANAGE, 404),
    ("DELETE", "/v1/teams/{team}/members/{member}", None, Permission.MEMBER_MANAGE, 404),
    ("GET", "/v1/api-keys", None, Permission.KEY_MANAGE, 200),
    ("POST", "/v1/api-keys", {"name": "CI"}, Permission.KEY_MANAGE, 201),
    ("DELETE", "/v1/api-keys/{key}", None, Permission.KEY_MANAGE, 404),
    ("PATCH", "/v1/tenant", {"name": "Renamed"}, Permission.TENANT_MANAGE, 200),
]


def test_the_table_of_roles_is_what_was_promised():
    assert {role: set(held) for role, held in ROLE_PERMISSIONS.items()} == {r: set(held) for r, held in MATRIX.items()}


@pytest.mark.parametrize("role", Role)
async def test_a_member_holds_exactly_the_permissions_of_the_role(identity: Identity, home: Tenant, role: Role):
    person = await make_member(identity, home, role)
    assert person.principal.permissions == MATRIX[role]


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(("method", "path", "body", "permission", "status"), GUARDED)
async def test_a_route_opens_for_the_roles_with_its_permission_only(
    identity: Identity,
    home: Tenant,
    browser: httpx.AsyncClient,
    *,
    role: Role,
    method: str,
    path: str,
    body: dict[str, str] | None,
    permission: Permission,
    status: int,
):
    person = await make_member(identity, home, role)
    url = path.format(member=show_id("mem", home.id), key=show_id("key", home.id), team=show_id("team", home.id))
    if body and body.get("email") == "x":
        body = {**body, "email": "not an address"}
    browser.cookies.update(person.cookies)
    answer = await browser.request(method, url, json=body, headers=person.headers)
    if permission in MATRIX[role]:
        assert answer.status_code == status
    else:
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
        assert repr(permission.value) in answer.json()["detail"]
        assert "ask an owner or admin" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/v1/session", "/v1/tenant", "/v1/roles"])
@pytest.mark.parametrize("role", Role)
async def test_every_member_may_see_who_they_are(
    identity: Identity, home: Tenant, browser: httpx.AsyncClient, role: Role, path: str
):
    person = await make_member(identity, home, role)
    browser.cookies.update(person.cookies)
    assert (await browser.get(path)).status_code == 200


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/session"), ("DELETE", "/v1/session"), ("GET", "/v1/tenant")])
async def test_without_a_credential_every_route_is_closed(browser: httpx.AsyncClient, method: str, path: str):
    answer = await browser.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_guarded_routes_are_closed_without_a_credential_too(browser: httpx.AsyncClient):
    for method, path, body, _, _ in GUARDED:
        assert (await browser.request(method, path, json=body)).status_code == 401


async def test_the_list_of_roles_shows_the_table(identity: Identity, home: Tenant, browser: httpx.AsyncClient):
    key = await make_key(identity, home, scopes=["ai.output.view"])
    answer = await browser.get("/v1/roles", headers={"Authorization": f"Bearer {key.secret}"})
    assert {row["role"]: set(row["permissions"]) for row in answer.json()} == {
        r.value: set(h) for r, h in MATRIX.items()
    }
