"""Questions asked, and whether what was labelled came back.

A labelled place is found when one of the first passages' hits shares with it at least half of the shorter of both.

    recall@k  share of the labelled places that are found, averaged over questions
    recall@2k tokens   the same for as many hits as fit into 2,000 tokens, which does not favour longer chunks
    hit@10    share of questions with at least one place found
    MRR       mean of 1 / rank of the first hit that finds one
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from mainspring.orchestration.knowledge.retrieval import Answer, Filters, Mode, Passage, Question, Search
from mainspring.orchestration.knowledge.types import Reader

from .contracts import Category, Contract, Mark
from .corpus import Corpus

_LIMIT, _TOKENS = 30, 2_000


@dataclass(frozen=True, slots=True)
class Way:
    """One way of searching."""

    name: str
    search: Search
    mode: Mode


@dataclass(frozen=True, slots=True)
class Case:
    """A question with the places that answer it, of one contract or of all."""

    question: str
    category: str
    places: tuple[tuple[UUID, Mark], ...]
    documents: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """Averages over cases; see the module."""

    cases: int
    recall_5: float
    recall_10: float
    recall_tokens: float
    hit_10: float
    mrr: float
    refused: float
    milliseconds: float


def cases_within(
    contracts: Sequence[Contract], categories: Sequence[Category], corpus: Corpus, form: str
) -> list[Case]:
    """Each question asked of each contract in which lawyers found an answer."""
    cases: list[Case] = []
    for contract in contracts:
        document = corpus.documents[contract.name]
        for category in categories:
            places = tuple((document, mark) for mark in contract.marks if mark.category == category.name)
            if places:
                cases.append(Case(category.question(form), category.name, places, (document,)))
    return cases


def cases_across(
    contracts: Sequence[Contract], categories: Sequence[Category], corpus: Corpus, form: str
) -> list[Case]:
    """Each question asked of all contracts at once."""
    documents = tuple(corpus.documents[contract.name] for contract in contracts)
    cases: list[Case] = []
    for category in categories:
        places = tuple(
            (corpus.documents[contract.name], mark)
            for contract in contracts
            for mark in contract.marks
            if mark.category == category.name
        )
        if places:
            cases.append(Case(category.question(form), category.name, places, documents))
    return cases


async def ask_all(way: Way, corpus: Corpus, cases: Sequence[Case]) -> list[tuple[Case, Answer]]:
    """Each case with its answer."""
    return [(case, await ask(way, corpus, case.question, case.documents)) for case in cases]


def judge(pairs: Sequence[tuple[Case, Answer]]) -> Figures:
    """What the answers are worth."""
    answers = [answer for _, answer in pairs]
    return Figures(
        cases=len(pairs),
        recall_5=_mean([_recall(case, answer.passages[:5]) for case, answer in pairs]),
        recall_10=_mean([_recall(case, answer.passages[:10]) for case, answer in pairs]),
        recall_tokens=_mean([_recall(case, _within_tokens(answer.passages)) for case, answer in pairs]),
        hit_10=_mean([_recall(case, answer.passages[:10]) > 0 for case, answer in pairs]),
        mrr=_mean([_reciprocal_rank(case, answer.passages) for case, answer in pairs]),
        refused=_mean([not answer.passages for answer in answers]),
        milliseconds=_mean([answer.searched.timings["total"] for answer in answers]),
    )


async def ask(way: Way, corpus: Corpus, question: str, documents: tuple[UUID, ...]) -> Answer:
    """One search, without neighbours, so that each passage is one chunk."""
    asked = Question(
        question,
        mode=way.mode,
        filters=Filters(document_ids=documents),
        limit=_LIMIT,
        max_tokens=100_000,
        neighbours=0,
    )
    return await way.search.search(Reader(corpus.tenant, frozenset()), asked)


def _within_tokens(passages: Sequence[Passage]) -> Sequence[Passage]:
    left, kept = _TOKENS, 0
    for passage in passages:
        left -= passage.tokens
        if left < 0:
            break
        kept += 1
    return passages[:kept]


def _recall(case: Case, passages: Sequence[Passage]) -> float:
    return _mean([any(_finds(passage, place) for passage in passages) for place in case.places])


def _reciprocal_rank(case: Case, passages: Sequence[Passage]) -> float:
    for rank, passage in enumerate(passages[:10], 1):
        if any(_finds(passage, place) for place in case.places):
            return 1 / rank
    return 0.0


def _finds(passage: Passage, place: tuple[UUID, Mark]) -> bool:
    document, mark = place
    hit = passage.hit
    shared = min(hit.end, mark.end) - max(hit.start, mark.start)
    return passage.document_id == document and 2 * shared >= min(hit.end - hit.start, mark.end - mark.start)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
