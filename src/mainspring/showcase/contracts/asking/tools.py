"""The five tools of `contracts_ask`: what a model may do with a tenant's contracts, and nothing else.

All that they return is strangers' text and marked as such. Reading needs the right to see outputs and stays within
what the caller may open. Drafting an amendment waits for a person: the agent reads the clause in the same thread
first, and after untrusted content the toolbox lets nothing be written without one.
"""

from typing import Annotated

from mainspring.foundation.ids import show_id
from mainspring.orchestration.tools import Effects, Empty, Tool, ToolContext, ToolError, tool
from mainspring.showcase.contracts.service import ANALYZE, VIEW

from .amending import AMENDMENT_PREFIX, Amendment, Wish
from .amendments import Amendments
from .desk import Desk
from .redline import compare, to_marks
from .types import AGENT, Cited, Comparison, Computed, DateRule, Drafted, Found

SEARCH, READ, COMPARE, COMPUTE, DRAFT = (
    "search_contracts",
    "read_clause",
    "compare_contracts",
    "compute_date",
    "draft_amendment",
)
_MOST_FOUND = 12

Named = Annotated[str, "the contract's id (ctr_...) or its name"]


def build_tools(desk: Desk, amendments: Amendments) -> tuple[Tool, ...]:
    """All five, over one desk."""
    return (*reading_tools(desk), _draft(amendments))


def reading_tools(desk: Desk) -> tuple[Tool, ...]:
    """Those that change nothing."""
    return (_search(desk), _read(desk), _compare(desk), _compute(desk))


def _search(desk: Desk) -> Tool:
    @tool(name=SEARCH, effects=Effects.READS, untrusted_output=True, permission=VIEW, title="Search contracts")
    async def search_contracts(
        context: ToolContext,
        question: Annotated[str, "what to look for, in words or as a question"],
        contract: Annotated[str | None, "only in this one: its id (ctr_...) or its name"] = None,
        limit: Annotated[int, "clauses at most, up to 12"] = 6,
    ) -> Found | Empty:
        """Find clauses that answer a question, in all contracts or in one, each with its place."""
        found = await desk.search(context.principal, question, contract, limit=max(1, min(limit, _MOST_FOUND)))
        if not found.clauses and not found.facts:
            return Empty(f"Nothing relevant in {found.searched} contract{'' if found.searched == 1 else 's'}.")
        return found

    return search_contracts


def _read(desk: Desk) -> Tool:
    @tool(name=READ, effects=Effects.READS, untrusted_output=True, permission=VIEW, title="Read a clause")
    async def read_clause(
        context: ToolContext,
        contract: Named,
        clause: Annotated[str, "the clause's number (14.2), its heading, or a place in the text (1200-1800)"],
    ) -> Cited:
        """Read a whole clause, letter for letter."""
        return await desk.read(context.principal, contract, clause)

    return read_clause


def _compare(desk: Desk) -> Tool:
    @tool(name=COMPARE, effects=Effects.READS, untrusted_output=True, permission=VIEW, title="Compare contracts")
    async def compare_contracts(
        context: ToolContext,
        contracts: Annotated[list[str], "ids or names; empty for the newest eight"],
        topic: Annotated[str, "a kind of clause, such as Cap on Liability or Governing Law, or any other words"],
    ) -> Comparison | Empty:
        """Put what several contracts say on one topic side by side."""
        comparison = await desk.compare(context.principal, contracts, topic)
        return comparison if comparison.rows else Empty("There are no contracts that you may read.")

    return compare_contracts


def _compute(desk: Desk) -> Tool:
    @tool(name=COMPUTE, effects=Effects.READS, untrusted_output=True, permission=VIEW, title="Compute a date")
    async def compute_date(
        context: ToolContext,
        contract: Named,
        rule: Annotated[
            DateRule, "`start`, `end` of the term, or `notice_deadline`: the last day to give notice before renewal"
        ],
    ) -> Computed:
        """Compute a date from what the contract says; the lines hold the arithmetic and its sources."""
        return await desk.compute(context.principal, contract, rule)

    return compute_date


def _draft(amendments: Amendments) -> Tool:
    @tool(
        name=DRAFT,
        effects=Effects.WRITES,
        always_asks=True,
        untrusted_output=True,
        permission=ANALYZE,
        title="Draft an amendment",
    )
    async def draft_amendment(  # noqa: PLR0913 - what a person is shown, word by word
        context: ToolContext,
        contract: Named,
        clause: Annotated[str, "the clause's number, heading or place"],
        new_text: Annotated[str, "the whole clause as it shall read"],
        why: Annotated[str, "the reason, for whoever approves it"],
        old_text: Annotated[str, "the whole clause as it reads now; filled in for you"] = "",
        redline: Annotated[str, "both wordings in one, for whoever approves it; filled in for you"] = "",
    ) -> Drafted:
        """Draft a change of a clause, only where the user asked for one. A person has to approve it first."""
        if context.agent != AGENT:
            raise ToolError(
                f"Amendments are drafted through the agent {AGENT}, which shows the present wording and the redline to "
                f"whoever approves them. Ask it: it is an assistant under /v1/agents."
            )
        del redline  # it was for the person; what is stored is compared anew
        wish = Wish(contract, clause, old_text, new_text, why)
        drafted = await amendments.draft(context.principal, wish, key=context.idempotency_key, run=context.run)
        _, stored = await amendments.get(context.principal, drafted.id)
        return show_draft(drafted, stored.name)

    return draft_amendment


def show_draft(amendment: Amendment, name: str) -> Drafted:
    """A draft as a tool tells it."""
    identifier = show_id(AMENDMENT_PREFIX, amendment.id)
    return Drafted(
        amendment=identifier,
        contract=show_id("ctr", amendment.contract),
        name=name,
        clause=amendment.clause or f"{amendment.start}-{amendment.end}",
        redline=to_marks(compare(amendment.old_text, amendment.new_text)),
        download=f"/v1/amendments/{identifier}/file",
    )
