"""Facts that this room announces to others through the outbox."""

from dataclasses import dataclass
from typing import ClassVar

from .types import RunId, RunStatus


@dataclass(frozen=True, slots=True)
class RunFinished:
    """A run has ended; written to the outbox in the transaction that ended it.

    The payload on the outbox has these fields, `run` as the UUID's text.
    """

    TOPIC: ClassVar[str] = "run.finished"

    run: RunId
    pipeline: str
    version: int
    status: RunStatus
    subject: str | None
