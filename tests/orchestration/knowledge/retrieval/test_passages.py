"""Repeats, neighbours and the budget of tokens."""

from collections.abc import Sequence
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from mainspring.orchestration.knowledge.retrieval.passages import Found, Hit, Packing, cite, leave_out_repeats, pack
from mainspring.orchestration.knowledge.retrieval.store import Key

WORDS = tuple(f"word{number}" for number in range(18))


def document(number: int) -> UUID:
    return UUID(int=number)


def found(text: str, *, document_number: int = 1, place: int = 0, start: int | None = None, tokens: int = 10) -> Found:
    begins = place * 1_000 if start is None else start
    return Found((document(document_number), place), begins, begins + len(text), text, tokens, "a.txt", "notes")


def book(places: int, *, tokens: int = 10, headings: Sequence[str] = ()) -> dict[Key, Found]:
    chunks = [
        Found(
            (document(1), place),
            place * 100,
            place * 100 + 99,
            f"{place:<99}",
            tokens,
            "a.txt",
            "notes",
            heading_path=(headings[place],) if headings else (),
        )
        for place in range(places)
    ]
    return {chunk.key: chunk for chunk in chunks}


def test_the_same_text_in_other_documents_is_counted_and_left_out():
    text = "The supplier keeps the records of the customer for ten years after the end."
    again = text.upper().replace(" ", "\n")
    twins = [
        found(text),
        found(again, document_number=2),
        found(text, document_number=3),
        found("Another thing.", place=3),
    ]
    hits = leave_out_repeats([(each, 1.0) for each in twins])
    assert [hit.found.text for hit in hits] == [text, "Another thing."]
    (passage, other) = pack(hits, {}, Packing(10, 1_000, 0), {})
    assert (passage.similar, set(passage.similar_in)) == (2, {document(2), document(3)})
    assert other.similar == 0


def test_a_text_that_differs_in_a_word_of_many_is_a_repeat_and_half_another_text_is_none():
    text = " ".join(WORDS * 4)
    near = " ".join([*WORDS * 4, "more"])
    half = " ".join([*WORDS[:10] * 4, *(f"other{number}" for number in range(40))])
    hits = leave_out_repeats([(found(each, document_number=n), 1.0) for n, each in enumerate((text, near, half))])
    assert [hit.found.text for hit in hits] == [text, half]


def test_a_chunk_that_overlaps_a_better_one_is_left_out_and_not_counted():
    better = found("x" * 100, start=0)
    inside = found("y" * 100, place=1, start=40)
    beside = found("z" * 100, place=2, start=60)
    hits = leave_out_repeats([(better, 1.0), (inside, 0.9), (beside, 0.8)])
    assert [(hit.found.key[1], hit.similar) for hit in hits] == [(0, ()), (2, ())]


def test_neighbours_stand_around_their_hit_in_the_order_of_the_document():
    chunks = book(9)
    (passage,) = pack([Hit(chunks[document(1), 4], 1.0)], chunks, Packing(5, 1_000, 2), {})
    assert [int(part) for part in passage.text.split()] == [2, 3, 4, 5, 6]
    assert (passage.span.start, passage.span.end) == (200, 699)
    assert (passage.hit.start, passage.hit.end) == (400, 499)
    assert passage.tokens == 50


def test_the_same_section_comes_first_where_tokens_are_short():
    chunks = book(5, headings=["a", "a", "b", "b", "b"])
    hit = [Hit(chunks[document(1), 2], 1.0)]
    (passage,) = pack(hit, chunks, Packing(5, 20, 2), {})
    assert [int(part) for part in passage.text.split()] == [2, 3]
    (passage,) = pack(hit, chunks, Packing(5, 40, 2), {})
    assert [int(part) for part in passage.text.split()] == [1, 2, 3, 4]


def test_a_hit_is_no_neighbour_and_no_chunk_is_shown_twice():
    chunks = book(6)
    hits = [Hit(chunks[document(1), place], 1.0) for place in (2, 3)]
    first, second = pack(hits, chunks, Packing(5, 1_000, 2), {})
    assert [int(part) for part in first.text.split()] == [0, 1, 2]
    assert [int(part) for part in second.text.split()] == [3, 4, 5]


def test_the_first_hit_is_shown_whatever_its_size_and_others_where_they_fit():
    large, small = found("a " * 50, tokens=900), found("b " * 50, place=2, tokens=40)
    huge = found("c " * 50, place=4, tokens=500)
    passages = pack([Hit(huge, 1.0), Hit(large, 0.9), Hit(small, 0.8)], {}, Packing(5, 100, 1), {})
    assert [passage.tokens for passage in passages] == [500]
    passages = pack([Hit(small, 1.0), Hit(large, 0.9), Hit(found("d", place=9), 0.8)], {}, Packing(5, 100, 1), {})
    assert [passage.tokens for passage in passages] == [40, 10]


@given(
    st.lists(st.integers(0, 19), min_size=1, max_size=12, unique=True),
    st.integers(0, 5),
    st.integers(1, 12),
    st.integers(10, 300),
)
def test_packing_keeps_order_budget_and_every_chunk_once(places: list[int], reach: int, limit: int, budget: int):
    chunks = book(20)
    hits = [Hit(chunks[document(1), place], 1 / rank) for rank, place in enumerate(places, 1)]
    passages = pack(hits, chunks, Packing(limit, budget, reach), {})
    shown = [int(part) for passage in passages for part in passage.text.split()]
    assert 1 <= len(passages) <= limit
    assert [passage.hit.start // 100 for passage in passages] == places[: len(passages)]
    assert len(shown) == len(set(shown))
    assert sum(passage.tokens for passage in passages) == 10 * len(shown) <= max(10, budget)
    for passage in passages:
        parts = [int(part) for part in passage.text.split()]
        assert parts == list(range(parts[0], parts[-1] + 1))
        assert max(abs(part - passage.hit.start // 100) for part in parts) <= reach


def test_rows_are_quoted_without_the_names_of_their_columns():
    rows = "Anna\t7\nBert\t9"
    table = Found((document(1), 0), 50, 50 + len(rows), f"Name\tAge\n{rows}", 9, "a.csv", "notes")
    citation = cite(table)
    assert (citation.start, citation.end, citation.quote) == (50, 50 + len(rows), rows)
    below = Found((document(1), 0), 50, 82, f"Ages of the staff\n\nName\tAge\n{rows}", 9, "a.csv", "notes")
    citation = cite(below)
    assert (citation.start, citation.end, citation.quote) == (76, 82, "Bert\t9")


def test_a_message_that_leaves_out_quotes_is_cited_by_its_first_line():
    text = "I agree with that.\nLet us go on."
    mail = Found((document(1), 0), 200, 400, text, 9, "a.eml", "mail")
    citation = cite(mail)
    assert (citation.start, citation.end, citation.quote) == (200, 218, "I agree with that.")
