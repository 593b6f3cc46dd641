"""Drafts of amendments: stored once for each approved call, read by whoever may read the contract."""

from dataclasses import dataclass
from uuid import UUID

from mainspring.foundation.clock import Clock
from mainspring.foundation.db import Database
from mainspring.foundation.errors import NotFound
from mainspring.foundation.ids import new_id, read_id, show_id
from mainspring.foundation.pagination import Page, PageRequest
from mainspring.foundation.principal import Principal
from mainspring.orchestration.tools import ToolError
from mainspring.showcase.contracts.rendering.visible import visible
from mainspring.showcase.contracts.service import ANALYZE, VIEW, Contracts
from mainspring.showcase.contracts.types import Contract, ContractId

from . import store
from .amending import AMENDMENT_PREFIX, MOST_CHARACTERS, Amendment, AmendmentId, Wish
from .desk import Desk


@dataclass(frozen=True, slots=True)
class Amendments:
    """The use cases of amendments."""

    database: Database
    contracts: Contracts
    desk: Desk
    clock: Clock

    async def draft(self, principal: Principal, wish: Wish, *, key: str, run: UUID | None) -> Amendment:
        """Store the draft; the same key again answers the draft that is there.

        raises   ToolError when the clause does not read as it was shown, or nothing would change
        """
        principal.require(VIEW)
        principal.require(ANALYZE)
        new_text = visible(wish.new_text).strip()
        cited = await self.desk.read(principal, wish.contract, wish.clause)
        _check(wish, cited.quote, new_text)
        amendment = Amendment(
            id=AmendmentId(new_id()),
            contract=ContractId(read_id("ctr", cited.contract)),
            clause=cited.clause,
            page=cited.page,
            start=cited.start,
            end=cited.end,
            old_text=cited.quote,
            new_text=new_text,
            why=wish.why.strip(),
            drafted_by=principal.name,
            run=run,
            created_at=self.clock(),
        )
        async with self.database.tenant(principal.tenant) as transaction:
            return await store.add_amendment(transaction, amendment, key=key)

    async def get(self, principal: Principal, amendment: AmendmentId) -> tuple[Amendment, Contract]:
        """One draft with its contract; NotFound for another tenant's, and of a contract that is closed."""
        principal.require(VIEW)
        async with self.database.tenant(principal.tenant) as transaction:
            found = await store.find_amendment(transaction, amendment)
        if found is None:
            raise _no_amendment(amendment)
        try:
            return found, await self.contracts.get(principal, found.contract)
        except NotFound as closed:
            raise _no_amendment(amendment) from closed

    async def list_page(self, principal: Principal, contract: ContractId, request: PageRequest) -> Page[Amendment]:
        """Those of a contract, newest first; NotFound for a contract that the principal may not read."""
        await self.contracts.get(principal, contract)
        async with self.database.tenant(principal.tenant) as transaction:
            return await store.list_amendments(transaction, contract, request)


def _check(wish: Wish, stands: str, new_text: str) -> None:
    if wish.old_text.split() != stands.split():
        raise ToolError(
            f"Clause {wish.clause} does not read as it was shown, so nothing was drafted. Read it again by read_clause "
            "and ask for the amendment with its present wording."
        )
    if not 1 <= len(new_text) <= MOST_CHARACTERS:
        raise ToolError(f"The new wording has {len(new_text):,} characters; give it 1 to {MOST_CHARACTERS:,}.")
    if new_text.split() == stands.split():
        raise ToolError("The new wording is the old one; nothing was drafted.")


def _no_amendment(amendment: AmendmentId) -> NotFound:
    return NotFound(f"There is no amendment {show_id(AMENDMENT_PREFIX, amendment)}.")
