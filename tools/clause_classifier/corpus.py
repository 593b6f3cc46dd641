"""The labelled contracts: what to train on, and what is kept apart to measure with.

Training contracts come as chunks and as labelled spans. Contracts of a company that also filed
one of the held-out contracts are left out, so that no wording of a known company helps. Folds for
cross-validation keep each company's contracts together for the same reason.
"""

import gzip
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from mainspring.showcase.contracts.categories import CATEGORY_NAMES
from mainspring.showcase.contracts.classifier.features import split_pieces

SPANS_FILE = "cuad/clauses_train.jsonl"
CHUNKS_FILE = "cuad/chunks_train.jsonl.gz"
ANNOTATIONS_FILE = "cuad/annotations.jsonl"
FOLDS = 5

Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]


class Example(msgspec.Struct, frozen=True):
    """A labelled piece of a contract; offsets count characters of the contract."""

    contract: str
    start: int
    end: int
    categories: list[str]
    text: str


@dataclass(frozen=True, slots=True)
class Examples:
    """Texts with their labels [texts, 38], the contract and the fold each belongs to."""

    texts: tuple[str, ...]
    labels: Flags
    contract: Ints
    fold: Ints


@dataclass(frozen=True, slots=True)
class Corpus:
    """chunks: every chunk, in order, contract by contract; sentences: of the chunks, with the chunk's place."""

    chunks: Examples
    spans: Examples
    sentences: Examples
    chunk_of_sentence: Ints
    contracts: int
    left_out: int
    fingerprint: Mapping[str, str]


def find_data(given: Path | None) -> Path | None:
    """The data folder: as given, from MAINSPRING_CONTRACT_DATA, or beside the repository; None if absent."""
    beside = Path(__file__).resolve().parents[3] / "shared" / "data" / "contracts"
    named = os.environ.get("MAINSPRING_CONTRACT_DATA")
    folder = given or (Path(named) if named else beside)
    return folder if (folder / ANNOTATIONS_FILE).is_file() else None


def filer(contract: str) -> str:
    """The company in a contract's id."""
    return contract.split("-", 1)[0].lower()


def label_matrix(categories: Iterable[Iterable[str]]) -> Flags:
    """Rows of flags in the order of CATEGORY_NAMES; other categories are ignored."""
    place = {name: column for column, name in enumerate(CATEGORY_NAMES)}
    rows = [[place[name] for name in names if name in place] for names in categories]
    matrix = np.zeros((len(rows), len(CATEGORY_NAMES)), bool)
    for row, columns in enumerate(rows):
        matrix[row, columns] = True
    return matrix


def read_corpus(data: Path, *, seed: int) -> Corpus:
    """Read the training files; the same data and seed give the same corpus."""
    all_chunks = _decode(gzip.decompress((data / CHUNKS_FILE).read_bytes()))
    all_spans = _decode((data / SPANS_FILE).read_bytes())
    held_out = {filer(json.loads(line)["id"]) for line in (data / ANNOTATIONS_FILE).read_text("utf-8").splitlines()}
    chunks = [example for example in all_chunks if filer(example.contract) not in held_out]
    spans = [example for example in all_spans if filer(example.contract) not in held_out]
    spans = [span for span, row in zip(spans, label_matrix(e.categories for e in spans), strict=True) if row.any()]
    names = sorted({example.contract for example in chunks})
    every = {example.contract for example in all_chunks}
    fold_of = _folds(names, seed)
    sentences, chunk_of_sentence = _sentences(chunks, spans)
    return Corpus(
        chunks=_examples(chunks, names, fold_of),
        spans=_examples(spans, names, fold_of),
        sentences=_examples(sentences, names, fold_of),
        chunk_of_sentence=chunk_of_sentence,
        contracts=len(names),
        left_out=len(every) - len(names),
        fingerprint={name: sha256((data / name).read_bytes()).hexdigest() for name in (CHUNKS_FILE, SPANS_FILE)},
    )


def _decode(lines: bytes) -> list[Example]:
    return msgspec.json.decode(b"[" + b",".join(lines.splitlines()) + b"]", type=list[Example])


def _folds(contracts: Sequence[str], seed: int) -> dict[str, int]:
    filers = sorted({filer(contract) for contract in contracts})
    order = np.random.default_rng(seed).permutation(len(filers))
    fold = {filers[place]: turn % FOLDS for turn, place in enumerate(order)}
    return {contract: fold[filer(contract)] for contract in contracts}


def _examples(examples: Sequence[Example], contracts: Sequence[str], fold_of: Mapping[str, int]) -> Examples:
    number = {contract: place for place, contract in enumerate(contracts)}
    return Examples(
        texts=tuple(example.text for example in examples),
        labels=label_matrix(example.categories for example in examples),
        contract=np.array([number[example.contract] for example in examples], np.int64),
        fold=np.array([fold_of[example.contract] for example in examples], np.int64),
    )


def _sentences(chunks: Sequence[Example], spans: Sequence[Example]) -> tuple[list[Example], Ints]:
    """The chunks' sentences, labelled by the spans they overlap by half of the shorter of both."""
    spans_of: dict[str, list[Example]] = {}
    for span in spans:
        spans_of.setdefault(span.contract, []).append(span)
    chunks_of: dict[str, list[int]] = {}
    for place, chunk in enumerate(chunks):
        chunks_of.setdefault(chunk.contract, []).append(place)
    sentences: list[Example] = []
    owners: list[int] = []
    for contract, places in chunks_of.items():
        pieces = [(place, piece) for place in places for piece in split_pieces(chunks[place].text)]
        length = max(chunks[place].end for place in places)
        sentences += _label_pieces(contract, [piece for _, piece in pieces], spans_of.get(contract, []), length)
        owners += [place for place, _ in pieces]
    return sentences, np.array(owners, np.int64)


def _label_pieces(contract: str, pieces: Sequence[str], spans: Sequence[Example], length: int) -> list[Example]:
    """`length` is the contract's, in the characters that the spans' offsets count."""
    text = " ".join(pieces)
    ends = np.cumsum([len(piece) + 1 for piece in pieces]) - 1
    starts = ends - np.array([len(piece) for piece in pieces])
    found: list[list[str]] = [[] for _ in pieces]
    for span in spans:
        expected = span.start / length * len(text)
        places = [match.start() for match in re.finditer(re.escape(span.text), text)]
        if not places:
            continue
        start = min(places, key=lambda place: abs(place - expected))
        end = start + len(span.text)
        for place in np.flatnonzero(overlaps(starts, ends, start, end)):
            found[place] += span.categories
    rows = zip(pieces, starts.tolist(), ends.tolist(), found, strict=True)
    return [Example(contract, start, end, categories, piece) for piece, start, end, categories in rows]


def overlaps(starts: Ints, ends: Ints, start: int, end: int) -> Flags:
    """Which of the ranges share with [start, end) at least half of the shorter of both."""
    shared = np.minimum(ends, end) - np.maximum(starts, start)
    return 2 * shared >= np.minimum(ends - starts, end - start)
