"""`Desk`: what the tools do, each on behalf of a principal and over what that principal may read.

The tools of models and the graph without a model ask here alike, so an answer stands on the same clauses either way.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import date

from mainspring.foundation.clock import Clock
from mainspring.foundation.errors import NotFound
from mainspring.foundation.ids import read_id
from mainspring.foundation.principal import Principal
from mainspring.orchestration.knowledge import Answer as Passages
from mainspring.orchestration.tools import ToolError
from mainspring.showcase.contracts.categories import CATEGORY_NAMES
from mainspring.showcase.contracts.concepts import ContractConcepts
from mainspring.showcase.contracts.evidence import POSSIBLE
from mainspring.showcase.contracts.quoting import cite
from mainspring.showcase.contracts.types import ClassifiedChunk, ContractId, FactName

from .dates import compute
from .naming import find_clause, find_contract
from .shelf import Shelf
from .types import (
    Cited,
    Comparison,
    Computed,
    DateRule,
    Found,
    Opened,
    Row,
    Shelved,
    Stated,
    make_cited,
    opening,
)

MOST_COMPARED = 8
_SURELY = 0.5
_CLAUSES_A_ROW = 2
_OPENED_FOR_FACTS = 3
_MOST_QUOTED = 2_500

FACTS_OF = {
    "Parties": (FactName.PARTIES,),
    "Agreement Date": (FactName.AGREEMENT_DATE,),
    "Effective Date": (FactName.EFFECTIVE_DATE,),
    "Expiration Date": (FactName.EXPIRATION_DATE, FactName.TERM),
    "Renewal Term": (FactName.RENEWAL,),
    "Notice Period to Terminate Renewal": (FactName.NOTICE_PERIOD,),
    "Governing Law": (FactName.GOVERNING_LAW,),
    "Cap on Liability": (FactName.LIABILITY_CAP,),
}
"""The facts that answer a question about a category outright."""


class Desk:
    """Searches, reads, compares and computes.

    concepts  which category of clause a question means
    """

    def __init__(self, shelf: Shelf, clock: Clock, concepts: ContractConcepts | None = None) -> None:
        self._shelf = shelf
        self._clock = clock
        self._concepts = concepts or ContractConcepts()

    async def contracts(self, principal: Principal) -> tuple[Shelved, ...]:
        """Those that the principal may read, newest first."""
        return await self._shelf.list_all(principal)

    async def open(self, principal: Principal, contract: str) -> Opened:
        """The contract that an id or a name means; ToolError when it is none or several."""
        return await self._shelf.open(principal, await self._find(principal, contract))

    async def topic_of(self, principal: Principal, question: str) -> str | None:
        """The category of clauses that a text names or surely describes."""
        named = {name.casefold(): name for name in (*CATEGORY_NAMES, *FACTS_OF)}
        if question.strip().casefold() in named:
            return named[question.strip().casefold()]
        concepts = await self._concepts.named_in(principal.tenant, question)
        return concepts[0].label if concepts and concepts[0].strength >= _SURELY else None

    async def search(self, principal: Principal, question: str, contract: str | None, *, limit: int) -> Found:
        """Clauses that answer a question, and facts that answer it outright."""
        within = (await self._find(principal, contract),) if contract else ()
        answer = await self._shelf.search(principal, question, within, limit=limit)
        topic = await self.topic_of(principal, question)
        clauses = _cited(answer)
        names = FACTS_OF.get(topic or "", ())
        facts: list[Stated] = []
        if names:
            chosen = dict.fromkeys(each.contract for each in clauses)
            for each in list(chosen)[:_OPENED_FOR_FACTS]:
                facts += _stated(await self.open(principal, each), names)
        missing = (
            not facts and topic is not None and bool(within) and await self._is_missing(principal, within[0], topic)
        )
        return Found(question, answer.searched.documents, topic, clauses, tuple(facts), missing)

    async def read(self, principal: Principal, contract: str, clause: str) -> Cited:
        """The whole clause with that number, heading or place; ToolError when there is none."""
        return find_clause(clause, await self.open(principal, contract))

    async def compare(self, principal: Principal, contracts: Sequence[str], topic: str) -> Comparison:
        """What each contract says on a topic: by the classifier's labels where it is a category, else by search."""
        shelf = await self.contracts(principal)
        chosen = [find_contract(each, shelf) for each in contracts] or list(shelf[:MOST_COMPARED])
        if len(chosen) > MOST_COMPARED:
            raise ToolError(f"{len(chosen)} contracts were named; at most {MOST_COMPARED} are compared at once.")
        category = await self.topic_of(principal, topic)
        rows = [await self._row(principal, each, category, topic) for each in dict.fromkeys(chosen)]
        return Comparison(category or topic, "labels" if category else "search", tuple(rows))

    async def compute(self, principal: Principal, contract: str, rule: DateRule) -> Computed:
        """A date that follows from the contract, with its arithmetic."""
        return compute(await self.open(principal, contract), rule, today=self.today())

    def today(self) -> date:
        """By the platform's clock."""
        return self._clock().date()

    async def _is_missing(self, principal: Principal, contract: ContractId, topic: str) -> bool:
        """Whether no clause of the contract may be on the topic; of topics that are no clauses nothing is known."""
        if topic not in CATEGORY_NAMES:
            return False
        return not _labelled(await self._shelf.open(principal, contract), topic, at_least=POSSIBLE)

    async def _find(self, principal: Principal, contract: str) -> ContractId:
        """By id, which is looked up when the contract is opened or searched, or by name."""
        with suppress(NotFound):
            return ContractId(read_id("ctr", contract.strip()))
        return find_contract(contract, await self.contracts(principal)).id

    async def _row(self, principal: Principal, contract: Shelved, category: str | None, topic: str) -> Row:
        if category is None:
            answer = await self._shelf.search(principal, topic, (contract.id,), limit=_CLAUSES_A_ROW)
            return Row(contract.public_id, contract.shown, _cited(answer), ())
        opened = await self._shelf.open(principal, contract.id)
        facts = _stated(opened, FACTS_OF.get(category, ()))
        clauses = [_quote(opened, each) for each in _labelled(opened, category)[:_CLAUSES_A_ROW]]
        return Row(contract.public_id, contract.shown, tuple(clauses), tuple(facts))


def _labelled(opened: Opened, category: str, *, at_least: float = _SURELY) -> list[ClassifiedChunk]:
    """Clauses of a category, surest first."""
    wanted = category.casefold()
    scored = [
        (label.probability, each)
        for each in opened.chunks
        for label in each.labels
        if label.category.casefold() == wanted and label.probability >= at_least
    ]
    return [each for _, each in sorted(scored, key=lambda pair: -pair[0])]


def _quote(opened: Opened, each: ClassifiedChunk) -> Cited:
    end = min(each.chunk.end, each.chunk.start + _MOST_QUOTED)
    return make_cited(opened, cite(opened.document, each.chunk.start, end, each.chunk.index))


def _stated(opened: Opened, names: Sequence[FactName]) -> list[Stated]:
    return [
        Stated(
            opened.contract.public_id,
            opened.contract.shown,
            fact.name.value,
            fact.value,
            tuple(make_cited(opened, citation) for citation in fact.citations),
        )
        for fact in opened.facts
        if fact.name in names
    ]


def _cited(found: Passages) -> tuple[Cited, ...]:
    """The passages of a search, in its order."""
    cited: list[Cited] = []
    for passage in found.passages:
        contract, place = Shelved(ContractId(passage.document_id), passage.document), passage.citation
        cited.append(
            Cited(
                contract=contract.public_id,
                name=contract.shown,
                start=place.start,
                end=place.end,
                quote=place.quote,
                page=place.page,
                clause=passage.number,
                heading=" > ".join(passage.heading_path) or None,
                open=opening(contract.public_id, place.start, place.end),
            )
        )
    return tuple(cited)
