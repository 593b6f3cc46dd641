"""Real contracts, where they are at hand: PDF, Word and text as people write and file them."""

import json
import os
import re
from pathlib import Path

import pytest

from mainspring.orchestration.knowledge import ParsedDocument, chunk_by_clause, parse

_DATA = Path(os.environ.get("MAINSPRING_CONTRACT_DATA") or Path(__file__).parents[4] / "shared" / "data" / "contracts")

_REFERENCE = re.compile(r"Section (\d+(?:\.\d+)?) \(([A-Z][^)]{3,40})\)")  # "Section 8.4 (Exceptions)"

pytestmark = pytest.mark.skipif(not _DATA.is_dir(), reason="the labelled contracts are not on this machine")


def _parse(path: Path) -> ParsedDocument:
    return parse(path.read_bytes(), filename=path.name)


def _files(pattern: str) -> list[Path]:
    return sorted(_DATA.glob(pattern))


def _assert_sound(document: ParsedDocument) -> None:
    place = 0
    for block in document.blocks:
        assert place <= block.start < block.end
        assert not document.text[place : block.start].strip()
        place = block.end
    assert all(letter.isprintable() or letter == "\n" for letter in document.text)
    for chunk in chunk_by_clause(document):
        assert chunk.text == document.text[chunk.start : chunk.end]
    for definition in document.definitions:
        assert " ".join(document.text[definition.start : definition.end].split()) == definition.term


def test_pdfs_are_read_clean():
    pages = 0
    for path in _files("cuad/pdf/*.pdf"):
        document = _parse(path)
        _assert_sound(document)
        assert document.title
        assert "Source: " not in document.text
        assert sum(block.number is not None for block in document.blocks) >= 5 or len(document.pages) < 6
        pages += len(document.pages)
    assert pages > 90


def test_word_documents_have_the_numbers_that_word_shows():
    for path in _files("templates/*.docx"):
        _assert_sound(_parse(path))
    agreement = _parse(_DATA / "templates" / "common-paper-cloud-service-agreement.docx")
    clauses = {block.number: agreement.text[block.start :][:90] for block in agreement.blocks}
    references = set(_REFERENCE.findall(agreement.text))
    assert len(references) > 15
    for number, title in references:
        assert set(title.split()) & set(clauses[number].replace(".", "").split()), (number, title)


def test_offsets_of_plain_text_are_those_of_the_labels():
    for line in (_DATA / "cuad" / "annotations.jsonl").read_text().splitlines()[:10]:
        contract = json.loads(line)
        document = _parse(_DATA / "cuad" / "txt" / f"{contract['id']}.txt")
        assert len(document.text) == contract["chars"]
        _assert_sound(document)
