"""The three questions, asked of contracts that were never trained on.

span      given a labelled span (one clause, known to be labelled): which categories has it?
clause    of every clause that the product cuts, most of them without label: which categories?
contract  does the contract hold the category anywhere?

A clause has a category when it shares at least half of the shorter of both with a span that CUAD
labelled so. A contract has one when any span in it is labelled so, also where no clause matched.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mainspring.orchestration.knowledge import parse
from mainspring.orchestration.knowledge.chunking import chunk_by_clause
from mainspring.orchestration.knowledge.types import Chunk
from mainspring.showcase.contracts.classifier import ClauseClassifier

from .corpus import ANNOTATIONS_FILE, Flags, label_matrix, overlaps
from .measures import F1, Reliability, any_by_group, at_least_one, f1, reliability


@dataclass(frozen=True, slots=True)
class HeldOut:
    """One contract: its clauses and labelled spans with their labels [rows, 38]."""

    name: str
    chunks: tuple[Chunk, ...]
    chunk_labels: Flags
    spans: tuple[str, ...]
    span_labels: Flags


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured on held-out contracts; the reliability is that of the clauses' probabilities."""

    contracts: int
    clauses: int
    spans: int
    span: F1
    clause: F1
    contract: F1
    reliability: Reliability


def read_held_out(data: Path) -> tuple[HeldOut, ...]:
    """The annotated contracts, cut as the product cuts them."""
    lines = (data / ANNOTATIONS_FILE).read_text("utf-8").splitlines()
    return tuple(_read(data, json.loads(line)["id"], json.loads(line)["labels"]) for line in lines)


def _read(data: Path, name: str, labels: list[dict[str, str | int]]) -> HeldOut:
    content = (data / "cuad" / "txt" / f"{name}.txt").read_bytes()
    source = content.decode("utf-8")
    document = parse(content, filename=f"{name}.txt")
    if len(document.text) != len(source):
        raise ValueError(f"{name}: the parsed text has {len(document.text):,} characters, the source {len(source):,}")
    chunks = chunk_by_clause(document)
    starts, ends = np.array([chunk.start for chunk in chunks]), np.array([chunk.end for chunk in chunks])
    categories: dict[tuple[int, int], list[str]] = {}
    for label in labels:
        categories.setdefault((int(label["start"]), int(label["end"])), []).append(str(label["category"]))
    names = list(categories.values())
    all_labels = label_matrix(names)
    chunk_labels = np.zeros((len(chunks), all_labels.shape[1]), bool)
    for (start, end), row in zip(categories, all_labels, strict=True):
        chunk_labels[overlaps(starts, ends, start, end)] |= row
    kept: Flags = np.any(all_labels, axis=1)
    spans = tuple(source[start:end] for (start, end), keep in zip(categories, kept.tolist(), strict=True) if keep)
    return HeldOut(name, chunks, chunk_labels, spans, all_labels[kept])


def measure(classifier: ClauseClassifier, contracts: tuple[HeldOut, ...]) -> Figures:
    """Ask all three questions with the classifier's own threshold."""
    per_contract = [classifier.probabilities_in_contract([chunk.text for chunk in each.chunks]) for each in contracts]
    probabilities = np.concatenate(per_contract)
    chunk_labels = np.concatenate([each.chunk_labels for each in contracts])
    span_labels = np.concatenate([each.span_labels for each in contracts])
    of_spans = classifier.probabilities_of_passages([span for each in contracts for span in each.spans])
    group = np.repeat(np.arange(len(contracts)), [len(each.chunks) for each in contracts])
    found = probabilities >= classifier.threshold
    held = np.stack([each.span_labels.any(axis=0) for each in contracts])
    return Figures(
        contracts=len(contracts),
        clauses=len(probabilities),
        spans=len(of_spans),
        span=f1(span_labels, at_least_one(of_spans, classifier.passage_threshold)),
        clause=f1(chunk_labels, found),
        contract=f1(held, any_by_group(found, group, len(contracts))),
        reliability=reliability(chunk_labels, probabilities),
    )
