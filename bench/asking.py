"""How well questions about real contracts are answered without a model.

    python -m bench.asking [--limit N] [--vectors FOLDER] [--json]

The questions of CUAD are put to the extractive way of `contracts_ask`, of one contract and of all at once, over the
labelled contracts that nothing was chosen by (every second one). An answer is right when one of its citations shares
at least half of the shorter of both with a place that lawyers labelled. Valid are citations whose quote stands in the
contract letter for letter: all must be. Questions that no contract answers must be refused; so should those about a
clause that lawyers did not find in the contract, which is harder.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from uuid import UUID

import msgspec

from bench.chunking import find_data
from bench.retrieval.contracts import ELSEWHERE, Category, Contract, Mark, read_categories, read_contracts
from bench.retrieval.corpus import CachedMiniLm, Corpus, NoCaches, OneSetup, fill, open_homes
from mainspring.foundation.clock import now
from mainspring.foundation.ids import show_id
from mainspring.foundation.objects import ObjectStore
from mainspring.foundation.principal import Principal, PrincipalKind
from mainspring.orchestration.knowledge import Answer as Passages
from mainspring.orchestration.knowledge import Filters, Question, Reader, Search
from mainspring.orchestration.knowledge.documents import Documents
from mainspring.orchestration.knowledge.homes import Homes
from mainspring.orchestration.knowledge.indexing import Indexes
from mainspring.orchestration.knowledge.setup import Setup, Setups
from mainspring.orchestration.tools import Empty, Json, ResultStatus, Tool, ToolContext, ToolResult
from mainspring.showcase.contracts import ContractConcepts
from mainspring.showcase.contracts.asking.desk import Desk
from mainspring.showcase.contracts.asking.looking import Looking
from mainspring.showcase.contracts.asking.tools import reading_tools
from mainspring.showcase.contracts.asking.types import Answer, Opened, Shelved
from mainspring.showcase.contracts.classifier import ClauseClassifier
from mainspring.showcase.contracts.extraction import extract_facts
from mainspring.showcase.contracts.types import Analysis, ContractId

FORMS = ("asked", "described", "name")


@dataclass(frozen=True, slots=True)
class Line:
    """Answers of one kind; shares are of 1.

    right     answers with a citation on a labelled place; `first`: with the first citation there
    places    of the labelled places, those that an answer cites
    refused   answers that say that nothing relevant was found, or no such clause in the contract
    """

    form: str
    scope: str
    asked: int
    right: float
    first: float
    places: float
    refused: float
    citations: int
    valid: float
    cited_characters: float


class BenchShelf:
    """The benchmark's contracts, opened once each."""

    def __init__(self, corpus: Corpus, rooms: tuple[Documents, Indexes, Search]) -> None:
        self._corpus = corpus
        self._documents, self._indexes, self._search = rooms
        self._opened: dict[UUID, Opened] = {}
        self.chosen: frozenset[str] = frozenset(corpus.documents)

    async def list_all(self, principal: Principal) -> tuple[Shelved, ...]:
        """Those that are chosen now."""
        named = self._corpus.documents.items()
        return tuple(Shelved(ContractId(document), name) for name, document in named if name in self.chosen)

    async def open(self, principal: Principal, contract: ContractId) -> Opened:
        """As the product opens a contract that has no report."""
        if contract not in self._opened:
            reader = Reader(self._corpus.tenant, None)
            document = await self._documents.get_parsed(reader, contract)
            chunks = await self._indexes.list_chunks(reader, contract)
            analysis = Analysis(document, ClauseClassifier.load().classify(chunks))
            name = next(name for name, known in self._corpus.documents.items() if known == contract)
            facts = extract_facts(analysis)
            self._opened[contract] = Opened(Shelved(contract, name), document, analysis.chunks, facts)
        return self._opened[contract]

    async def search(
        self, principal: Principal, question: str, within: tuple[ContractId, ...], *, limit: int
    ) -> Passages:
        """As the product searches, over the chosen contracts."""
        everywhere = tuple(ContractId(self._corpus.documents[name]) for name in sorted(self.chosen))
        filters = Filters(document_ids=tuple(within) or everywhere)
        asked = Question(question, filters=filters, limit=limit, max_tokens=20_000, neighbours=0)
        return await self._search.search(Reader(self._corpus.tenant, frozenset()), asked)


@dataclass(frozen=True, slots=True)
class Bench:
    """Everything that answers."""

    corpus: Corpus
    shelf: BenchShelf
    desk: Desk
    tools: Mapping[str, Tool]
    principal: Principal

    async def ask(self, question: str) -> Answer:
        """The extractive answer, through the tools."""
        return await Looking(self.desk, self.principal, self._call, "this is a measurement").answer(question)

    async def _call(self, name: str, arguments: Mapping[str, Json]) -> ToolResult:
        context = ToolContext(self.principal, "bench", "bench", "bench")
        content = await self.tools[name].invoke(context, arguments)
        if isinstance(content, Empty):
            return ToolResult(ResultStatus.EMPTY, note=content.note)
        return ToolResult(ResultStatus.OK, msgspec.to_builtins(content))

    async def measure(self, asked: Iterable[tuple[str, Sequence[tuple[str, Mark]]]], form: str, scope: str) -> Line:
        """Ask each question; the places are where an answer may be found, none for those that have none."""
        answers = [(await self.ask(question), places) for question, places in asked]
        cited = [each for answer, _ in answers for sentence in answer.sentences for each in sentence.citations]
        valid = [
            (await self.shelf.open(self.principal, self._id(each.contract))).document.text[each.start : each.end]
            == each.quote
            for each in cited
        ]
        return Line(
            form,
            scope,
            len(answers),
            _mean([_share(answer, places) > 0 for answer, places in answers]),
            _mean([_share(answer, places, most=1) > 0 for answer, places in answers]),
            _mean([_share(answer, places) for answer, places in answers]),
            _mean([answer.reason is not None for answer, _ in answers]),
            len(cited),
            _mean(valid) if cited else 1.0,
            _mean([each.end - each.start for each in cited]),
        )

    def _id(self, contract: str) -> ContractId:
        return next(ContractId(each) for each in self.corpus.documents.values() if show_id("ctr", each) == contract)


def _share(answer: Answer, places: Sequence[tuple[str, Mark]], *, most: int = 100) -> float:
    """Of the labelled places, those that the first citations share at least half of the shorter of both with."""
    cited = [each for sentence in answer.sentences for each in sentence.citations][:most]
    found = [
        any(
            each.contract == contract
            and 2 * (min(each.end, mark.end) - max(each.start, mark.start))
            >= min(each.end - each.start, mark.end - mark.start)
            for each in cited
        )
        for contract, mark in places
    ]
    return _mean(found)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


async def run(
    contracts: tuple[Contract, ...], categories: tuple[Category, ...], work: Path, vectors: Path
) -> list[Line]:
    """Bring the contracts in, and ask."""
    embedder = CachedMiniLm(vectors)
    async with open_homes(work / "engine") as (database, homes):
        corpus = await fill(contracts, "clause", embedder, (database, homes, work))
        bench = _open(corpus, homes, embedder, work)
        bench.shelf.chosen = frozenset(each.name for each in contracts if each.is_held_out)
        return await _ask(bench, [each for each in contracts if each.is_held_out], categories)


async def _ask(bench: Bench, contracts: Sequence[Contract], categories: Sequence[Category]) -> list[Line]:
    ids = {each.name: show_id("ctr", bench.corpus.documents[each.name]) for each in contracts}
    lines: list[Line] = []
    for form in FORMS:
        present: list[tuple[str, list[tuple[str, Mark]]]] = []
        absent: list[tuple[str, list[tuple[str, Mark]]]] = []
        everywhere: list[tuple[str, list[tuple[str, Mark]]]] = []
        for category in categories:
            found = [(ids[one.name], mark) for one in contracts for mark in one.marks if mark.category == category.name]
            everywhere += [(category.question(form), found)] if found else []
            for one in contracts:
                own = [place for place in found if place[0] == ids[one.name]]
                (present if own else absent).append((f"In {ids[one.name]}: {category.question(form)}", own))
        lines.append(await bench.measure(present, form, "one contract"))
        lines.append(await bench.measure(everywhere, form, "all contracts"))
        lines.append(await bench.measure(absent, form, "one, absent"))
    lines.append(await bench.measure([(each, []) for each in ELSEWHERE[1::2]], "off topic", "all contracts"))
    return lines


def _open(corpus: Corpus, homes: Homes, embedder: CachedMiniLm, work: Path) -> Bench:
    objects = ObjectStore.open(f"file://{work / 'objects'}")
    documents = Documents(homes, objects, NoCaches())
    indexes = Indexes(homes, objects, documents, Setups(homes, embedder.dimensions), embedder)
    search = Search(homes, OneSetup(Setup()), embedder, concepts=ContractConcepts())
    shelf = BenchShelf(corpus, (documents, indexes, search))
    desk = Desk(shelf, now)
    tools = {tool.name: tool for tool in reading_tools(desk)}
    principal = Principal(corpus.tenant, PrincipalKind.SYSTEM, "benchmark", frozenset({"ai.output.view"}))
    return Bench(corpus, shelf, desk, tools, principal)


def show(lines: Sequence[Line]) -> None:
    """A table for people."""
    print(
        f"{'questions':10} {'scope':14} {'asked':>6} {'right':>7} {'first':>7} {'places':>7} {'refused':>8} "
        f"{'citations':>9} {'valid':>7} {'length':>7}"
    )
    for each in lines:
        print(
            f"{each.form:10} {each.scope:14} {each.asked:6} {each.right:7.1%} {each.first:7.1%} {each.places:7.1%} "
            f"{each.refused:8.1%} {each.citations:9,} {each.valid:7.1%} {each.cited_characters:7.0f}"
        )


def main() -> int:
    """Measure and print; 1 when a citation does not stand."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--limit", type=int, default=60, help="contracts to read, in order of name; at least 2")
    arguments.add_argument("--vectors", type=Path, help="keep vectors in this folder for the next run")
    arguments.add_argument("--json", action="store_true", help="one JSON object per line")
    chosen = arguments.parse_args()
    data = find_data()
    if data is None:
        print("The labelled contracts are not here; set MAINSPRING_CONTRACT_DATA to their folder.")
        return 0
    with tempfile.TemporaryDirectory() as work:
        contracts, categories = read_contracts(data / "cuad", chosen.limit), read_categories(data / "cuad")
        lines = asyncio.run(run(contracts, categories, Path(work), chosen.vectors or Path(work) / "vectors"))
    if chosen.json:
        print("\n".join(json.dumps(asdict(each)) for each in lines))
    else:
        show(lines)
    return 0 if all(each.valid == 1.0 for each in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
