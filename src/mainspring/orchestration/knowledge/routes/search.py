"""HTTP: ask a tenant's documents."""

from fastapi import APIRouter

from mainspring.foundation.http import CurrentPrincipal
from mainspring.orchestration.knowledge.schemas.search import AnswerShape, QuestionAsked, read_question, show_answer
from mainspring.orchestration.knowledge.services import KnowledgeServices

from .access import VIEW, reader_of


def add_search(router: APIRouter, knowledge: KnowledgeServices) -> None:
    """The route /v1/knowledge/search."""

    @router.post("/search")
    async def search_knowledge(principal: CurrentPrincipal, body: QuestionAsked) -> AnswerShape:
        """Passages that answer a question, best first, from documents that are open to the caller.

        By meaning, words, exact terms and labels, fused; with `explain` every passage says why it was found.
        No passage and a `reason` is an answer too. Needs `knowledge.view`. Errors: `invalid_input` (422) for a
        question without words; `not_found` (404) for an index or a document id that is none.
        """
        principal.require(VIEW)
        return show_answer(await knowledge.search.search(reader_of(principal), read_question(body)))
