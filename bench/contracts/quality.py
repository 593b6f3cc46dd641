"""How good the answers are: categories and facts against CUAD's lawyers, citations against the text.

What counts as right is defined elsewhere and shared: when a clause has a category, and F1, by the
classifier's own measurements (tools/clause_classifier); when a fact is right, by bench/extraction.py.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from bench.extraction import QUESTIONS, Tally, count
from mainspring.entry.client import Chunk, Citation, ContractText, Fact, Report
from mainspring.showcase.contracts.types import Fact as ReadFact
from mainspring.showcase.contracts.types import FactName, Method
from tools.clause_classifier.corpus import Flags, label_matrix, overlaps
from tools.clause_classifier.measures import f1

from .analysing import Analysed
from .samples import Annotation


@dataclass(frozen=True, slots=True)
class Scores:
    """F1 over the 38 categories; `decisions` are rows (contracts or clauses)."""

    rows: int
    micro: float
    macro: float
    precision: float
    recall: float


@dataclass(frozen=True, slots=True)
class FactScores:
    """One question over some contracts; accuracy: the share of contracts answered as CUAD did, absence included."""

    question: str
    contracts: int
    expected: int
    found: int
    right: int
    precision: float
    recall: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Cited:
    """Statements of one kind and their citations; a citation is valid when its quote is the text at its place.

    absent      statements that something is not in the contract, which have nothing to cite
    """

    kind: str
    statements: int
    with_citation: int
    absent: int
    citations: int
    valid: int

    @property
    def is_sound(self) -> bool:
        """Whether everything stated is cited, and every citation is valid."""
        return self.with_citation + self.absent == self.statements and self.valid == self.citations


def score_contracts(analysed: Sequence[Analysed]) -> Scores | None:
    """Does the contract hold the category? The report's categories against any label in the contract."""
    pairs = [(each.report, each.sample.annotation) for each in analysed if each.sample.annotation]
    if not pairs:
        return None
    truth = label_matrix([mark.category for mark in annotation.labels] for _, annotation in pairs)
    found = label_matrix([held.category for held in report.categories] for report, _ in pairs)
    return _scores(truth, found)


def score_clauses(analysed: Sequence[Analysed]) -> Scores | None:
    """Which categories has each clause? Only contracts whose text is the one that was labelled."""
    texts = [(each.text.chunks, each.sample.annotation) for each in analysed if each.sample.kind == "txt"]
    pairs = [(chunks, annotation) for chunks, annotation in texts if annotation and chunks]
    if not pairs:
        return None
    truth = np.concatenate([clause_labels(chunks, annotation) for chunks, annotation in pairs])
    found = label_matrix([label.category for label in chunk.labels] for chunks, _ in pairs for chunk in chunks)
    return _scores(truth, found)


def clause_labels(chunks: Sequence[Chunk], annotation: Annotation) -> Flags:
    """What each chunk should be labelled: [chunks, 38]."""
    starts, ends = np.array([chunk.start for chunk in chunks]), np.array([chunk.end for chunk in chunks])
    labels = label_matrix([] for _ in chunks)
    for mark, row in zip(annotation.labels, label_matrix([mark.category] for mark in annotation.labels), strict=True):
        labels[overlaps(starts, ends, mark.start, mark.end)] |= row
    return labels


def _scores(truth: Flags, found: Flags) -> Scores:
    measured = f1(truth, found)
    return Scores(len(truth), measured.micro, measured.macro, measured.precision, measured.recall)


def score_facts(analysed: Iterable[Analysed]) -> tuple[FactScores, ...]:
    """Each of CUAD's questions that a fact answers; nothing where no contract has answers."""
    tallies = {question: Tally() for question in QUESTIONS}
    for each in analysed:
        if each.sample.annotation:
            facts = {fact.name: fact for fact in map(_read_fact, each.report.facts)}
            for question, name in QUESTIONS.items():
                count(tallies[question], question, each.sample.annotation.answers.get(question), facts.get(name))
    return tuple(_fact_scores(question, tally) for question, tally in tallies.items() if tally.contracts)


def _read_fact(fact: Fact) -> ReadFact:
    """The API's fact as the one that extraction gave; citations are judged elsewhere."""
    return ReadFact(
        name=FactName(fact.name),
        value=fact.value,
        normalized=fact.normalized,
        citations=(),
        method=Method(fact.method),
        confidence=fact.confidence,
    )


def _fact_scores(question: str, tally: Tally) -> FactScores:
    return FactScores(
        question=question,
        contracts=tally.contracts,
        expected=tally.expected,
        found=tally.found,
        right=tally.right,
        precision=tally.right / max(1, tally.found),
        recall=tally.right / max(1, tally.expected),
        accuracy=tally.agreed / max(1, tally.contracts),
    )


def check_citations(results: Sequence[tuple[Report, ContractText]]) -> tuple[Cited, ...]:
    """Summary sentences, findings, facts and categories, each statement with its citations."""

    def cited(kind: str, statements: Iterable[tuple[str, tuple[Citation, ...], bool]]) -> Cited:
        rows = list(statements)
        places = [is_valid(citation, text) for text, citations, _ in rows for citation in citations]
        return Cited(
            kind=kind,
            statements=len(rows),
            with_citation=sum(bool(citations) for _, citations, _ in rows),
            absent=sum(is_absence and not citations for _, citations, is_absence in rows),
            citations=len(places),
            valid=sum(places),
        )

    def of(report: Report) -> dict[str, Iterable[tuple[tuple[Citation, ...], bool]]]:
        return {
            "summary sentences": ((each.citations, False) for each in report.summary.sentences),
            "findings": ((each.citations, each.kind == "missing") for each in report.findings),
            "facts": ((each.citations, False) for each in report.facts),
            "categories": ((each.citations, False) for each in report.categories),
        }

    kinds = ("summary sentences", "findings", "facts", "categories")
    rows = [(text.text, of(report)) for report, text in results]
    return tuple(cited(kind, ((text, *row) for text, parts in rows for row in parts[kind])) for kind in kinds)


def is_valid(citation: Citation, text: str) -> bool:
    """Whether the quote is there, letter for letter, and is something."""
    return 0 <= citation.start < citation.end <= len(text) and text[citation.start : citation.end] == citation.quote
