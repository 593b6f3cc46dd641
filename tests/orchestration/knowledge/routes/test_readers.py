"""Who may do what with which document: permissions, readers, teams, keys, and that changes hold at once."""

from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from mainspring.application.identity import ROLE_PERMISSIONS, Role
from mainspring.application.identity.testing import Person, make_key, make_member
from mainspring.foundation.ids import show_id

from .conftest import Office

DOC, IDX = "doc_" + "0" * 26, "idx_" + "0" * 26
GOLD, ALERT = "gold_" + "0" * 26, "alert_" + "0" * 26
NAMES = {
    DOC: "{document}",
    IDX: "{index}",
    GOLD: "{question}",
    ALERT: "{alert}",
    "/none/documents/a": "/{source}/documents/{external_id}",
}
SECRET = "The merger with Initech closes in May."
GUARDED: list[tuple[str, str, str, Mapping[str, Any]]] = [
    ("POST", "/documents", "knowledge.edit", {"files": {"file": ("a.txt", b"")}}),
    ("GET", "/documents", "knowledge.view", {}),
    ("GET", f"/documents/{DOC}", "knowledge.view", {}),
    ("GET", f"/documents/{DOC}/file", "knowledge.view", {}),
    ("GET", f"/documents/{DOC}/text", "knowledge.view", {}),
    ("GET", f"/documents/{DOC}/chunks", "knowledge.view", {}),
    ("DELETE", f"/documents/{DOC}", "knowledge.edit", {}),
    ("POST", f"/documents/{DOC}/runs", "knowledge.edit", {}),
    ("PUT", f"/documents/{DOC}/readers", "knowledge.manage", {"json": {"readers": None}}),
    ("PUT", "/sources/none/documents/a", "knowledge.edit", {"content": b"text"}),
    ("DELETE", "/sources/none/documents/a", "knowledge.edit", {}),
    ("POST", "/search", "knowledge.view", {"json": {"text": "?"}}),
    ("GET", "/sources", "knowledge.view", {}),
    ("POST", "/sources", "knowledge.manage", {"json": {"name": "Bad Name", "config": {"kind": "push"}}}),
    ("GET", "/sources/none", "knowledge.view", {}),
    ("PATCH", "/sources/none", "knowledge.manage", {"json": {}}),
    ("DELETE", "/sources/none", "knowledge.manage", {}),
    ("POST", "/sources/none:sync", "knowledge.manage", {}),
    ("GET", "/settings", "knowledge.view", {}),
    ("GET", "/settings/versions", "knowledge.view", {}),
    ("PUT", "/settings", "knowledge.manage", {"json": {"value": {"nonsense": 1}, "base_version": 0}}),
    ("POST", "/settings:preview", "knowledge.manage", {"json": {"document": DOC}}),
    ("GET", "/indexes", "knowledge.view", {}),
    ("POST", "/indexes:rebuild", "knowledge.manage", {"json": {"settings_version": 7}}),
    ("GET", f"/indexes/{IDX}/comparison", "knowledge.manage", {}),
    ("POST", f"/indexes/{IDX}:switch", "knowledge.manage", {}),
    ("POST", f"/indexes/{IDX}:undo", "knowledge.manage", {}),
    ("POST", f"/indexes/{IDX}:abandon", "knowledge.manage", {}),
    ("GET", "/status", "knowledge.view", {}),
    ("GET", "/golden-questions", "knowledge.manage", {}),
    ("POST", "/golden-questions", "knowledge.manage", {"json": {"question": "?", "document": DOC}}),
    ("PUT", f"/golden-questions/{GOLD}", "knowledge.manage", {"json": {"question": "?", "document": DOC}}),
    ("DELETE", f"/golden-questions/{GOLD}", "knowledge.manage", {}),
    ("GET", "/checks", "knowledge.view", {}),
    ("POST", f"/alerts/{ALERT}:acknowledge", "knowledge.manage", {}),
]


def me(person: Person) -> str:
    return f"user:{show_id('usr', person.member.user.id)}"


async def sees(client: httpx.AsyncClient, document: str) -> list[int]:
    """How each way to the content of a document answers, and how many passages a search finds."""
    paths = (f"/documents/{document}", f"/documents/{document}/file", f"/documents/{document}/text")
    codes = [(await client.get(path)).status_code for path in (*paths, f"/documents/{document}/chunks")]
    found = (await client.post("/search", json={"text": SECRET, "mode": "text"})).json()
    listed = (await client.get("/documents")).json()["items"]
    return [*codes, len(found["passages"]), len(listed)]


OPEN, CLOSED, OVERSEEN = [200, 200, 200, 200, 1, 1], [404, 404, 404, 404, 0, 0], [200, 404, 404, 404, 0, 1]


async def test_every_route_asks_for_its_permission_and_for_a_credential(office: Office):
    people = {role: await make_member(office.identity, office.home, role) for role in Role}
    for role, person in people.items():
        async with office.browse(person) as client:
            for method, path, permission, request in GUARDED:
                answer = await client.request(method, path, **request)
                if permission in ROLE_PERMISSIONS[role]:
                    assert answer.status_code in {200, 404, 422}, (role, method, path, answer.text)
                else:
                    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), (role, method, path)
                    assert repr(permission) in answer.json()["detail"]
    async with office.browse() as client:
        for method, path, _, request in GUARDED:
            assert (await client.request(method, path, **request)).status_code == 401


async def test_the_table_of_routes_here_is_every_route_there_is(office: Office):
    described = office.app.openapi()["paths"]
    served = {
        (method.upper(), path.removeprefix("/v1/knowledge"))
        for path, methods in described.items()
        for method in methods
        if path.startswith("/v1/knowledge")
    }
    walked: set[tuple[str, str]] = set()
    for method, path, _, _ in GUARDED:
        for given, named in NAMES.items():
            path = path.replace(given, named)  # noqa: PLW2901 - one name after the other
        walked.add((method, path.replace("/none", "/{source}")))
    assert walked == served


async def test_a_document_is_open_to_its_readers_only_and_to_no_owner(office: Office, analyst: Person, viewer: Person):
    found = await office.index(analyst, "secret.txt", SECRET, readers=[me(analyst)])
    owner = await make_member(office.identity, office.home, Role.OWNER)
    seen: dict[str, list[int]] = {}
    for name, person in (("analyst", analyst), ("viewer", viewer), ("owner", owner)):
        async with office.browse(person) as client:
            seen[name] = await sees(client, found["id"])
    async with office.browse(owner) as client:
        shown = (await client.get(f"/documents/{found['id']}")).json()
    assert seen == {"analyst": OPEN, "viewer": CLOSED, "owner": OVERSEEN}
    assert (shown["readable"], shown["title"], shown["metadata"]) == (False, None, {})


async def test_a_change_of_readers_team_or_role_holds_at_the_next_request(
    office: Office, analyst: Person, viewer: Person, admin: Person
):
    teams, members = office.identity.teams, office.identity.members
    team = await teams.create(admin.principal, "Deal")
    subject = f"team:{show_id('team', team.id)}"
    found = await office.index(analyst, "secret.txt", SECRET, readers=[subject, "role:reviewer"])
    async with office.browse(viewer) as client, office.browse(admin) as office_of_admin:
        assert await sees(client, found["id"]) == CLOSED
        await teams.add_member(admin.principal, team.id, viewer.member.id)
        assert await sees(client, found["id"]) == OPEN
        await teams.remove_member(admin.principal, team.id, viewer.member.id)
        assert await sees(client, found["id"]) == CLOSED
        await members.change_role(admin.principal, viewer.member.id, Role.REVIEWER)
        assert await sees(client, found["id"]) == OPEN
        await members.change_role(admin.principal, viewer.member.id, Role.VIEWER)
        await teams.add_member(admin.principal, team.id, viewer.member.id)
        await teams.delete(admin.principal, team.id)
        assert await sees(client, found["id"]) == CLOSED  # closed to all, not open to all
        for readers, expected in ((None, OPEN), ([], CLOSED), ([me(viewer)], OPEN), ([me(admin)], CLOSED)):
            changed = await office_of_admin.put(f"/documents/{found['id']}/readers", json={"readers": readers})
            assert (changed.status_code, changed.json()["readers"]) == (200, readers)
            assert await sees(client, found["id"]) == expected


async def test_a_key_reads_what_is_opened_to_the_key_and_not_what_its_creator_reads(office: Office, admin: Person):
    made = await make_key(office.identity, admin.principal, scopes=["knowledge.view"])
    found = await office.index(admin, "secret.txt", SECRET, readers=[me(admin)])
    async with office.browse(key=made.secret) as program, office.browse(admin) as client:
        assert await sees(program, found["id"]) == CLOSED
        readers = [f"key:{show_id('key', made.key.id)}"]
        await client.put(f"/documents/{found['id']}/readers", json={"readers": readers})
        assert await sees(program, found["id"]) == OPEN


async def test_nobody_takes_over_a_document_by_its_name(office: Office, analyst: Person, admin: Person):
    other = await make_member(office.identity, office.home, Role.ANALYST)
    found = await office.index(analyst, "secret.txt", SECRET, external_id="deal", readers=[me(analyst)])
    ours = await office.index(analyst, "open.txt", "Everybody may read this.", external_id="open")
    async with office.browse(other) as client:
        taken = await client.post(
            "/documents", files={"file": ("x.txt", b"Overwritten.")}, data={"external_id": "deal"}
        )
        closing = await client.post(
            "/documents", files={"file": ("x.txt", b"Mine.")}, data={"external_id": "open", "readers": me(other)}
        )
        gone = await client.delete(f"/documents/{found['id']}")
        again = await client.post(f"/documents/{found['id']}/runs")
    assert [(each.status_code, each.json()["code"]) for each in (taken, closing)] == [(403, "document_closed")] * 2
    assert (gone.status_code, again.status_code) == (404, 404)
    async with office.browse(analyst) as client:
        assert (await client.get(f"/documents/{found['id']}/file")).content == SECRET.encode()
        assert (await client.get(f"/documents/{ours['id']}")).json()["readers"] is None
    async with office.browse(admin) as client:
        assert (await client.delete(f"/documents/{found['id']}")).status_code == 204


async def test_the_same_bytes_for_other_readers_are_another_document(office: Office, analyst: Person):
    other = await make_member(office.identity, office.home, Role.ANALYST)
    first = await office.index(analyst, "secret.txt", SECRET, readers=[me(analyst)])
    second = await office.index(other, "secret.txt", SECRET, readers=[me(other)])
    assert first["id"] != second["id"]


@pytest.mark.parametrize(
    "readers", [["everyone"], ["user:usr_1"], ["role:Admin"], ["team:"], ["role:a b"], ["x"] * 101]
)
async def test_a_reader_is_a_subject(office: Office, admin: Person, readers: list[str]):
    async with office.browse(admin) as client:
        answer = await client.put(f"/documents/{DOC}/readers", json={"readers": readers})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
