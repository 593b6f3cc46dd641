"""What contract intelligence announces."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID


@dataclass(frozen=True, slots=True)
class ContractDeleted:
    """A contract is gone with its runs; whoever keeps words of these runs lets them go.

    The payload on the outbox has the fields `runs` and `document`, UUIDs as text.
    """

    TOPIC: ClassVar[str] = "contract.deleted"

    runs: Sequence[UUID]
    document: UUID

    def payload(self) -> dict[str, object]:
        """As the outbox has it."""
        return {"runs": [str(run) for run in self.runs], "document": str(self.document)}
