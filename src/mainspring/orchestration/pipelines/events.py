"""Facts that runs announce: `RunFinished` to other rooms through the outbox, `FindingAdded` to who watches."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID


@dataclass(frozen=True, slots=True)
class RunFinished:
    """A run has ended; written to the outbox in the transaction that ended it."""

    TOPIC: ClassVar[str] = "run.finished"

    run: UUID
    pipeline: str
    version: int
    status: str
    subject: str | None


@dataclass(frozen=True, slots=True)
class FindingAdded:
    """A step found something worth showing at once.

    key   unique in the run, such as the finding's id: a repeated announcement is ignored
    """

    key: str
    severity: str
    title: str
    text: str
