"""How well clauses of real contracts are found.

    python -m bench.retrieval [--limit N] [--vectors FOLDER] [--json]       or: make bench-retrieval

The 41 questions of CUAD are asked of its 60 labelled contracts: each contract alone, and all at once; by vectors
alone, by words alone, by both fused, and fused with the clauses that the contracts' classifier labelled; cut by
clause and at fixed sizes. Everything goes through the product's own rooms on a throwaway engine with the bundled
embedding model. Weights and floor were chosen on every second contract; the others, held out, are what counts.

Ranking is measured with the relevance floor off, so that it is seen alone. The last table has the floor on: how often
questions that no contract answers are answered, and how often the 41 are refused.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

from bench.chunking import find_data
from mainspring.foundation.db import Database
from mainspring.orchestration.knowledge.homes import Homes
from mainspring.orchestration.knowledge.ports import Concepts
from mainspring.orchestration.knowledge.retrieval import Mode, Search
from mainspring.orchestration.knowledge.setup import RetrievalSetup, RetrievalWeights, Setup
from mainspring.showcase.contracts import ContractConcepts
from mainspring.showcase.contracts.classifier import ClauseClassifier

from .contracts import ELSEWHERE, FIELDS, Category, Contract, read_categories, read_contracts
from .corpus import CHUNKINGS, CachedMiniLm, Corpus, OneSetup, fill, open_homes
from .measuring import Figures, Way, ask, ask_all, cases_across, cases_within, judge

FORMS = ("asked", "described", "name")
WEIGHTS = RetrievalWeights(labels=2.0)
FLOOR = 0.36


@dataclass(frozen=True, slots=True)
class Line:
    """One measurement: how questions were put, of what, cut how, searched which way."""

    form: str
    scope: str
    half: str
    questions: str
    chunks: str
    way: str
    figures: Figures


@dataclass(frozen=True, slots=True)
class Refusal:
    """The floor on: how often a search of that kind of question came back empty."""

    questions: str
    scope: str
    half: str
    asked: int
    refused: float


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of what, in which forms."""

    contracts: tuple[Contract, ...]
    categories: tuple[Category, ...]
    forms: tuple[str, ...]


def ways(homes: Homes, embedder: CachedMiniLm, floor: float) -> dict[str, Way]:
    """Every way of searching, by name."""
    retrieval = RetrievalSetup(weights=WEIGHTS, relevance_floor=floor)
    setup = OneSetup(Setup(retrieval=retrieval))

    def search(concepts: Concepts | None = None) -> Search:
        return Search(homes, setup, embedder, concepts=concepts)

    known = ContractConcepts(ClauseClassifier.load())
    return {
        "vector": Way("vector", search(), Mode.VECTOR),
        "text": Way("text", search(), Mode.TEXT),
        "hybrid": Way("hybrid", search(), Mode.HYBRID),
        "hybrid + labels": Way("hybrid + labels", search(known), Mode.HYBRID),
    }


async def measure_ranking(asked: Asked, corpora: dict[str, Corpus], found: dict[str, Way]) -> list[Line]:
    """Every form, scope, half, chunking and way."""
    lines: list[Line] = []
    contracts, categories = asked.contracts, asked.categories
    for form, (half, some), (chunks, corpus) in product(asked.forms, halves(contracts).items(), corpora.items()):
        for scope, cases in (
            ("in its contract", cases_within(some, categories, corpus, form)),
            ("across all", cases_across(some, categories, corpus, form)),
        ):
            for way in found.values():
                pairs = await ask_all(way, corpus, cases)
                clauses = [pair for pair in pairs if pair[0].category not in FIELDS]
                lines.append(Line(form, scope, half, "41", chunks, way.name, judge(pairs)))
                lines.append(Line(form, scope, half, "38", chunks, way.name, judge(clauses)))
    return lines


async def measure_floor(asked: Asked, corpus: Corpus, way: Way) -> list[Refusal]:
    """How often questions are refused, of both kinds, asked of one contract and of all."""
    found: list[Refusal] = []
    contracts, categories = asked.contracts, asked.categories
    for place, (half, some) in enumerate(halves(contracts).items()):
        everywhere = tuple(corpus.documents[contract.name] for contract in some)
        alone = [(corpus.documents[contract.name],) for contract in some]
        elsewhere = ELSEWHERE[place::2]
        for scope, groups in (("across all", [everywhere]), ("in a contract", alone)):
            answers = [await ask(way, corpus, text, documents) for text in elsewhere for documents in groups]
            found.append(_refusal("elsewhere", scope, half, [not answer.passages for answer in answers]))
        for form in asked.forms:
            for scope, cases in (
                ("across all", cases_across(some, categories, corpus, form)),
                ("in its contract", cases_within(some, categories, corpus, form)),
            ):
                answers = [await ask(way, corpus, case.question, case.documents) for case in cases]
                found.append(_refusal(form, scope, half, [not answer.passages for answer in answers]))
    return found


def _refusal(questions: str, scope: str, half: str, refused: Sequence[bool]) -> Refusal:
    return Refusal(questions, scope, half, len(refused), sum(refused) / max(1, len(refused)))


def halves(contracts: Sequence[Contract]) -> dict[str, list[Contract]]:
    """Developed on, and held out."""
    return {
        "developed on": [contract for contract in contracts if not contract.is_held_out],
        "held out": [contract for contract in contracts if contract.is_held_out],
    }


async def run(asked: Asked, vectors: Path, work: Path) -> tuple[list[Line], list[Refusal]]:
    """Fill both tenants and ask."""
    embedder = CachedMiniLm(vectors)
    async with open_homes(work) as (database, homes):
        corpora = {name: await _fill(asked.contracts, name, embedder, (database, homes, work)) for name in CHUNKINGS}
        floored = ways(homes, embedder, FLOOR)["hybrid + labels"]
        refusals = await measure_floor(asked, corpora["clause"], floored)
        lines = await measure_ranking(asked, corpora, ways(homes, embedder, 0.0))
    return lines, refusals


async def _fill(
    contracts: Sequence[Contract], name: str, embedder: CachedMiniLm, rooms: tuple[Database, Homes, Path]
) -> Corpus:
    started = time.perf_counter()
    corpus = await fill(contracts, name, embedder, rooms)
    taken = time.perf_counter() - started
    print(
        f"{name}: {len(contracts)} contracts, {corpus.chunks:,} chunks of "
        f"{corpus.characters / corpus.chunks:,.0f} characters, in {taken:,.0f} s",
        file=sys.stderr,
    )
    return corpus


def show(lines: Sequence[Line], refusals: Sequence[Refusal]) -> None:
    """Tables for people."""
    heading = (
        f"{'chunks':7} {'way':16} {'cases':>5} {'r@5':>6} {'r@10':>6} {'r@2k':>6} {'hit@10':>6} {'MRR':>6} {'ms':>5}"
    )
    shown: tuple[str, ...] = ()
    for line in lines:
        group = (line.form, line.scope, line.half, line.questions)
        if group != shown:
            print(f"\nquestions as {line.form}, {line.scope}, {line.half}, {line.questions} questions\n{heading}")
            shown = group
        figures = line.figures
        print(
            f"{line.chunks:7} {line.way:16} {figures.cases:5} {figures.recall_5:6.3f} {figures.recall_10:6.3f} "
            f"{figures.recall_tokens:6.3f} {figures.hit_10:6.3f} {figures.mrr:6.3f} {figures.milliseconds:5.1f}"
        )
    print(f"\nwith the relevance floor at {FLOOR}: refused as 'nothing relevant'")
    for each in refusals:
        print(f"{each.questions:10} {each.scope:16} {each.half:13} {each.asked:5} asked, {each.refused:6.1%} refused")


def main() -> int:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--limit", type=int, default=60, help="contracts to read, in order of name")
    arguments.add_argument("--vectors", type=Path, help="keep vectors in this folder for the next run")
    arguments.add_argument("--forms", default=",".join(FORMS), help="how questions are put: " + ", ".join(FORMS))
    arguments.add_argument("--json", action="store_true", help="one JSON object per line")
    chosen = arguments.parse_args()
    data = find_data()
    if data is None:
        print("The labelled contracts are not here; set MAINSPRING_CONTRACT_DATA to their folder.")
        return 0
    with tempfile.TemporaryDirectory() as work:
        vectors = chosen.vectors or Path(work) / "vectors"
        cuad, forms = data / "cuad", tuple(chosen.forms.split(","))
        asked = Asked(read_contracts(cuad, chosen.limit), read_categories(cuad), forms)
        lines, refusals = asyncio.run(run(asked, vectors, Path(work)))
    if chosen.json:
        for each in (*lines, *refusals):
            print(json.dumps(asdict(each)))
        return 0
    show(sorted(lines, key=lambda line: (line.form, line.half, line.scope, line.questions)), refusals)
    return 0


if __name__ == "__main__":
    sys.exit(main())
