"""The words of amendments: a clause's old wording, its new one, and why; immutable once it is drafted."""

from dataclasses import dataclass
from datetime import datetime
from typing import NewType
from uuid import UUID

from mainspring.showcase.contracts.types import ContractId

AmendmentId = NewType("AmendmentId", UUID)

AMENDMENT_PREFIX = "amd"
"""Public ids of amendments read `amd_...`."""

MOST_CHARACTERS = 20_000
"""Of the new wording."""


@dataclass(frozen=True, slots=True)
class Amendment:
    """A draft. Invariant: `old_text` was the contract's text at [start, end) when it was drafted.

    drafted_by  whose agent drafted it; who approved it is in the approvals of the same run
    """

    id: AmendmentId
    contract: ContractId
    clause: str | None
    page: int | None
    start: int
    end: int
    old_text: str
    new_text: str
    why: str
    drafted_by: str
    run: UUID | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants changed. `old_text` is what they were shown; another wording is refused."""

    contract: str
    clause: str
    old_text: str
    new_text: str
    why: str
