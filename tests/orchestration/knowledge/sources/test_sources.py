"""Sources set up, synchronised, changed and removed, against the real engines, a web server and an object store."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from mainspring.foundation.db import Database
from mainspring.foundation.errors import Conflict, Forbidden, MainspringError, NotFound
from mainspring.foundation.ids import TenantId
from mainspring.foundation.valkey import Valkey
from mainspring.orchestration.knowledge.documents import NewDocument
from mainspring.orchestration.knowledge.errors import InvalidSource, SourceBusy, UrlRefused
from mainspring.orchestration.knowledge.sources import (
    ConnectorConfig,
    EndOfListing,
    Fetched,
    Gone,
    Item,
    NewSource,
    PrefixConfig,
    PushConfig,
    Removed,
    SourceConfig,
    SourceUpdate,
    UrlConfig,
)
from mainspring.orchestration.pipelines import RunStatus
from tests.orchestration.knowledge.ingestion.works import caller, wait_until

from .scenes import FETCHED, Scene, item, open_scene
from .web import Page, serving

END = EndOfListing(is_complete=True)


@pytest.fixture
async def scene(database: Database, valkey: Valkey, tmp_path: Path, tenant: TenantId) -> AsyncIterator[Scene]:
    FETCHED.clear()
    async with serving() as web:
        yield open_scene(database, valkey, tmp_path / "objects", tenant, web)


async def create(scene: Scene, config: SourceConfig, *, name: str = "wiki", **options: object) -> None:
    new = NewSource(name, config, **options)  # pyright: ignore[reportArgumentType] - a test's own keywords
    await scene.sources.create(scene.works.anna, new)


async def test_pages_are_taken_in_and_what_did_not_change_is_not_sent_again(scene: Scene) -> None:
    scene.web.pages |= {
        "/a": Page(b"The first page.", headers={"etag": '"1"', "content-type": "text/plain"}),
        "/b": Page(b"The second page.", headers={"content-type": "text/plain"}),
    }
    await create(scene, UrlConfig(urls=(scene.url("/a"), scene.url("/b"))))
    async with scene.working():
        assert (await scene.synced("wiki")).status is RunStatus.SUCCEEDED
        await wait_until(lambda: scene.all_indexed("wiki"))
        first = await scene.documents("wiki")
        assert first[scene.url("/a")].uri == scene.url("/a")
        assert first[scene.url("/a")].name == "a.txt"
        scene.web.asked.clear()
        again = await scene.synced("wiki")
        assert scene.web.asked[0].headers["if-none-match"] == '"1"'
        assert "Looked at 2 items: 0 new or changed" in await scene.works.story(again)
        assert {each.revision for each in (await scene.documents("wiki")).values()} == {1}
        scene.web.pages["/a"] = Page(b"The first page, changed.", headers={"etag": '"2"'})
        del scene.web.pages["/b"]
        await scene.synced("wiki")
    assert await scene.texts("wiki") == {scene.url("/a"): "The first page, changed."}
    source = await scene.sources.get(scene.works.anna, "wiki")
    assert source.synced_at is not None
    assert source.error is None


async def test_links_of_the_same_host_are_followed_one_step_and_sitemaps_are_read(scene: Scene) -> None:
    html, part, mapped = {"content-type": "text/html"}, scene.url("/part.xml"), scene.url("/mapped")
    scene.web.pages |= {
        "/": Page(
            b'<title>t</title><a href="/one">1</a><a href="two?x=1#top">2</a><a href="https://example.com/">else</a>'
            b'<a href="/pic.png">p</a><a href="javascript:alert(1)">j</a><a href="http://169.254.169.254/">m</a>',
            headers=html,
        ),
        "/one": Page(b"<p>Page one is here.</p><a href='/deeper'>further</a>", headers=html),
        "/two?x=1": Page(b"<p>Page two is here.</p>", headers=html),
        "/deeper": Page(b"<p>Too deep.</p>", headers=html),
        "/map.xml": Page(f"<sitemapindex><sitemap><loc>{part}</loc></sitemap></sitemapindex>".encode()),
        "/part.xml": Page(f"<urlset><loc> {mapped} </loc><loc>https://example.com/x</loc></urlset>".encode()),
        "/mapped": Page(b"<p>Page of the map.</p>", headers=html),
    }  # fmt: skip
    config = UrlConfig(urls=(scene.url("/"),), sitemap=scene.url("/map.xml"), follows_links=True)
    await create(scene, config)
    async with scene.working():
        assert (await scene.synced("wiki")).status is RunStatus.SUCCEEDED
        paths = {"/", "/one", "/two?x=1", "/mapped"}
        assert set(await scene.documents("wiki")) == {scene.url(path) for path in paths}
        await scene.sources.update(scene.works.anna, "wiki", SourceUpdate(config=replace_pages(config, 2)))
        await scene.synced("wiki")
    assert len(await scene.documents("wiki")) == 4, "a listing that was cut short takes nothing away"


def replace_pages(config: UrlConfig, pages: int) -> UrlConfig:
    return UrlConfig(config.urls, config.sitemap, config.follows_links, pages)


async def test_a_page_that_cannot_be_had_is_told_and_keeps_what_was_stored(scene: Scene) -> None:
    scene.web.pages |= {"/a": Page(b"First."), "/b": Page(b"Second.")}
    await create(scene, UrlConfig(urls=(scene.url("/a"), scene.url("/b"))))
    async with scene.working():
        await scene.synced("wiki")
        scene.web.pages |= {"/a": Page(status=503), "/b": Page(b"\x89PNG\r\n\x1a\n" + bytes(50))}
        assert (await scene.synced("wiki")).status is RunStatus.SUCCEEDED
    assert await scene.texts("wiki") == {scene.url("/a"): "First.", scene.url("/b"): "Second."}
    error = (await scene.sources.get(scene.works.anna, "wiki")).error
    assert error
    assert error.code == "items_failed"
    assert error.detail.startswith("2 of 2 items could not be taken in: ")


async def test_the_secret_is_sent_where_it_belongs_sealed_where_it_is_stored_and_never_shown(scene: Scene) -> None:
    scene.web.pages["/a"] = Page(b"Behind a door.")
    await create(scene, UrlConfig(urls=(scene.url("/a"),)), secret="Bearer open-sesame")
    async with scene.working():
        await scene.synced("wiki")
        assert scene.web.asked[-1].headers["authorization"] == "Bearer open-sesame"
        source = await scene.sources.get(scene.works.anna, "wiki")
        assert source.has_secret
        assert "sesame" not in repr(source)
        kept = await scene.sources.update(scene.works.anna, "wiki", SourceUpdate(source.config))
        assert kept.has_secret
        async with scene.works.workshop.database.tenant(scene.tenant) as transaction:
            row = await transaction.one("select secret from knowledge_source")
        assert b"sesame" not in bytes(row["secret"])
        forgotten = await scene.sources.update(scene.works.anna, "wiki", SourceUpdate(source.config, secret=""))
        assert not forgotten.has_secret
        await scene.synced("wiki")
    assert "authorization" not in scene.web.asked[-1].headers


async def test_a_stored_secret_is_not_sent_to_other_hosts_than_it_was_given_for(scene: Scene) -> None:
    await create(scene, UrlConfig(urls=(scene.url("/a"),)), secret="Bearer open-sesame")
    elsewhere = UrlConfig(urls=(scene.url("/a"), "https://attacker.example/log"))
    by_map = UrlConfig(urls=(scene.url("/a"),), sitemap="https://attacker.example/map.xml")
    for config in (elsewhere, by_map):
        with pytest.raises(InvalidSource, match="send `secret` again"):
            await scene.sources.update(scene.works.anna, "wiki", SourceUpdate(config))
    same_host = await scene.sources.update(scene.works.anna, "wiki", SourceUpdate(UrlConfig(urls=(scene.url("/b"),))))
    assert same_host.has_secret
    await scene.sources.update(scene.works.anna, "wiki", SourceUpdate(elsewhere, secret="Bearer theirs"))
    assert not (await scene.sources.update(scene.works.anna, "wiki", SourceUpdate(by_map, secret=""))).has_secret


async def test_objects_of_the_inbox_come_and_go_and_unchanged_ones_are_not_read(scene: Scene) -> None:
    inbox = scene.folder / str(scene.tenant) / "inbox" / "wiki"
    (inbox / "deep").mkdir(parents=True)
    other = scene.folder / str(scene.tenant) / "inbox" / "wiki2"
    other.mkdir()
    (other / "c.txt").write_text("Of another source.")
    (inbox / "a.txt").write_text("The first file.")
    (inbox / "deep" / "b.txt").write_text("The second file.")
    (inbox / "large.txt").write_text("x" * 100_001)
    await create(scene, PrefixConfig())
    async with scene.working():
        await scene.synced("wiki")
        assert await scene.texts("wiki") == {"a.txt": "The first file.", "deep/b.txt": "The second file."}
        first = await scene.documents("wiki")
        (inbox / "large.txt").unlink()
        (inbox / "deep" / "b.txt").unlink()
        again = await scene.synced("wiki")
        assert "Looked at 1 items: 0 new or changed, 1 gone" in await scene.works.story(again)
    now = await scene.documents("wiki")
    assert {name: each.id for name, each in now.items()} == {"a.txt": first["a.txt"].id}
    assert now["a.txt"].revision == 1


async def test_links_in_an_inbox_lead_nowhere_out_of_it(scene: Scene) -> None:
    home = scene.folder / str(scene.tenant)
    inbox, closed, outside = home / "inbox" / "wiki", home / "documents", scene.folder / "host.txt"
    inbox.mkdir(parents=True)
    closed.mkdir(exist_ok=True)
    outside.write_text("Of the host.")
    (closed / "secret.txt").write_text("Of the tenant's documents.")
    (inbox / "file.txt").symlink_to(outside)
    (inbox / "folder").symlink_to(closed)
    own = ("plain.txt", "two words.txt", "Übung.txt", "a#b?c.txt", "100%.txt")
    for name in own:
        (inbox / name).write_text(f"Text of {name}.")
    (inbox / "alias.txt").symlink_to(inbox / "plain.txt")
    await create(scene, PrefixConfig())
    async with scene.working():
        await scene.synced("wiki")
        found = await scene.texts("wiki")
    assert set(found.values()) == {f"Text of {name}." for name in own}


@pytest.mark.parametrize(
    "url",
    ["file:///etc/", "s3://documents/", "s3://documents/other/", "s3://documents/{tenant}", "s3://elsewhere/{tenant}/",
     "s3://documents/{tenant}/../other/", "s3://documents/{tenant}/a/./b", "s3://documents/{tenant}/%2e%2e/",
     "S3://documents/{tenant}/", "s3://documents/{tenant}/?x", "https://documents/{tenant}/"],
)  # fmt: skip
async def test_no_tenant_names_a_place_that_is_not_its_own(scene: Scene, url: str) -> None:
    with pytest.raises(InvalidSource):
        await create(scene, PrefixConfig(url))
    await create(scene, PrefixConfig("s3://documents/{tenant}/contracts/2026/"))


async def test_a_connector_is_asked_with_its_options_secret_and_cursor(scene: Scene) -> None:
    scene.shelf.told = [item("a", "Text a.", version="1"), EndOfListing(is_complete=False, cursor={"at": "7"})]
    await create(scene, ConnectorConfig("shelf", {"shelf": 3}), secret="key")
    async with scene.working():
        await scene.synced("wiki")
        await scene.synced("wiki")
    assert scene.shelf.seen == [({"shelf": 3}, "key", None), ({"shelf": 3}, "key", {"at": "7"})]
    assert FETCHED == ["a"], "the version was the same"
    assert (await scene.sources.get(scene.works.anna, "wiki")).kind == "connector:shelf"


async def test_what_a_connector_removes_or_no_longer_tells_of_is_deleted_only_when_it_says_so(scene: Scene) -> None:
    scene.shelf.told = [item("a", "A."), item("b", "B."), item("c", "C."), END]
    await create(scene, ConnectorConfig("shelf", {"shelf": 1}))
    async with scene.working():
        await scene.synced("wiki")
        scene.shelf.told = [Removed("b"), Removed("never"), EndOfListing(is_complete=False)]
        await scene.synced("wiki")
        assert set(await scene.documents("wiki")) == {"a", "c"}
        scene.shelf.told = [item("a", "A.")]
        await scene.synced("wiki")
        assert set(await scene.documents("wiki")) == {"a", "c"}, "a listing without an end is no complete one"
        scene.shelf.told = [item("a", "A."), END]
        await scene.synced("wiki")
        assert set(await scene.documents("wiki")) == {"a"}
        scene.shelf.told = [Item("a", "a", _gone), EndOfListing(is_complete=False)]
        await scene.synced("wiki")
        assert await scene.documents("wiki") == {}
        await wait_until(scene.is_empty)


async def _gone(known: str | None) -> Fetched:
    return Gone()


async def test_a_failing_connector_is_an_error_of_its_source(scene: Scene) -> None:
    async def explode(known: str | None) -> Fetched:
        raise KeyError("secret words of a driver")

    scene.shelf.told = [item("a", "A."), Item("b", "b.txt", explode), Item("c\0", "c", explode), END]
    await create(scene, ConnectorConfig("shelf", {"shelf": 1}))
    with pytest.raises(InvalidSource, match="name a shelf"):
        await create(scene, ConnectorConfig("shelf", {}), name="other")
    with pytest.raises(InvalidSource, match="installed are: shelf"):
        await create(scene, ConnectorConfig("missing", {}), name="other")
    async with scene.working():
        assert (await scene.synced("wiki")).status is RunStatus.SUCCEEDED
        source = await scene.sources.get(scene.works.anna, "wiki")
        assert source.error
        assert "failed (KeyError)" in source.error.detail
        assert "secret words" not in source.error.detail
        scene.shelf.told, scene.shelf.fails = [item("a", "A.")], RuntimeError("no")
        run = await scene.sources.sync_now(scene.works.anna, "wiki")

        async def is_noted() -> bool:
            error = (await scene.sources.get(scene.works.anna, "wiki")).error
            return error is not None and error.code == "connector_failed"

        await wait_until(is_noted)
        scene.shelf.fails = None
        assert (await scene.works.finished(run)).status is RunStatus.SUCCEEDED
    assert (await scene.sources.get(scene.works.anna, "wiki")).error is None
    assert set(await scene.documents("wiki")) == {"a"}


async def test_who_may_read_a_document_follows_its_source_at_once(scene: Scene) -> None:
    scene.shelf.told = [item("a", "A.", version="1", readers=("user:usr_a",)), item("b", "B.", version="1"), END]
    await create(scene, ConnectorConfig("shelf", {"shelf": 1}))
    async with scene.working():
        await scene.synced("wiki")
        assert {name: each.readers for name, each in (await scene.documents("wiki")).items()} == {
            "a": ("user:usr_a",),
            "b": None,
        }
        scene.shelf.told = [item("a", "A.", version="1", readers=("user:usr_b",)), item("b", "B.", version="1"), END]
        await scene.synced("wiki")
        assert (await scene.documents("wiki"))["a"].readers == ("user:usr_b",)
        forgotten = len(scene.works.workshop.caches.forgotten)
        config = ConnectorConfig("shelf", {"shelf": 1})
        await scene.sources.update(scene.works.anna, "wiki", SourceUpdate(config, readers=("team:team_x",)))
        assert {each.readers for each in (await scene.documents("wiki")).values()} == {("team:team_x",)}
        assert len(scene.works.workshop.caches.forgotten) == forgotten + 1
    assert FETCHED.count("b") == 1


async def test_pushed_documents_are_put_and_withdrawn_by_their_external_id(scene: Scene) -> None:
    await create(scene, PushConfig(), readers=("role:admin",), document_type="article")
    anna = scene.works.anna
    new = NewDocument("ignored", "ticket-1", "ticket.txt", b"Text one.")
    first = await scene.sources.push(anna, "wiki", new)
    assert (first.document.source, first.document.readers) == ("wiki", ("role:admin",))
    again = await scene.sources.push(anna, "wiki", new)
    changed = await scene.sources.push(anna, "wiki", replace(new, content=b"Text two."))
    assert first.document.id == again.document.id == changed.document.id
    assert changed.document.revision == 2
    for _ in range(2):
        await scene.sources.withdraw(anna, "wiki", "ticket-1")
    assert await scene.documents("wiki") == {}
    with pytest.raises(InvalidSource):
        await scene.sources.push(anna, "wiki", replace(new, external_id=None))
    with pytest.raises(SourceBusy):
        await scene.sources.sync_now(anna, "wiki")
    await scene.sources.update(anna, "wiki", SourceUpdate(PushConfig(), is_paused=True))
    with pytest.raises(SourceBusy):
        await scene.sources.push(anna, "wiki", new)


async def test_one_run_at_a_time_is_at_a_source(scene: Scene) -> None:
    goes_on = asyncio.Event()

    async def wait(number: int) -> None:
        await goes_on.wait()

    scene.shelf.told, scene.shelf.before = [item("a", "A."), END], wait
    await create(scene, ConnectorConfig("shelf", {"shelf": 1}))
    async with scene.working():
        first = await scene.sources.sync_now(scene.works.anna, "wiki")

        async def has_begun() -> bool:
            return bool(scene.shelf.seen)

        await wait_until(has_begun)
        joined = await asyncio.gather(*(scene.sources.sync_now(scene.works.anna, "wiki") for _ in range(3)))
        assert {run.id for run in joined} == {first.id}
        goes_on.set()
        await scene.works.finished(first)
    assert len(scene.shelf.seen) == 1


async def test_a_pause_stops_a_walk_and_takes_nothing_away(scene: Scene) -> None:
    scene.shelf.told = [*(item(f"n{number:03}", f"Text {number}.") for number in range(70)), END]
    await create(scene, ConnectorConfig("shelf", {"shelf": 1}))

    async def pause(number: int) -> None:
        if number == 33:
            config = ConnectorConfig("shelf", {"shelf": 1})
            await scene.sources.update(scene.works.anna, "wiki", SourceUpdate(config, is_paused=True))

    scene.shelf.before = pause
    async with scene.working():
        run = await scene.synced("wiki")
        assert run.status is RunStatus.SUCCEEDED
    assert 32 <= len(await scene.documents("wiki")) <= 64
    with pytest.raises(SourceBusy):
        await scene.sources.sync_now(scene.works.anna, "wiki")


async def test_a_source_whose_time_has_come_is_started_once_for_each_tick(scene: Scene) -> None:
    scene.shelf.told = [item("a", "A."), END]
    await create(scene, ConnectorConfig("shelf", {"shelf": 1}), every_seconds=60)
    await asyncio.gather(*(scene.sources.sync_due() for _ in range(5)))
    async with scene.works.workshop.database.tenant(scene.tenant) as transaction:
        assert (await transaction.one("select count(*) as runs from run"))["runs"] == 1
    source = await scene.sources.get(scene.works.anna, "wiki")
    assert source.due_at
    assert 55 < (source.due_at - source.created_at).total_seconds() < 90
    await scene.sources.sync_due()
    assert source.run_id
    async with scene.working():
        joined = await scene.sources.sync_now(scene.works.anna, "wiki")
        await scene.works.finished(joined)
    assert len(scene.shelf.seen) == 1
    assert set(await scene.documents("wiki")) == {"a"}


async def test_a_removed_source_takes_its_documents_along_and_nobody_elses(scene: Scene) -> None:
    scene.shelf.told = [*(item(f"n{number}", f"Text {number}.") for number in range(5)), END]
    await create(scene, ConnectorConfig("shelf", {"shelf": 1}))
    kept = await scene.works.ingestion.add(scene.works.anna, scene.works.note("Kept text."))
    anna = scene.works.anna
    async with scene.working():
        await scene.synced("wiki")
        removal = await scene.sources.delete(anna, "wiki")
        assert (await scene.sources.delete(anna, "wiki")).id == removal.id
        with pytest.raises(SourceBusy):
            await scene.sources.update(anna, "wiki", SourceUpdate(ConnectorConfig("shelf", {"shelf": 1})))
        assert (await scene.works.finished(removal)).status is RunStatus.SUCCEEDED
        assert await scene.documents("wiki") == {}
        with pytest.raises(NotFound):
            await scene.sources.get(anna, "wiki")
        await create(scene, ConnectorConfig("shelf", {"shelf": 1}))
        await scene.synced("wiki")
    assert len(await scene.documents("wiki")) == 5
    assert await scene.works.workshop.standing(kept.document)


async def test_what_cannot_be_a_source_is_refused_in_words(scene: Scene) -> None:
    good = UrlConfig(urls=(scene.url("/a"),))
    bad = [
        NewSource("Wiki", good), NewSource("", good), NewSource("uploads", good),
        NewSource("x" * 61, good), NewSource("wiki", UrlConfig()), NewSource("wiki", UrlConfig(urls=("ftp://x/",))),
        NewSource("wiki", UrlConfig(urls=("http://10.0.0.1/",))), NewSource("wiki", good, every_seconds=59),
        NewSource("wiki", UrlConfig(urls=(scene.url("/a"),), max_pages=0)),
        NewSource("wiki", good, document_type="A b"),
        NewSource("wiki", PushConfig(), every_seconds=60), NewSource("wiki", good, secret="two\r\nlines"),
        NewSource("wiki", good, readers=tuple(f"user:{n}" for n in range(1_001))),
    ]  # fmt: skip
    for new in bad:
        with pytest.raises((InvalidSource, UrlRefused)):
            await scene.sources.create(scene.works.anna, new)
    await scene.sources.create(scene.works.anna, NewSource("wiki", good))
    with pytest.raises(Conflict):
        await scene.sources.create(scene.works.anna, NewSource("wiki", good))
    with pytest.raises(InvalidSource):
        await scene.sources.update(scene.works.anna, "wiki", SourceUpdate(PushConfig()))
    assert [source.name for source in await scene.sources.list(scene.works.anna)] == ["wiki"]


async def test_each_use_case_asks_for_its_permission_and_other_tenants_find_nothing(
    scene: Scene, other_tenant: TenantId
) -> None:
    await create(scene, PushConfig())
    viewer, editor, stranger = (
        caller(scene.tenant, "knowledge.view"),
        caller(scene.tenant, "knowledge.edit"),
        caller(other_tenant),
    )
    note = NewDocument("x", "1", "a.txt", b"text")
    for person in (viewer, editor):
        for use in (scene.sources.delete, scene.sources.sync_now):
            with pytest.raises(Forbidden):
                await use(person, "wiki")
    with pytest.raises(Forbidden):
        await scene.sources.push(viewer, "wiki", note)
    for use in (scene.sources.delete, scene.sources.sync_now, scene.sources.get):
        with pytest.raises(NotFound):
            await use(stranger, "wiki")
    with pytest.raises(MainspringError):
        await scene.sources.push(stranger, "wiki", note)
    assert await scene.sources.list(stranger) == []


async def test_a_walk_that_is_cut_off_goes_on_without_fetching_again(scene: Scene) -> None:
    scene.shelf.told = [*(item(f"n{number:02}", f"Text {number}.", version="1") for number in range(40)), END]
    calls = [0]

    async def break_off(number: int) -> None:
        if number == 36 and calls[0] == 0:
            calls[0] = 1
            raise ConnectionResetError

    scene.shelf.before = break_off
    await create(scene, ConnectorConfig("shelf", {"shelf": 1}))
    async with scene.working():
        assert (await scene.synced("wiki")).status is RunStatus.SUCCEEDED
    assert len(scene.shelf.seen) == 2
    assert sorted(FETCHED) == [f"n{number:02}" for number in range(40)]
