"""The HTTP routes of tools: what each role is shown and may change, and that another tenant sees none of it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

import httpx
import pytest

from mainspring.application.identity import Identity, IdentitySettings
from mainspring.application.identity.testing import CHEAP_PASSWORDS, make_key, make_tenant
from mainspring.application.identity.types import Tenant
from mainspring.foundation.db import Database
from mainspring.foundation.http import create_app
from mainspring.foundation.ids import show_id
from mainspring.foundation.valkey import Valkey
from mainspring.orchestration.tools.declaring import tool
from mainspring.orchestration.tools.mcp import build_mcp_router
from mainspring.orchestration.tools.overview import ToolOverview
from mainspring.orchestration.tools.policies import ToolPolicies
from mainspring.orchestration.tools.routes import build_router
from mainspring.orchestration.tools.service import Toolbox
from mainspring.orchestration.tools.types import Effects, ToolCaller
from tests.orchestration.tools.mcp.conftest import Street, street

__all__ = ["street"]

NOBODYS = show_id("mcps", UUID(int=7))


@tool(effects=Effects.READS, permission="knowledge.view")
async def look(words: str) -> str:
    """Look words up."""
    return words


@dataclass
class Api:
    """The routes over a toolbox, and keys to call them with."""

    client: httpx.AsyncClient
    identity: Identity
    tenant: Tenant
    other: Tenant
    box: Toolbox

    async def call(
        self, method: str, path: str, *scopes: str, tenant: Tenant | None = None, json: object = None
    ) -> httpx.Response:
        key = await make_key(self.identity, tenant or self.tenant, scopes=scopes)
        return await self.client.request(method, path, json=json, headers={"authorization": f"Bearer {key.secret}"})


@pytest.fixture
async def api(database: Database, valkey: Valkey, street: Street) -> AsyncIterator[Api]:
    identity = Identity(database, valkey, settings=IdentitySettings(password_cost=CHEAP_PASSWORDS))
    tenant, other = await make_tenant(identity), await make_tenant(identity)
    street.tools.append(look)
    box, secrets = street.box, street.workshop.parts.secrets
    app = create_app(identity, title="t", version="0")
    app.include_router(build_router(ToolOverview(database, box.access), ToolPolicies(database), secrets))
    app.include_router(build_mcp_router(street.servers))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
        yield Api(client, identity, tenant, other, box)
    await identity.close()


async def test_a_caller_is_shown_its_tools_and_a_manager_all_of_them(api: Api):
    (mine,) = (await api.call("GET", "/v1/tools", "agent.run", "knowledge.view")).json()["items"]
    assert (mine["name"], mine["effects"], mine["is_usable"]) == ("look", "reads", True)
    assert mine["parameters"]["required"] == ["words"]
    assert (await api.call("GET", "/v1/tools", "agent.run")).json()["items"] == []
    (managed,) = (await api.call("GET", "/v1/tools", "agent.run", "tool.manage")).json()["items"]
    assert not managed["is_usable"]


async def test_a_policy_is_stored_shown_and_holds(api: Api):
    body = {"needs_approval": True, "approvers": ["reviewer"], "approval_expires_seconds": 3600}
    stored = await api.call("PUT", "/v1/tools/look/policy", "tool.manage", json=body)
    assert (stored.status_code, stored.json()["approvers"]) == (200, ["reviewer"])
    (shown,) = (await api.call("GET", "/v1/tools", "agent.run", "tool.manage")).json()["items"]
    assert (shown["policy"]["needs_approval"], shown["policy"]["approval_expires_seconds"]) == (True, 3600)
    foreign = await api.call("GET", "/v1/tools", "agent.run", "tool.manage", tenant=api.other)
    assert not foreign.json()["items"][0]["policy"]["needs_approval"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"approvers": ["The Boss"]}, "approvers"),
        ({"approval_expires_seconds": 1}, "approval_expires_seconds"),
        ({"approval_expires_seconds": 1e300}, "approval_expires_seconds"),
        ({"permission": "Everything!"}, "permission"),
        ({"enabled": True}, "enabled"),
    ],
)
async def test_a_policy_that_cannot_hold_is_refused_by_its_field(api: Api, body: dict[str, object], says: str):
    refused = await api.call("PUT", "/v1/tools/look/policy", "tool.manage", json=body)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_input")
    assert says in refused.text


async def test_calls_are_listed_with_their_record_and_only_to_their_tenant(api: Api):
    key = await make_key(api.identity, api.tenant, scopes=["knowledge.view"])
    principal = await api.identity.authenticate(bearer=key.secret, cookie=None, csrf=None, unsafe=True)
    for number in range(3):
        caller = ToolCaller(principal, f"thread:{number}")
        await api.box.call(caller, "look", {"words": "law"}, call_id="1")
    first = (await api.call("GET", "/v1/tool-calls?limit=2", "ai.output.view")).json()
    assert [each["scope"] for each in first["items"]] == ["thread:2", "thread:1"]
    rest = (await api.call("GET", f"/v1/tool-calls?cursor={first['next_cursor']}", "ai.output.view")).json()
    assert ([each["scope"] for each in rest["items"]], rest["next_cursor"]) == (["thread:0"], None)
    (one,) = (await api.call("GET", "/v1/tool-calls?thread=1", "ai.output.view")).json()["items"]
    assert (one["result"], one["record"][:4], one["id"][:6]) == ("ok", "inf_", "tcall_")
    assert (await api.call("GET", "/v1/tool-calls", "ai.output.view", tenant=api.other)).json()["items"] == []
    assert (await api.call("GET", "/v1/tool-calls?run=run_x", "ai.output.view")).status_code == 404


async def test_secrets_go_in_and_never_come_out(api: Api):
    put = await api.call("PUT", "/v1/tool-secrets/mail.token", "tool.manage", json={"value": "canary-0123456789"})
    assert (put.status_code, put.json()["name"]) == (200, "mail.token")
    listed = await api.call("GET", "/v1/tool-secrets", "tool.manage")
    assert [each["name"] for each in listed.json()["items"]] == ["mail.token"]
    short = await api.call("PUT", "/v1/tool-secrets/mail.token", "tool.manage", json={"value": "canary"})
    assert short.status_code == 422
    assert "canary" not in put.text + listed.text + short.text
    assert (await api.call("GET", "/v1/tool-secrets", "tool.manage", tenant=api.other)).json()["items"] == []
    assert (await api.call("DELETE", "/v1/tool-secrets/mail.token", "tool.manage", tenant=api.other)).status_code == 404
    assert (await api.call("DELETE", "/v1/tool-secrets/mail.token", "tool.manage")).status_code == 204


async def test_a_server_is_registered_looked_at_approved_changed_and_deleted(api: Api, street: Street):
    new = {"name": "next-door", "address": street.neighbour.url}
    made = await api.call("POST", "/v1/mcp-servers", "tool.manage", json=new)
    assert made.status_code == 201
    server = made.json()
    path = f"/v1/mcp-servers/{server['id']}"
    assert [(tool["shown_as"], tool["state"]) for tool in server["tools"]] == [("next-door__echo", "new")]
    yes = {"digest": server["digest"], "effects": {"echo": "reads"}}
    approved = (await api.call("POST", f"{path}/approve", "tool.manage", json=yes)).json()
    assert (approved["tools"][0]["state"], approved["tools"][0]["effects"]) == ("approved", "reads")
    tools = (await api.call("GET", "/v1/tools", "agent.run")).json()["items"]
    assert [(each["name"], each["untrusted_output"]) for each in tools] == [("next-door__echo", True)]
    stale = await api.call("POST", f"{path}/approve", "tool.manage", json={"digest": "0"})
    assert (stale.status_code, stale.json()["code"]) == (409, "listing_changed")
    changed = await api.call("PATCH", path, "tool.manage", json={"timeout_seconds": 9})
    assert changed.json()["timeout_seconds"] == 9
    assert (await api.call("POST", f"{path}/refresh", "tool.manage")).status_code == 200
    assert [each["id"] for each in (await api.call("GET", "/v1/mcp-servers", "tool.manage")).json()["items"]] == [
        server["id"]
    ]
    for method, suffix, body in (
        ("GET", "", None),
        ("PATCH", "", {"timeout_seconds": 5}),
        ("POST", "/refresh", None),
        ("POST", "/approve", yes),
        ("DELETE", "", None),
    ):
        theirs = await api.call(method, path + suffix, "tool.manage", tenant=api.other, json=body)
        none = await api.call(method, f"/v1/mcp-servers/{NOBODYS}{suffix}", "tool.manage", json=body)
        assert (theirs.status_code, none.status_code) == (404, 404)
        assert theirs.json()["detail"].replace(server["id"], NOBODYS) == none.json()["detail"]
    assert (await api.call("DELETE", path, "tool.manage")).status_code == 204
    assert (await api.call("GET", path, "tool.manage")).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/tools", None),
        ("PUT", "/v1/tools/look/policy", {}),
        ("GET", "/v1/tool-calls", None),
        ("GET", "/v1/tool-secrets", None),
        ("PUT", "/v1/tool-secrets/a", {"value": "0123456789"}),
        ("DELETE", "/v1/tool-secrets/a", None),
        ("GET", "/v1/mcp-servers", None),
        ("POST", "/v1/mcp-servers", {"name": "a", "address": "https://example.com"}),
        ("GET", f"/v1/mcp-servers/{NOBODYS}", None),
        ("PATCH", f"/v1/mcp-servers/{NOBODYS}", {}),
        ("DELETE", f"/v1/mcp-servers/{NOBODYS}", None),
        ("POST", f"/v1/mcp-servers/{NOBODYS}/refresh", None),
        ("POST", f"/v1/mcp-servers/{NOBODYS}/approve", {"digest": "0"}),
    ],
)
async def test_each_route_needs_its_permission_and_a_key(api: Api, method: str, path: str, body: object):
    assert (await api.call(method, path, "member.view", json=body)).status_code == 403
    assert (await api.client.request(method, path, json=body)).status_code == 401
