"""Who may read what: applied in the query, at once, and without a trace in scores or counts."""

from dataclasses import replace

import pytest

from mainspring.foundation.errors import NotFound
from mainspring.foundation.ids import TenantId
from mainspring.orchestration.knowledge.retrieval import Answer, Filters, Mode, Question, Reason, store
from mainspring.orchestration.knowledge.retrieval.store import Scope
from mainspring.orchestration.knowledge.types import Label, Reader

from .books import ANYTHING, Library, clauses
from .conftest import BOARD, LIABILITY, PETS, RENT

SECRET = Question("merge with Quillfeather Holdings, codename zanzibar", explain=True)


def without_time(answer: Answer) -> Answer:
    return replace(answer, searched=replace(answer.searched, timings={}))


async def test_a_document_is_found_by_its_readers_alone(shelf: Library):
    for mode in Mode:
        asked = replace(SECRET, mode=mode)
        assert (await shelf.ask(asked, "team:board")).passages[0].document == "minutes.txt"
        assert (await shelf.ask(asked, "user:usr_1", "team:board", "role:viewer")).searched.documents == 4
        for subjects in ((), ("team:sales",), ("role:owner", "user:usr_1")):
            answer = await shelf.ask(asked, *subjects)
            assert "minutes.txt" not in {passage.document for passage in answer.passages}
            assert answer.searched.documents == 3
            assert "zanzibar" not in answer.searched.terms


async def test_the_platform_itself_reads_everything(shelf: Library):
    answer = await shelf.search().search(Reader(shelf.tenant, None), SECRET)
    assert answer.passages[0].document == "minutes.txt"


async def test_no_filter_opens_what_is_not_for_the_reader(shelf: Library):
    minutes = (await shelf.ask(SECRET, "team:board")).passages[0].document_id
    for filters in (Filters(document_ids=(minutes,)), Filters(sources=("board",))):
        answer = await shelf.ask(replace(SECRET, filters=filters))
        assert (answer.passages, answer.reason) == ((), Reason.FILTERED_OUT)
        assert (answer.searched.documents, answer.searched.chunks) == (0, 0)


async def test_hidden_documents_change_no_score_no_count_and_no_order(library: Library):
    await library.add("lease", clauses(RENT, PETS), labels=[Label("Money", 0, 100, 0.8)])
    await library.add("hosting", clauses(LIABILITY))
    asked = Question("monthly rent, liability of the supplier, zanzibar, LX-7", explain=True, limit=20)
    search = library.search(ANYTHING, concepts={"rent": "Money"})
    reader = Reader(library.tenant, frozenset({"team:sales"}))
    before = without_time(await search.search(reader, asked))
    hidden = clauses(BOARD, RENT, LIABILITY + " LX-7 again.", PETS)
    await library.add("minutes", hidden, readers=("team:board",), labels=[Label("Money", 0, 200, 1.0)])
    after = without_time(await search.search(reader, asked))
    assert after == before
    assert without_time(await search.search(Reader(library.tenant, None), asked)) != before


async def test_a_tenant_whose_documents_are_all_hidden_looks_empty(library: Library):
    await library.add("minutes", clauses(BOARD), readers=("team:board",))
    answer = await library.ask(SECRET)
    assert (answer.passages, answer.reason) == ((), Reason.NO_DOCUMENTS)
    assert (answer.searched.documents, answer.searched.chunks, answer.searched.terms) == (0, 0, ())


async def test_changed_readers_count_from_the_next_search_on(library: Library):
    document = await library.add("minutes", clauses(BOARD))
    assert (await library.ask(SECRET)).passages
    await library.documents.set_readers(library.tenant, document.id, ["team:board"])
    assert not (await library.ask(SECRET)).passages
    await library.documents.set_readers(library.tenant, document.id, None)
    assert (await library.ask(SECRET)).passages


async def test_what_is_closed_between_ranking_and_reading_is_not_read(library: Library):
    """Where nothing was hidden, ranking leaves the readers out; reading never does."""
    document = await library.add("minutes", clauses(BOARD))
    index = await library.indexes.active(library.tenant)
    scope = Scope(index.id, Reader(library.tenant, frozenset({"team:sales"})), Filters(), is_whole=True)
    (vector,) = await library.embedder.embed(library.tenant, [BOARD], model=index.embedding_model)
    async with library.homes.reading(library.tenant) as transaction:
        assert await store.read_chunks(transaction, scope, [(document.id, 0)])
    await library.documents.set_readers(library.tenant, document.id, ["team:board"])
    async with library.homes.reading(library.tenant) as transaction:
        ranked = await store.nearest(transaction, scope, str(list(vector)), limit=5)
        keys = [key for key, _ in ranked]
        assert keys
        assert not await store.read_chunks(transaction, scope, keys)
        assert not await store.read_scores(transaction, scope, keys, terms=[], vector=None)
        checked = replace(scope, is_whole=False)
        assert not await store.nearest(transaction, checked, str(list(vector)), limit=5)


async def test_a_filter_counts_even_where_nothing_is_hidden(library: Library):
    await library.add("lease", clauses(RENT))
    index = await library.indexes.active(library.tenant)
    (vector,) = await library.embedder.embed(library.tenant, [RENT], model=index.embedding_model)
    for source, found in (("notes", True), ("elsewhere", False)):
        reader = Reader(library.tenant, frozenset[str]())
        scope = Scope(index.id, reader, Filters(sources=(source,)), is_whole=True)
        async with library.homes.reading(library.tenant) as transaction:
            assert bool(await store.nearest(transaction, scope, str(list(vector)), limit=5)) is found


async def test_a_neighbour_is_never_of_another_document(library: Library):
    await library.add("open", clauses(RENT, PETS))
    await library.add("minutes", clauses(BOARD, LIABILITY), readers=("team:board",))
    answer = await library.ask(Question("dogs and cats", neighbours=5, limit=50))
    assert {passage.document for passage in answer.passages} == {"open.txt"}
    assert all("Quillfeather" not in passage.text for passage in answer.passages)


@pytest.mark.parametrize("mode", list(Mode))
async def test_another_tenant_finds_nothing(shelf: Library, other_tenant: TenantId, mode: Mode):
    active = await shelf.indexes.active(shelf.tenant)
    search = shelf.search()
    answer = await search.search(Reader(other_tenant, frozenset({"team:board"})), replace(SECRET, mode=mode))
    assert (answer.passages, answer.reason) == ((), Reason.NO_DOCUMENTS)
    with pytest.raises(NotFound, match="no such index"):
        await search.search(Reader(other_tenant, None), replace(SECRET, index=active.id))
