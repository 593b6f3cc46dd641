"""The words of asking: what is found in contracts, and what an answer is made of.

Everything here has a JSON form: tools return it, and a thread's state keeps it.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from mainspring.foundation.ids import show_id
from mainspring.orchestration.knowledge.types import ParsedDocument
from mainspring.showcase.contracts.types import Citation, ClassifiedChunk, ContractId, Fact

AGENT = "contracts_ask"
"""The agent's name: the graph id of its assistants."""


class Method(StrEnum):
    """How an answer came about: its words were taken from the contracts, or written by a model and checked."""

    EXTRACTIVE = "extractive"
    MODEL = "model"


class DateRule(StrEnum):
    """A date that follows from a contract."""

    START = "start"
    END = "end"
    NOTICE_DEADLINE = "notice_deadline"


@dataclass(frozen=True, slots=True)
class Shelved:
    """A contract as it is listed; `title` is what its own first page calls it."""

    id: ContractId
    name: str
    title: str | None = None

    @property
    def shown(self) -> str:
        """Its file name without the ending: titles are the same for many contracts."""
        stem, dot, ending = self.name.rpartition(".")
        return stem if dot and stem and len(ending) <= 4 else self.name

    @property
    def public_id(self) -> str:
        """`ctr_...`"""
        return show_id("ctr", self.id)


@dataclass(frozen=True, slots=True)
class Opened:
    """A contract with its text, its labelled clauses and the facts read from it."""

    contract: Shelved
    document: ParsedDocument
    chunks: tuple[ClassifiedChunk, ...]
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Cited:
    """A place in a contract. Invariant: `quote` is the contract's text at [start, end), letter for letter.

    contract  public id; `name` as people call it
    clause    number of the clause as a reader sees it; None where it has none
    open      path of the console that shows the place
    """

    contract: str
    name: str
    start: int
    end: int
    quote: str
    page: int | None = None
    clause: str | None = None
    heading: str | None = None
    open: str = ""

    @property
    def where(self) -> str:
        """For people: "clause 14.2 of msa, page 3"."""
        place = f"clause {self.clause} of {self.name}" if self.clause else self.name
        return f"{place}, page {self.page}" if self.page is not None else place


@dataclass(frozen=True, slots=True)
class Stated:
    """A fact that was read from a contract, such as its governing law, with where it stands."""

    contract: str
    name: str
    fact: str
    value: str
    citations: tuple[Cited, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What a search brought: clauses, best first, and facts that answer the question outright.

    topic    the category of clause that the question means; None when it means none surely
    missing  asked of one contract, in which the classifier found no clause of that topic: the clauses come near at best
    """

    question: str
    searched: int
    topic: str | None
    clauses: tuple[Cited, ...]
    facts: tuple[Stated, ...] = ()
    missing: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One contract of a comparison; no clauses and no facts say that it has nothing on the topic."""

    contract: str
    name: str
    clauses: tuple[Cited, ...]
    facts: tuple[Stated, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The same topic in several contracts; `by` is how the clauses were chosen: `labels` or `search`."""

    topic: str
    by: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One step of a computation; those that were read from the contract cite it, those that were computed do not."""

    text: str
    citations: tuple[Cited, ...] = ()


@dataclass(frozen=True, slots=True)
class Computed:
    """A date with its arithmetic.

    on       None when it cannot be computed; the last line says why
    next_on  the same date after the renewals that have passed by today; None where there is none
    """

    contract: str
    name: str
    rule: DateRule
    on: date | None
    lines: tuple[Line, ...]
    next_on: date | None = None


@dataclass(frozen=True, slots=True)
class Drafted:
    """An amendment that was drafted after somebody approved it; `download` is the path of its file."""

    amendment: str
    contract: str
    name: str
    clause: str
    redline: str
    download: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of an answer. Without citations it says something about the search, never about a contract."""

    text: str
    citations: tuple[Cited, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered.

    explained  how it came about, in a sentence for people
    dropped    sentences and quotes of a model that were left out, since they do not stand in the contracts
    reason     `nothing_relevant` when nothing in the contracts answers, `no_such_clause` when the contract asked about
               seems to have none on the topic and only what comes nearest is quoted; None otherwise
    """

    method: Method
    explained: str
    sentences: tuple[Sentence, ...]
    dropped: int = 0
    reason: str | None = None


def make_cited(opened: Opened, citation: Citation) -> Cited:
    """A citation with its contract, clause and page."""
    chunk = _chunk_at(opened.chunks, citation.start)
    return Cited(
        contract=opened.contract.public_id,
        name=opened.contract.shown,
        start=citation.start,
        end=citation.end,
        quote=citation.quote,
        page=citation.page,
        clause=_clause_at(opened.document, citation.start, chunk),
        heading=" > ".join(chunk.chunk.heading_path) or None if chunk else None,
        open=opening(opened.contract.public_id, citation.start, citation.end),
    )


def opening(contract: str, start: int, end: int) -> str:
    """Where the console shows a place."""
    return f"/contracts/{contract}#{start}-{end}"


def _chunk_at(chunks: tuple[ClassifiedChunk, ...], offset: int) -> ClassifiedChunk | None:
    return next((each for each in chunks if each.chunk.start <= offset < each.chunk.end), None)


def _clause_at(document: ParsedDocument, offset: int, chunk: ClassifiedChunk | None) -> str | None:
    """The number that stands last before a place: a chunk may hold several short clauses."""
    since = chunk.chunk.start if chunk else 0
    numbers = [each.number for each in document.blocks if each.number and since <= each.start <= offset]
    return numbers[-1] if numbers else chunk.chunk.number if chunk else None
