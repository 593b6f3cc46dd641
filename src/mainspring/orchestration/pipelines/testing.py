"""Public fakes: run a step function without an engine and see what it told.

run = RecordedStepRun(step="parse")
output = await parse(Upload(...), run)
assert run.said == ["Read 12 pages"]
"""

from dataclasses import dataclass, field

from mainspring.foundation.ids import TenantId, new_id

from .errors import CostCeilingReached
from .types import FindingAdded, RunId


@dataclass(slots=True)
class RecordedStepRun:
    """A `StepRun` that keeps everything it is told, in order."""

    step: str = "step"
    tenant: TenantId = field(default_factory=lambda: TenantId(new_id()))
    run_id: RunId = field(default_factory=lambda: RunId(new_id()))
    attempt: int = 1
    is_cancelled: bool = False
    item: int | None = None
    initiator: frozenset[str] = frozenset()
    cost_ceiling_micros: int | None = None
    spent_micros: int = 0
    said: list[str] = field(default_factory=list[str])
    progressed: list[tuple[int, int, str]] = field(default_factory=list[tuple[int, int, str]])
    messages: dict[str, str] = field(default_factory=dict[str, str])
    emitted: list[tuple[str, object]] = field(default_factory=list[tuple[str, object]])
    announced: dict[str, FindingAdded] = field(default_factory=dict[str, FindingAdded])

    @property
    def idempotency_key(self) -> str:
        """As the engine makes it: from run and step, not from the attempt."""
        return f"{self.run_id}/{self.step}" if self.item is None else f"{self.run_id}/{self.step}/{self.item:05}"

    @property
    def origin(self) -> RunId:
        """The run itself."""
        return self.run_id

    @property
    def cost_left(self) -> int | None:
        """What `cost_ceiling_micros` leaves."""
        return None if self.cost_ceiling_micros is None else self.cost_ceiling_micros - self.spent_micros

    async def progress(self, done: int, total: int, text: str) -> None:
        """Keep it in `progressed`."""
        self.progressed.append((done, total, text))

    async def say(self, text: str) -> None:
        """Keep it in `said`."""
        self.said.append(text)

    async def delta(self, message: str, text: str) -> None:
        """Append it to `messages`."""
        self.messages[message] = self.messages.get(message, "") + text

    async def emit(self, name: str, data: object) -> None:
        """Keep it in `emitted`."""
        self.emitted.append((name, data))

    async def spend(self, micros: int) -> None:
        """Add it to `spent_micros`; CostCeilingReached past the ceiling."""
        self.spent_micros += micros
        if (left := self.cost_left) is not None and left < 0:
            raise CostCeilingReached(f"The run spent {self.spent_micros} micros, {-left} more than its ceiling.")

    async def announce(self, *findings: FindingAdded) -> None:
        """Keep each in `announced`, the first of a key winning."""
        for finding in findings:
            self.announced.setdefault(finding.key, finding)
