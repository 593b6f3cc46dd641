"""What a tenant may choose: read from JSON, with every field that is wrong named together with its limit."""

from typing import Any

import pytest

from mainspring.orchestration.knowledge.chunking import ClauseChunking, FixedChunking, SectionChunking
from mainspring.orchestration.knowledge.errors import InvalidSetup
from mainspring.orchestration.knowledge.setup import (
    DEFAULT_CHUNKING,
    RetrievalSetup,
    Setup,
    check_setup,
    document_type_of,
    fingerprint,
    needs_rebuild,
    read_setup,
)

_MODELS = {"local/minilm-l6-v2": 384, "vendor/large": 3_072, "vendor/huge": 4_096}


def _read(document: object) -> Setup:
    return read_setup(document, _MODELS.get)


def _problems(document: object) -> dict[str, str]:
    with pytest.raises(InvalidSetup) as caught:
        _read(document)
    return dict(caught.value.places)


def _chosen(**fields: object) -> dict[str, Any]:
    return {"chunking": {"contract": fields}}


def test_what_is_left_out_is_as_by_default():
    assert _read({}) == Setup()
    setup = _read({"chunking": {"contract": {"chunker": "section"}}, "retrieval": {"limit": 5}})
    assert setup.chunking == {**DEFAULT_CHUNKING, "contract": SectionChunking()}
    assert setup.retrieval == RetrievalSetup(limit=5)


def test_types_that_nobody_named_are_cut_as_text():
    setup = _read({"chunking": {"policy": {"chunker": "clause"}, "text": {"chunker": "fixed", "max_chars": 800}}})
    assert setup.chunking_of("policy") == ClauseChunking()
    assert setup.chunking_of("memo") == FixedChunking(800)


@pytest.mark.parametrize(
    ("fields", "place", "said"),
    [
        ({"chunker": "clause", "max_chars": 0}, "max_chars", "max_chars is 0, but must be between 1 and 100,000"),
        ({"chunker": "clause", "max_chars": -5}, "max_chars", "is -5"),
        ({"chunker": "message", "max_chars": 50}, "max_chars", "must be between 100 and 20,000"),
        ({"chunker": "message", "max_chars": 10**30}, "max_chars", "must be between 1 and 100,000"),
        ({"chunker": "clause", "item_chars": 2_000}, "item_chars", "must be between 1 and 1,500 (max_chars)"),
        ({"chunker": "section", "min_chars": -1}, "min_chars", "is -1"),
        ({"chunker": "rows", "max_rows": 0}, "max_rows", "is 0"),
        ({"chunker": "fixed", "overlap_chars": 900}, "overlap_chars", "must be between 0 and 600 (half of max_chars)"),
        ({"chunker": "fixed", "max_chars": "many"}, "max_chars", 'it is "many": expected `int`'),
        ({"chunker": "fixed", "max_chars": 1.5}, "max_chars", "it is 1.5: expected `int`"),
        ({"chunker": "zigzag"}, "chunker", "must be one of clause, fixed, message, rows, section"),
        ({"chunker": ["fixed"]}, "chunker", "must be one of"),
    ],
)
def test_a_size_that_cannot_be_is_named_with_its_value_and_its_limit(fields: dict[str, object], place: str, said: str):
    problems = _problems(_chosen(**fields))
    assert said in problems[f"chunking.contract.{place}"]


@pytest.mark.parametrize(
    ("document", "place", "said"),
    [
        ([], "setup", "must be an object"),
        ({"colour": 1}, "setup", "unknown field `colour`"),
        (_chosen(chunker="clause", colour=1), "chunking.contract", "unknown field `colour`"),
        (_chosen(), "chunking.contract", "the field `chunker` must be one of"),
        ({"chunking": []}, "chunking", "must map document types"),
        ({"chunking": {"My Type": {"chunker": "fixed"}}}, "chunking.My Type", "a small letter"),
        ({"chunking": {f"t{n}": {"chunker": "fixed"} for n in range(60)}}, "chunking", "the limit is 50"),
        ({"embedding_model": "vendor/unknown"}, "embedding_model", "no embedding model that the gateway knows"),
        ({"embedding_model": "vendor/huge"}, "embedding_model", "the limit is 3,072"),
        ({"embedding_model": None}, "embedding_model", "it is null: expected `str`"),
        ({"reindex_chunks_per_minute": 0}, "reindex_chunks_per_minute", "between 1 and 1,000,000"),
        ({"retrieval": {"limit": 51}}, "retrieval.limit", "is 51, but must be between 1 and 50"),
        ({"retrieval": {"limit": 20, "candidates": 10}}, "retrieval.candidates", "between 20 and 500"),
        ({"retrieval": {"relevance_floor": 1.5}}, "retrieval.relevance_floor", "between 0 and 1"),
        ({"retrieval": {"relevance_floor": float("nan")}}, "retrieval.relevance_floor", "it is null"),
        ({"retrieval": {"weights": {"vector": -1}}}, "retrieval.weights.vector", "between 0 and 10"),
        ({"retrieval": {"weights": {"vector": 0, "text": 0, "exact": 0}}}, "retrieval.weights", "more than 0"),
        ({"retrieval": {"rerank": "magic"}}, "retrieval.rerank", "it must be off or model"),
        ({"embedding_model": "x" * 70_000}, "setup", "the limit is 64,000"),
        ({"embedding_model": "\ud800"}, "setup", "not JSON"),
    ],
)
def test_whatever_else_cannot_be_is_named_as_well(document: object, place: str, said: str):
    assert said in _problems(document)[place]


def test_all_problems_are_told_at_once():
    document = {"chunking": {"contract": {"chunker": "x"}, "text": {"chunker": "rows", "max_rows": 0}}, "colour": 1}
    assert set(_problems(document)) == {"chunking.contract.chunker", "chunking.text.max_rows", "setup"}


def test_the_largest_vectors_that_an_index_keeps_are_accepted():
    assert _read({"embedding_model": "vendor/large"}).embedding_model == "vendor/large"


def test_a_setup_made_in_code_is_checked_for_the_same():
    with pytest.raises(ValueError, match="max_chars is 0"):
        FixedChunking(0)
    with pytest.raises(InvalidSetup, match=r"chunking\.text\.max_chars"):
        check_setup(Setup(chunking={"text": FixedChunking(50, 0)}), _MODELS.get)


def test_a_fingerprint_changes_with_the_chunking_of_its_type_and_with_nothing_else():
    default = Setup()
    other = _read({"chunking": {"contract": {"chunker": "clause", "min_chars": 0}}, "retrieval": {"limit": 3}})
    assert len(fingerprint(default, "contract")) == 64
    assert fingerprint(default, "contract") == fingerprint(_read({}), "contract")
    assert fingerprint(default, "contract") != fingerprint(other, "contract")
    assert fingerprint(default, "article") == fingerprint(other, "article")
    assert fingerprint(default, "memo") == fingerprint(default, "text")


@pytest.mark.parametrize(
    ("document", "needed"),
    [
        ({}, False),
        ({"retrieval": {"limit": 3}, "reindex_chunks_per_minute": 5}, False),
        ({"chunking": {"memo": {"chunker": "fixed"}}}, False),
        ({"chunking": {"memo": {"chunker": "section"}}}, True),
        ({"chunking": {"contract": {"chunker": "clause", "max_chars": 1_600}}}, True),
        ({"embedding_model": "vendor/large"}, True),
    ],
)
def test_a_new_index_is_needed_for_another_model_or_another_way_to_cut(document: object, needed: bool):
    assert needs_rebuild(Setup(), _read(document)) is needed
    assert needs_rebuild(_read(document), Setup()) is needed


@pytest.mark.parametrize(
    ("media_type", "name", "document_type"),
    [
        ("message/rfc822", "re invoice.eml", "thread"),
        ("text/csv", "prices.csv", "table"),
        ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "a", "table"),
        ("text/html; charset=utf-8", "a", "article"),
        ("application/pdf", "MSA.pdf", "article"),
        ("text/plain", "notes.txt", "text"),
        ("text/plain", "guide.RST", "article"),
        ("application/octet-stream", "noending", "text"),
        ("", "", "text"),
    ],
)
def test_the_document_type_is_told_by_the_media_type_then_by_the_name(media_type: str, name: str, document_type: str):
    assert document_type_of(media_type, name) == document_type
