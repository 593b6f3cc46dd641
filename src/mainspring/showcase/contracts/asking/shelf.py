"""Where contracts are taken from: every one of them through the principal's own rights.

`ContractShelf` is the product's. Whoever may not read a contract does not find it here either: it is not listed, not
searched, not opened.
"""

import asyncio
from typing import Protocol

from mainspring.foundation.pagination import PageRequest, page_request
from mainspring.foundation.principal import Principal
from mainspring.orchestration.knowledge import Answer as Passages
from mainspring.orchestration.knowledge import (
    Chunk,
    Filters,
    ParsedDocument,
    Question,
    Reader,
    Search,
    chunk_by_clause,
)
from mainspring.showcase.contracts.classifier import ClauseClassifier
from mainspring.showcase.contracts.errors import RunNotFinished
from mainspring.showcase.contracts.extraction import extract_facts
from mainspring.showcase.contracts.service import SOURCE, Contracts
from mainspring.showcase.contracts.types import Analysis, Contract, ContractId

from .types import Opened, Shelved

MOST_LISTED = 1_000
"""So many of the newest contracts are known by name; older ones are found by search and by id."""

_PAGE = 200


class Shelf(Protocol):
    """Contracts as a principal may read them."""

    async def list_all(self, principal: Principal) -> tuple[Shelved, ...]:
        """Newest first."""
        ...

    async def open(self, principal: Principal, contract: ContractId) -> Opened:
        """One contract; NotFound for what the principal may not read."""
        ...

    async def search(
        self, principal: Principal, question: str, within: tuple[ContractId, ...], *, limit: int
    ) -> Passages:
        """The best clauses, of all contracts or of those `within`."""
        ...


class ContractShelf:
    """The contracts of a tenant, over their service and the search of knowledge."""

    def __init__(self, contracts: Contracts, search: Search) -> None:
        self._contracts = contracts
        self._search = search

    async def list_all(self, principal: Principal) -> tuple[Shelved, ...]:
        """Newest first, up to `MOST_LISTED`."""
        found: list[Shelved] = []
        after: PageRequest | None = PageRequest(_PAGE)
        while after is not None and len(found) < MOST_LISTED:
            page = await self._contracts.list_page(principal, after)
            found += [_shelved(each) for each in page.items]
            after = _after(page.next_cursor)
        return tuple(found)

    async def open(self, principal: Principal, contract: ContractId) -> Opened:
        """With the labels and facts of its newest report; of a contract without one they are read now."""
        try:
            report = await self._contracts.read_report(principal, contract)
        except RunNotFinished:
            return await self._open_unread(principal, contract)
        return Opened(_shelved(report.contract), report.document, report.chunks, report.body.facts)

    async def _open_unread(self, principal: Principal, contract: ContractId) -> Opened:
        found = await self._contracts.get(principal, contract)
        document, chunks = await self._contracts.read_text(principal, contract)
        return await asyncio.to_thread(_read, _shelved(found), document, tuple(each.chunk for each in chunks))

    async def search(
        self, principal: Principal, question: str, within: tuple[ContractId, ...], *, limit: int
    ) -> Passages:
        """Through the tenant's own search; a contract and its document share their id."""
        principal.require("ai.output.view")
        filters = Filters(sources=(SOURCE,), document_ids=tuple(within))
        asked = Question(question, filters=filters, limit=limit, max_tokens=20_000, neighbours=0)
        return await self._search.search(Reader(principal.tenant, principal.subjects), asked)


def _read(contract: Shelved, document: ParsedDocument, chunks: tuple[Chunk, ...]) -> Opened:
    """What an analysis would find, without a model; of a contract that is not indexed yet the clauses are cut here."""
    clauses = ClauseClassifier.load().classify(chunks or chunk_by_clause(document))
    return Opened(contract, document, clauses, extract_facts(Analysis(document, clauses)))


def _shelved(contract: Contract) -> Shelved:
    return Shelved(contract.id, contract.name, contract.title)


def _after(cursor: str | None) -> PageRequest | None:
    return page_request(_PAGE, cursor) if cursor else None
