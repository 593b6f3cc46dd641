"""What a search finds, in which order, and how it says so."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from mainspring.foundation.db import Row, TenantTransaction
from mainspring.foundation.errors import InvalidInput, NotFound, Unavailable
from mainspring.foundation.ids import new_id
from mainspring.orchestration.knowledge.retrieval import Filters, Mode, Period, Question, Reason, store
from mainspring.orchestration.knowledge.setup import RetrievalSetup
from mainspring.orchestration.knowledge.types import Reader

from .books import AwayEmbedder, Library


def hits(answer: object) -> list[str]:
    return [passage.text.split(".")[1].strip() for passage in answer.passages]  # pyright: ignore


async def test_the_clause_that_answers_comes_first_in_every_mode(shelf: Library):
    for mode in Mode:
        answer = await shelf.ask(Question("may I keep dogs and cats in the flat", mode=mode, neighbours=0))
        assert hits(answer)[0] == "Animals", mode
        assert answer.searched.mode is mode


async def test_a_citation_opens_at_its_place_and_quotes_letter_for_letter(shelf: Library):
    answer = await shelf.ask(Question("monthly rent in euros", neighbours=2))
    for passage in answer.passages:
        text = await shelf.text_of(passage.document_id)
        citation = passage.citation
        assert text[citation.start : citation.end] == citation.quote
        assert citation.fragment == f"#{citation.start}-{citation.end}"
        assert passage.span.start <= passage.hit.start <= citation.start < citation.end <= passage.hit.end
        assert text[passage.hit.start : passage.hit.end] in passage.text
    assert "1,250 euros" in answer.passages[0].citation.quote


async def test_a_passage_says_where_it_is_from(shelf: Library):
    (passage,) = (await shelf.ask(Question("monthly rent in euros", neighbours=0, limit=1))).passages
    assert (passage.document, passage.source, passage.uri) == ("lease.txt", "housing", "https://docs.example/lease")
    assert passage.number == "1"
    assert 0 < passage.score <= 1


async def test_an_identifier_is_found_as_it_is_written(shelf: Library):
    answer = await shelf.ask(Question("LX-2041", neighbours=0, explain=True))
    first = answer.passages[0]
    assert "Notice" in first.text
    assert first.explanation is not None
    assert first.explanation.exact == ("lx-2041",)
    assert answer.searched.exact == ("lx-2041",)


async def test_a_quoted_phrase_leads_even_where_other_clauses_share_more_words(shelf: Library):
    plain = "claims of a year, fees, customer, supplier, liability, paid"
    assert hits(await shelf.ask(Question(plain, neighbours=0)))[0] == "Liability"
    answer = await shelf.ask(Question(f'{plain} "keys that only the customer holds"', explain=True, neighbours=0))
    found = {name: place.rank for place in answer.passages[0].explanation.places if (name := place.name)}  # pyright: ignore
    security = next(passage for passage in answer.passages if "Security" in passage.text)
    assert security.explanation is not None
    assert [place.rank for place in security.explanation.places if place.name == "phrases"] == [1]
    assert security.explanation.exact == ("keys that only the customer holds",)
    assert found


async def test_a_label_that_the_question_names_brings_its_places_first(shelf: Library):
    search = shelf.search(concepts={"walk away": "Termination"})
    asked = Question("how do I walk away", explain=True, neighbours=0)
    answer = await search.search(Reader(shelf.tenant, frozenset()), asked)
    first = answer.passages[0]
    assert "Notice" in first.text
    assert answer.searched.concepts == ("Termination",)
    assert first.explanation is not None
    assert [(label.label, round(label.score, 2)) for label in first.explanation.labels] == [("Termination", 0.9)]


async def test_an_explanation_adds_up(shelf: Library):
    answer = await shelf.ask(Question("liability of the supplier under ISO-27001", explain=True))
    assert answer.passages
    for rank, passage in enumerate(answer.passages, 1):
        why = passage.explanation
        assert why is not None
        assert why.fused_rank == rank
        assert why.rerank is None
        assert why.bm25 == pytest.approx(sum(term.score for term in why.terms), abs=1e-3)
        by_name = {place.name: place for place in why.places}
        if "vector" in by_name:
            assert why.cosine == pytest.approx(by_name["vector"].score, abs=1e-3)
        for place in why.places:
            assert place.contribution == pytest.approx(place.weight / (60 + place.rank))
    scores = [passage.score for passage in answer.passages]
    assert scores == sorted(scores, reverse=True)


async def test_without_being_asked_nothing_is_explained(shelf: Library):
    answer = await shelf.ask("liability of the supplier")
    assert all(passage.explanation is None for passage in answer.passages)
    assert {"embed", "measure", "analyse", "vector", "text", "read", "total"} <= answer.searched.timings.keys()


@pytest.mark.parametrize(
    ("filters", "documents"),
    [
        (Filters(sources=("it",)), {"hosting.txt"}),
        (Filters(sources=("it", "staff")), {"hosting.txt", "engineer.txt"}),
        (Filters(document_types=("employment",)), {"engineer.txt"}),
        (Filters(metadata={"city": "Graz"}), {"lease.txt"}),
        (Filters(metadata={"city": "Graz", "floor": "2"}), {"lease.txt"}),
        (Filters(labels=("Termination",)), {"lease.txt"}),
        (Filters(language="en", sources=("housing",)), {"lease.txt"}),
    ],
)
async def test_filters_let_only_their_documents_through(shelf: Library, filters: Filters, documents: set[str]):
    answer = await shelf.ask(Question("the supplier, the tenant and the engineer", filters=filters, limit=50))
    assert {passage.document for passage in answer.passages} == documents


async def test_a_label_filter_lets_only_labelled_places_through(shelf: Library):
    asked = Question("rent and animals and notice", filters=Filters(labels=("Termination",)), neighbours=0)
    assert hits(await shelf.ask(asked)) == ["Notice"]


async def test_filters_by_document_and_by_time(shelf: Library):
    lease = (await shelf.ask("monthly rent")).passages[0].document_id
    document = await shelf.documents.get(Reader(shelf.tenant, None), lease)
    only = await shelf.ask(Question("supplier", filters=Filters(document_ids=(lease,))))
    assert {passage.document_id for passage in only.passages} == {lease}
    before = Filters(document_ids=(lease,), created=Period(until=document.created_at))
    after = Filters(document_ids=(lease,), created=Period(since=document.created_at))
    assert (await shelf.ask(Question("rent", filters=before))).reason is Reason.FILTERED_OUT
    assert (await shelf.ask(Question("rent", filters=after))).passages


async def test_filters_that_no_document_meets_are_told_apart_from_nothing_relevant(shelf: Library):
    nowhere = await shelf.ask(Question("rent", filters=Filters(sources=("nowhere",))))
    assert (nowhere.passages, nowhere.reason) == ((), Reason.FILTERED_OUT)
    strict = RetrievalSetup(relevance_floor=0.9)
    irrelevant = await shelf.ask("quantum chromodynamics", retrieval=strict)
    assert (irrelevant.passages, irrelevant.reason) == ((), Reason.NOTHING_RELEVANT)
    assert irrelevant.searched.documents == 3


async def test_a_quoted_phrase_that_is_there_needs_no_nearness(shelf: Library):
    strict = RetrievalSetup(relevance_floor=1.0)
    assert (await shelf.ask("noise", retrieval=strict)).reason is Reason.NOTHING_RELEVANT
    assert (await shelf.ask('"good reasons such as noise"', retrieval=strict)).passages
    assert (await shelf.ask('"good reasons such as cheese"', retrieval=strict)).reason is Reason.NOTHING_RELEVANT


async def test_a_tenant_without_documents_is_told_so(library: Library):
    answer = await library.ask("anything")
    assert (answer.passages, answer.reason, answer.searched.index) == ((), Reason.NO_DOCUMENTS, None)
    await library.indexes.active(library.tenant)
    assert (await library.ask("anything")).reason is Reason.NO_DOCUMENTS


async def test_an_index_that_is_not_there_is_not_found(shelf: Library):
    with pytest.raises(NotFound):
        await shelf.ask(Question("rent", index=new_id()))
    active = await shelf.indexes.active(shelf.tenant)
    assert (await shelf.ask(Question("rent", index=active.id))).searched.index == active.number


async def test_when_the_model_is_away_words_do_and_a_note_says_so(shelf: Library):
    search, reader = shelf.search(embedder=AwayEmbedder()), Reader(shelf.tenant, frozenset())
    answer = await search.search(reader, Question("dogs and cats", neighbours=0))
    assert hits(answer)[0] == "Animals"
    assert "only words were searched" in answer.notes[0]
    with pytest.raises(Unavailable):
        await search.search(reader, Question("dogs and cats", mode=Mode.VECTOR))
    assert not (await search.search(reader, Question("dogs and cats", mode=Mode.TEXT))).notes


@pytest.mark.parametrize("field", ["limit", "max_tokens", "neighbours"])
async def test_limits_out_of_bounds_are_refused(shelf: Library, field: str):
    with pytest.raises(InvalidInput, match=f"{field} is 1,000,000"):
        await shelf.ask(Question("rent", **{field: 1_000_000}))  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    "text",
    [
        "the of and",
        "' or 1=1; drop table chunk; --",
        "a & b | !c <-> d:* (",
        '"unclosed phrase',
        '"" "" “”',
        "rent\0rent",
        "\ud800 lone half of a pair",
        "🏠🐕 🤷",
        "%(tenant)s %s {matching} {0}",
        "word " * 20_000,
        "x" * 100_000,
        "-- /* */ \\ ^ $ .* [a-z]+ (?:)",
        '"(a+)+$" "[" "\\"',
    ],
)
async def test_whatever_is_asked_is_looked_for_and_never_obeyed(shelf: Library, text: str):
    for mode in Mode:
        answer = await shelf.ask(Question(text, mode=mode, explain=True))
        assert answer.passages or answer.reason is Reason.NOTHING_RELEVANT
        assert answer.searched.documents == 3
    assert (await shelf.ask("monthly rent")).passages


@pytest.mark.parametrize("text", ["", "   \n\t", "\0\0"])
async def test_an_empty_question_is_refused(shelf: Library, text: str):
    with pytest.raises(InvalidInput, match="empty"):
        await shelf.ask(text)


async def test_a_long_question_is_cut_and_a_note_says_so(shelf: Library):
    answer = await shelf.ask("monthly rent " * 2_000)
    assert hits(answer)[0] == "Rent"
    assert answer.notes == ("Only the first 4,000 characters of the question were searched.",)


async def test_a_walk_of_the_graph_that_gave_up_is_followed_by_comparing_every_vector(
    shelf: Library, monkeypatch: pytest.MonkeyPatch
):
    question = Question("may I keep dogs and cats in the flat", mode=Mode.VECTOR, neighbours=0)
    compared = await shelf.ask(question)

    async def find_promoted(transaction: TenantTransaction, index: UUID | None) -> Row | None:
        row = await find_index(transaction, index)
        return {**row, "promoted_at": datetime.now(UTC)} if row else None

    async def give_up(*_: object, **__: object) -> list[tuple[store.Key, float]]:
        return []

    find_index = store.find_index
    monkeypatch.setattr(store, "find_index", find_promoted)
    monkeypatch.setattr(store, "roughly_nearest", give_up)
    assert hits(await shelf.ask(question)) == hits(compared) != []
