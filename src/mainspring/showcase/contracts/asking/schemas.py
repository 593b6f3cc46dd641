"""Wire shapes of amendments."""

from datetime import datetime

from pydantic import BaseModel

from mainspring.foundation.ids import show_id
from mainspring.foundation.pagination import Page

from .amending import AMENDMENT_PREFIX, Amendment
from .redline import Change, compare


class RedlinePiece(BaseModel):
    """Words that stay, go or come."""

    change: Change
    text: str


class AmendmentShape(BaseModel):
    """A drafted amendment; `old_text` stood at [start, end) of the contract's text."""

    id: str
    contract: str
    clause: str | None
    page: int | None
    start: int
    end: int
    old_text: str
    new_text: str
    why: str
    drafted_by: str
    run: str | None
    created_at: datetime
    redline: list[RedlinePiece]


class AmendmentPage(BaseModel):
    """Amendments of a contract, newest first."""

    items: list[AmendmentShape]
    next_cursor: str | None = None


def show_amendment(amendment: Amendment) -> AmendmentShape:
    """One amendment."""
    return AmendmentShape(
        id=show_id(AMENDMENT_PREFIX, amendment.id),
        contract=show_id("ctr", amendment.contract),
        clause=amendment.clause,
        page=amendment.page,
        start=amendment.start,
        end=amendment.end,
        old_text=amendment.old_text,
        new_text=amendment.new_text,
        why=amendment.why,
        drafted_by=amendment.drafted_by,
        run=show_id("run", amendment.run) if amendment.run else None,
        created_at=amendment.created_at,
        redline=[
            RedlinePiece(change=piece.change, text=piece.text)
            for piece in compare(amendment.old_text, amendment.new_text)
        ],
    )


def show_amendments(page: Page[Amendment]) -> AmendmentPage:
    """A page of amendments."""
    return AmendmentPage(items=[show_amendment(each) for each in page.items], next_cursor=page.next_cursor)
