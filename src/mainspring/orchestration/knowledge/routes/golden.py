"""HTTP: questions with known answers, and what the daily watch found."""

from fastapi import APIRouter

from mainspring.foundation.http import CurrentPrincipal
from mainspring.foundation.ids import read_id
from mainspring.orchestration.knowledge.schemas.golden import (
    AlertShape,
    ChecksShape,
    GoldenAsked,
    GoldenList,
    GoldenShape,
    read_golden,
    show_alert,
    show_check,
    show_golden,
)
from mainspring.orchestration.knowledge.services import KnowledgeServices
from mainspring.orchestration.knowledge.watching import Watch

from .access import MANAGE, VIEW


def add_golden(router: APIRouter, knowledge: KnowledgeServices) -> None:
    """Every route of /v1/knowledge/golden-questions and /v1/knowledge/checks."""
    _add_questions(router, knowledge.watch)
    _add_checks(router, knowledge.watch)


def _add_questions(router: APIRouter, watch: Watch) -> None:
    @router.get("/golden-questions")
    async def list_golden_questions(principal: CurrentPrincipal) -> GoldenList:
        """Every question with a known answer, at most 200, with where its answer stood the last time.

        Needs `knowledge.manage`: a question may tell what is in a document that is closed to others.
        """
        principal.require(MANAGE)
        return GoldenList(items=[show_golden(each) for each in await watch.golden.list_all(principal)])

    @router.post("/golden-questions", status_code=201)
    async def add_golden_question(principal: CurrentPrincipal, body: GoldenAsked) -> GoldenShape:
        """Add a question; from the next round on it is asked every day. Needs `knowledge.manage`.

        Errors: `not_found` (404) for the document, `invalid_input` (422) for a place that it has not,
        `conflict` (409) when there are 200 already.
        """
        principal.require(MANAGE)
        return show_golden(await watch.golden.add(principal, read_golden(body)))

    @router.put("/golden-questions/{question}")
    async def replace_golden_question(principal: CurrentPrincipal, question: str, body: GoldenAsked) -> GoldenShape:
        """Put another question or another answer in its place. Needs `knowledge.manage`. Errors: as for adding."""
        principal.require(MANAGE)
        return show_golden(await watch.golden.replace(principal, read_id("gold", question), read_golden(body)))

    @router.delete("/golden-questions/{question}", status_code=204)
    async def delete_golden_question(principal: CurrentPrincipal, question: str) -> None:
        """Delete a question. Needs `knowledge.manage`."""
        principal.require(MANAGE)
        await watch.golden.delete(principal, read_id("gold", question))


def _add_checks(router: APIRouter, watch: Watch) -> None:
    @router.get("/checks")
    async def list_knowledge_checks(principal: CurrentPrincipal) -> ChecksShape:
        """What is watched each day, what it was, and alerts of what moved. Needs `knowledge.view`.

        `canary`: whether the embedding model is still the one it was; `vectors`: lengths and neighbours of what is
        searched; `vocabulary`: how new the words are that came in; `golden`: how well the golden questions are
        answered. Figures only, and no word of a document.
        """
        principal.require(VIEW)
        alerts = await watch.records.list_alerts(principal.tenant)
        checks = await watch.records.list_checks(principal.tenant)
        return ChecksShape(alerts=[show_alert(each) for each in alerts], checks=[show_check(each) for each in checks])

    @router.post("/alerts/{alert}:acknowledge")
    async def acknowledge_knowledge_alert(principal: CurrentPrincipal, alert: str) -> AlertShape:
        """Say that it was seen: how things are now is what later days are held against. Needs `knowledge.manage`."""
        principal.require(MANAGE)
        return show_alert(await watch.records.acknowledge(principal, read_id("alert", alert)))
