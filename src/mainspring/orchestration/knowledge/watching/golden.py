"""`GoldenQuestions`: questions whose answers the tenant knows, asked as anyone asks.

They are asked through `Search`, as the platform's own reader, so what is measured is what people get: every list,
fused and packed. No language model takes part, whatever the setup says, so that the same index answers the same.
"""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from mainspring.foundation.errors import Conflict, InvalidInput, NotFound, Unavailable
from mainspring.foundation.ids import TenantId, new_id
from mainspring.foundation.principal import Principal
from mainspring.orchestration.knowledge.documents import Documents
from mainspring.orchestration.knowledge.homes import Homes
from mainspring.orchestration.knowledge.ports import GoldenRecall
from mainspring.orchestration.knowledge.retrieval import Passage, Question, Search
from mainspring.orchestration.knowledge.types import Reader

from . import golden_store, store
from .judging import summarize
from .types import GoldenQuestion, NewGoldenQuestion, Ranks

MOST_QUESTIONS = 200
MOST_CHARACTERS = 1_000
MANAGE = "knowledge.manage"

_FIRST = 10
_MOST_TOKENS = 100_000


class GoldenQuestions:
    """A tenant's golden questions, and how well an index answers them. Implements `ports.GoldenRuns`."""

    def __init__(self, homes: Homes, documents: Documents, search: Search) -> None:
        self._homes = homes
        self._documents = documents
        self._search = search

    async def add(self, principal: Principal, new: NewGoldenQuestion) -> GoldenQuestion:
        """Keep a question. Needs `knowledge.manage`.

        raises  NotFound for a document that is not there; InvalidInput; Conflict when there are 200 already
        """
        principal.require(MANAGE)
        revision = await self._check(principal.tenant, new)
        identifier = new_id()
        async with self._homes.writing(principal.tenant) as transaction:
            await golden_store.lock(transaction)
            if await golden_store.count(transaction) >= MOST_QUESTIONS:
                raise Conflict(f"There are {MOST_QUESTIONS} golden questions already; delete one that tells you least.")
            await golden_store.add(transaction, identifier, new, revision=revision, by=principal.name)
        return await self._get(principal.tenant, identifier)

    async def replace(self, principal: Principal, identifier: UUID, new: NewGoldenQuestion) -> GoldenQuestion:
        """Put another question, or another answer, in place of one. Needs `knowledge.manage`; raises as `add`."""
        principal.require(MANAGE)
        await self._get(principal.tenant, identifier)
        revision = await self._check(principal.tenant, new)
        async with self._homes.writing(principal.tenant) as transaction:
            if not await golden_store.replace(transaction, identifier, new, revision=revision):
                raise _gone()
        return await self._get(principal.tenant, identifier)

    async def delete(self, principal: Principal, identifier: UUID) -> None:
        """Delete a question. Needs `knowledge.manage`; NotFound when there is none."""
        principal.require(MANAGE)
        async with self._homes.writing(principal.tenant) as transaction:
            if not await golden_store.delete(transaction, identifier):
                raise _gone()

    async def list_all(self, principal: Principal) -> tuple[GoldenQuestion, ...]:
        """Every question, oldest first. Needs `knowledge.manage`: a question may tell what closed documents hold."""
        principal.require(MANAGE)
        async with self._homes.reading(principal.tenant) as transaction:
            questions = await golden_store.list_all(transaction)
        return await self._ranked(principal.tenant, questions)

    async def measure(self, tenant: TenantId, index: UUID) -> GoldenRecall | None:
        """How well one index version answers them; None without any that can be asked.

        raises  NotFound for an index that is not there; Unavailable when the model of its vectors is away
        """
        ranks = await self.ask_all(tenant, index)
        if not ranks:
            return None
        figures = summarize(ranks)
        return GoldenRecall(len(ranks), figures["recall_5"], figures["recall_10"], figures["mrr"])

    async def ask_all(self, tenant: TenantId, index: UUID) -> Ranks:
        """The rank of each answer in that index; questions whose documents are gone are left out. Raises as above."""
        async with self._homes.reading(tenant) as transaction:
            questions = await golden_store.list_all(transaction)
        return {each.id.hex: await self._ask(tenant, index, each) for each in questions if each.current is not None}

    async def _ask(self, tenant: TenantId, index: UUID, golden: GoldenQuestion) -> int:
        question = Question(
            golden.question,
            limit=_FIRST,
            max_tokens=_MOST_TOKENS,
            neighbours=0,
            rerank=False,
            rewrite=False,
            index=index,
        )
        answer = await self._search.search(Reader(tenant, None), question)
        if answer.notes:  # words alone answer otherwise: that would measure an outage and not the index
            raise Unavailable(f"A golden question could not be asked as searches are: {answer.notes[0]}")
        places = (rank for rank, passage in enumerate(answer.passages, 1) if _answers(passage, golden))
        return next(places, 0)

    async def _check(self, tenant: TenantId, new: NewGoldenQuestion) -> int:
        """The revision of the document that the answer is in."""
        if not new.question.strip() or len(new.question) > MOST_CHARACTERS or "\0" in new.question:
            raise InvalidInput(f"question must have 1 to {MOST_CHARACTERS:,} characters, and no NUL among them.")
        reader = Reader(tenant, None)
        document = await self._documents.get(reader, new.document_id)
        if new.span is not None:
            length = len((await self._documents.get_parsed(reader, new.document_id)).text)
            if not 0 <= new.span.start < new.span.end <= length:
                raise InvalidInput(
                    f"start {new.span.start} and end {new.span.end} are no place in {document.name}, which has "
                    f"{length:,} characters."
                )
        return document.revision

    async def _get(self, tenant: TenantId, identifier: UUID) -> GoldenQuestion:
        async with self._homes.reading(tenant) as transaction:
            found = await golden_store.find(transaction, identifier)
        if found is None:
            raise _gone()
        return (await self._ranked(tenant, [found]))[0]

    async def _ranked(self, tenant: TenantId, questions: Sequence[GoldenQuestion]) -> tuple[GoldenQuestion, ...]:
        async with self._homes.platform(tenant) as transaction:
            ranks = await store.find_last_ranks(transaction)
        return tuple(replace(each, last_rank=ranks.get(each.id.hex)) for each in questions)


def _answers(passage: Passage, golden: GoldenQuestion) -> bool:
    """Whether the passage, or one that says nearly the same and was left out for it, is the answer."""
    if golden.document_id in passage.similar_in:
        return True
    if passage.document_id != golden.document_id:
        return False
    if golden.span is None or golden.current != golden.revision:
        return True
    return passage.span.start < golden.span.end and golden.span.start < passage.span.end


def _gone() -> NotFound:
    return NotFound("There is no such golden question.")
