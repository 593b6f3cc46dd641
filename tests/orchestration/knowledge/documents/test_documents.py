"""Documents from bytes to a row and to nothing, against the real database and object store."""

import asyncio
from hashlib import sha256
from uuid import UUID, uuid4

import pytest

from mainspring.foundation.db import Database
from mainspring.foundation.errors import MainspringError, NotFound
from mainspring.foundation.ids import TenantId, new_id
from mainspring.foundation.objects import ObjectStore
from mainspring.foundation.pagination import page_request
from mainspring.orchestration.knowledge.documents import Change, NewDocument, Stored
from mainspring.orchestration.knowledge.errors import NotParsedYet
from mainspring.orchestration.knowledge.types import DocumentStatus, Failure, Label, Reader
from tests.orchestration.knowledge.workshop import Workshop, open_workshop

_ANNA = frozenset({"user:usr_anna", "team:team_legal"})


@pytest.fixture
def workshop(database: Database, objects: ObjectStore, tenant: TenantId) -> Workshop:
    return open_workshop(database, objects, tenant)


async def _put(
    workshop: Workshop, text: str, name: str | None = "a", *, readers: tuple[str, ...] | None = None
) -> Stored:
    new = NewDocument("notes", name, "note.txt", text.encode(), readers=readers)
    return await workshop.documents.put(workshop.tenant, new)


async def test_a_document_is_new_then_unchanged_then_changed(workshop: Workshop):
    first = await _put(workshop, "one")
    again = await _put(workshop, "one")
    changed = await _put(workshop, "two")
    assert [each.change for each in (first, again, changed)] == [Change.NEW, Change.UNCHANGED, Change.CHANGED]
    assert again.document == first.document
    assert (changed.document.id, changed.document.revision) == (first.document.id, 2)
    assert changed.document.status is DocumentStatus.PENDING
    assert await workshop.documents.read_original(workshop.platform, first.document.id) == b"two"


async def test_bytes_that_come_back_are_a_change_as_well(workshop: Workshop):
    for text in ("one", "two", "one"):
        stored = await _put(workshop, text)
    assert (stored.change, stored.document.revision) == (Change.CHANGED, 3)
    assert await workshop.documents.read_original(workshop.platform, stored.document.id) == b"one"


async def test_the_same_bytes_in_two_sources_are_two_documents(workshop: Workshop):
    first = await _put(workshop, "one")
    other = await workshop.documents.put(workshop.tenant, NewDocument("mails", "a", "note.txt", b"one"))
    assert (other.change, other.document.id == first.document.id) == (Change.NEW, False)


async def test_the_same_upload_twice_is_one_document_and_one_of_its_own_for_other_readers(workshop: Workshop):
    first, again = await _put(workshop, "one", None), await _put(workshop, "one", None)
    mine = await _put(workshop, "one", None, readers=("user:usr_anna",))
    assert first.document == again.document
    assert mine.change is Change.NEW
    assert mine.document.readers == ("user:usr_anna",)


async def test_twenty_equal_puts_at_once_are_one_document(workshop: Workshop):
    stored = await asyncio.gather(*(_put(workshop, "one") for _ in range(20)))
    assert len({each.document.id for each in stored}) == 1
    assert sorted(each.change for each in stored) == ["new", *["unchanged"] * 19]
    assert len(await workshop.keys()) == 1


async def test_of_twenty_different_puts_at_once_the_last_revision_has_its_own_bytes(workshop: Workshop):
    await asyncio.gather(*(_put(workshop, f"text {number}") for number in range(20)))
    (document,) = (await workshop.documents.list_page(workshop.tenant, page_request(10, None))).items
    content = await workshop.documents.read_original(workshop.platform, document.id)
    assert document.revision == 20
    assert sha256(content).hexdigest() == document.sha256


async def test_a_put_that_races_a_deletion_is_tried_again(workshop: Workshop):
    for number in range(10):
        document = (await _put(workshop, f"{number}")).document
        stored, _ = await asyncio.gather(
            _put(workshop, f"{number} changed"), workshop.documents.delete(workshop.tenant, document.id)
        )
        found = await workshop.documents.find(workshop.platform, stored.document.id)
        if found is not None:
            assert await workshop.documents.read_original(workshop.platform, found.id) == f"{number} changed".encode()
            await workshop.documents.delete(workshop.tenant, found.id)
    assert await workshop.keys() == []


async def test_what_cannot_be_a_document_leaves_nothing_behind(workshop: Workshop):
    for content in (b"", b"\x89PNG\r\n\x1a\n....", bytes(range(256)) * 9):
        with pytest.raises(MainspringError):
            await workshop.documents.put(workshop.tenant, NewDocument("notes", "a", "note.docx", content))
    assert await workshop.keys() == []
    assert (await workshop.documents.list_page(workshop.tenant, page_request(10, None))).items == ()


async def test_a_change_keeps_readers_and_document_type_where_it_names_none(workshop: Workshop):
    new = NewDocument("notes", "a", "note.txt", b"one", document_type="contract", readers=("user:usr_anna",))
    await workshop.documents.put(workshop.tenant, new)
    changed = (await _put(workshop, "two")).document
    assert (changed.document_type, changed.readers) == ("contract", ("user:usr_anna",))


async def test_restricted_documents_do_not_exist_for_others(workshop: Workshop):
    document = (await _put(workshop, "one", readers=("team:team_legal",))).document
    await workshop.documents.parse(workshop.tenant, document.id)
    anna, bob = Reader(workshop.tenant, _ANNA), Reader(workshop.tenant, frozenset({"user:usr_bob"}))
    nobody = Reader(workshop.tenant, frozenset())
    assert (await workshop.documents.get(anna, document.id)).id == document.id
    for stranger in (bob, nobody):
        assert await workshop.documents.find(stranger, document.id) is None
        for refused in (
            workshop.documents.get(stranger, document.id),
            workshop.documents.read_original(stranger, document.id),
            workshop.documents.get_parsed(stranger, document.id),
            workshop.indexes.list_chunks(stranger, document.id),
        ):
            with pytest.raises(NotFound) as hidden:
                await refused
            with pytest.raises(NotFound) as absent:
                await workshop.documents.get(stranger, new_id())
            assert len(hidden.value.detail) == len(absent.value.detail)


async def test_a_change_that_crosses_with_new_readers_keeps_them(workshop: Workshop, monkeypatch: pytest.MonkeyPatch):
    document = (await _put(workshop, "one")).document
    put = workshop.objects.put

    async def put_while_it_is_closed(tenant: TenantId, key: str, content: bytes) -> None:
        await put(tenant, key, content)
        await workshop.documents.set_readers(tenant, document.id, ["user:usr_anna"])

    monkeypatch.setattr(workshop.objects, "put", put_while_it_is_closed)
    changed = await _put(workshop, "two")
    assert (changed.change, changed.document.readers) == (Change.CHANGED, ("user:usr_anna",))


async def test_readers_given_under_a_name_hold_though_the_bytes_are_the_same(workshop: Workshop):
    await _put(workshop, "one")
    closed = await _put(workshop, "one", readers=("user:usr_anna",))
    assert (closed.change, closed.document.readers) == (Change.UNCHANGED, ("user:usr_anna",))
    assert (await _put(workshop, "one")).document.readers == ("user:usr_anna",)
    unnamed = (await _put(workshop, "one", None, readers=("user:usr_anna",))).document
    await workshop.documents.set_readers(workshop.tenant, unnamed.id, ["user:usr_ben"])
    again = await _put(workshop, "one", None, readers=("user:usr_anna",))
    assert (again.document.id, again.document.readers) == (unnamed.id, ("user:usr_ben",))


async def test_a_late_failure_does_not_take_back_what_another_attempt_indexed(workshop: Workshop):
    document = (await _put(workshop, "one")).document
    await workshop.ingest(document)
    await workshop.documents.fail(workshop.tenant, document.id, 1, Failure("no_text", "There is no text."))
    assert (await workshop.standing(document)).status is DocumentStatus.INDEXED


async def test_readers_that_change_are_followed_at_once(workshop: Workshop):
    document = (await _put(workshop, "one")).document
    bob = Reader(workshop.tenant, frozenset({"user:usr_bob"}))
    await workshop.documents.set_readers(workshop.tenant, document.id, ["user:usr_anna", "user:usr_anna"])
    assert await workshop.documents.find(bob, document.id) is None
    assert workshop.caches.forgotten == [workshop.tenant]
    opened = await workshop.documents.set_readers(workshop.tenant, document.id, None)
    assert await workshop.documents.find(bob, document.id) == opened
    with pytest.raises(NotFound):
        await workshop.documents.set_readers(workshop.tenant, uuid4(), None)


async def test_another_tenant_finds_nothing_of_it(workshop: Workshop, other_tenant: TenantId):
    document = (await _put(workshop, "one")).document
    stranger = Reader(other_tenant, None)
    assert await workshop.documents.find(stranger, document.id) is None
    for refused in (
        workshop.documents.read_original(stranger, document.id),
        workshop.documents.parse(other_tenant, document.id),
        workshop.documents.set_labels(other_tenant, document.id, []),
        workshop.documents.set_readers(other_tenant, document.id, None),
    ):
        with pytest.raises(NotFound):
            await refused
    await workshop.documents.delete(other_tenant, document.id)
    await workshop.documents.fail(other_tenant, document.id, 1, Failure("x", "y"))
    assert await workshop.standing(document) == document


async def test_lists_are_newest_first_in_pages_and_filtered(workshop: Workshop):
    names = [f"note {number}" for number in range(5)]
    for name in names:
        await workshop.documents.put(workshop.tenant, NewDocument("notes", name, f"{name}.txt", name.encode()))
    secret = NewDocument("mails", "s", "secret.txt", b"s", readers=("user:usr_anna",))
    await workshop.documents.put(workshop.tenant, secret)
    listed, cursor = list[str](), None
    while True:
        page = await workshop.documents.list_page(workshop.tenant, page_request(2, cursor), source="notes")
        listed += [document.external_id for document in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert listed == names[::-1]
    everything = page_request(50, None)
    found = await workshop.documents.list_page(workshop.tenant, everything, name="NOTE 3")
    assert [document.external_id for document in found.items] == ["note 3"]
    bob = Reader(workshop.tenant, frozenset({"user:usr_bob"}))
    assert len((await workshop.documents.list_page(workshop.tenant, everything)).items) == 6
    assert len((await workshop.documents.list_page(workshop.tenant, everything, reader=bob)).items) == 5
    failed = await workshop.documents.list_page(workshop.tenant, everything, status=DocumentStatus.FAILED)
    assert failed.items == ()


async def test_parsing_twice_gives_the_same_and_describes_the_document(workshop: Workshop):
    document = (await _put(workshop, "The supplier delivers the goods in time. " * 5)).document
    with pytest.raises(NotParsedYet):
        await workshop.documents.get_parsed(workshop.platform, document.id)
    parsed = await workshop.documents.parse(workshop.tenant, document.id)
    assert await workshop.documents.parse(workshop.tenant, document.id) == parsed
    assert await workshop.documents.get_parsed(workshop.platform, document.id) == parsed
    standing = await workshop.standing(document)
    assert (standing.language, standing.pages, standing.parser_version is None) == ("en", None, False)


async def test_a_revision_that_comes_while_the_one_before_is_parsed_is_what_parsing_gives(workshop: Workshop):
    document = (await _put(workshop, "The first text.")).document
    parsing = asyncio.create_task(workshop.documents.parse(workshop.tenant, document.id))
    await asyncio.sleep(0)
    await _put(workshop, "The second text.")
    await parsing
    parsed = await workshop.documents.parse(workshop.tenant, document.id)
    assert parsed.text.strip() == "The second text."
    assert len([key for key in await workshop.keys() if "parsed-2" in key]) == 1


async def test_an_earlier_revision_is_read_while_it_is_the_one_that_is_searched(workshop: Workshop):
    document = await workshop.bring_in("a", "The first text.")
    changed = await workshop.put("a", "The second text.")
    parsed = await workshop.documents.get_parsed(workshop.platform, document.id, revision=1)
    assert parsed.text.strip() == "The first text."
    with pytest.raises(NotParsedYet):
        await workshop.documents.get_parsed(workshop.platform, document.id)
    await workshop.ingest(changed)
    with pytest.raises(NotFound):
        await workshop.documents.get_parsed(workshop.platform, document.id, revision=1)


async def test_a_failure_is_of_the_newest_revision_only_and_a_change_clears_it(workshop: Workshop):
    document = (await _put(workshop, "one")).document
    run = new_id()
    await workshop.documents.note_run(workshop.tenant, document.id, run)
    await workshop.documents.fail(workshop.tenant, document.id, 1, Failure("no_text", "There is no text."))
    standing = await workshop.standing(document)
    assert (standing.status, standing.error, standing.run_id) == (
        DocumentStatus.FAILED,
        Failure("no_text", "There is no text."),
        run,
    )
    assert (await workshop.documents.counts_by_status(workshop.tenant))[DocumentStatus.FAILED] == 1
    changed = (await _put(workshop, "two")).document
    assert (changed.status, changed.error) == (DocumentStatus.PENDING, None)
    await workshop.documents.fail(workshop.tenant, document.id, 1, Failure("no_text", "There is no text."))
    assert (await workshop.standing(document)).status is DocumentStatus.PENDING
    assert await workshop.documents.counts_by_status(workshop.tenant) == {"pending": 1, "indexed": 0, "failed": 0}


async def test_labels_are_replaced_as_one(workshop: Workshop):
    document = (await _put(workshop, "one two three")).document
    await workshop.documents.set_labels(workshop.tenant, document.id, [Label("A", 0, 3, 0.5), Label("B", 4, 7, 1.0)])
    again = [Label("A", 0, 3, 0.75), Label("A", 0, 3, 0.25)]
    await workshop.documents.set_labels(workshop.tenant, document.id, again)
    rows = await workshop.rows("document_label", document.id)
    assert [(row["label"], row["start"], row["end"], row["score"]) for row in rows] == [("A", 0, 3, 0.75)]
    with pytest.raises(NotFound):
        await workshop.documents.set_labels(workshop.tenant, uuid4(), again)


async def test_deleting_may_be_repeated_and_the_same_bytes_are_new_again(workshop: Workshop):
    document = await workshop.bring_in("a", "The text.")
    for _ in range(2):
        await workshop.documents.delete(workshop.tenant, document.id)
    assert await workshop.keys() == []
    assert workshop.caches.forgotten == [workshop.tenant]
    assert (await workshop.put("a", "The text.")).id != document.id


async def test_a_deletion_that_was_cut_off_is_invisible_at_once_and_finished_by_the_sweeper(workshop: Workshop):
    document = await workshop.bring_in("a", "The text.")
    workshop.caches.is_away = True
    await workshop.documents.delete(workshop.tenant, document.id)
    assert await workshop.documents.find(workshop.platform, document.id) is None
    assert len(await workshop.rows("document_tombstone", document.id)) == 1
    await workshop.documents.sweep()
    assert len(await workshop.rows("document_tombstone", document.id)) == 1
    workshop.caches.is_away = False
    await workshop.documents.sweep()
    assert await workshop.rows("document_tombstone", document.id) == []
    assert await workshop.keys() == []
    assert workshop.caches.forgotten == [workshop.tenant]


async def test_blobs_that_a_killed_process_left_are_swept_once_they_cannot_be_on_their_way_in(workshop: Workshop):
    document = (await _put(workshop, "one")).document
    old, young = UUID(int=document.id.int - (7_200_000 << 80)), new_id()
    for stray in (old, young):
        await workshop.objects.put(workshop.tenant, f"documents/{stray}/original-1-0", b"left over")
    assert await workshop.documents.sweep_strays(workshop.tenant) == 1
    assert sorted(key.split("/")[1] for key in await workshop.keys()) == sorted((str(document.id), str(young)))
    assert await workshop.documents.read_original(workshop.platform, document.id) == b"one"
