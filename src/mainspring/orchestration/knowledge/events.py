"""What knowledge announces through the outbox. Ids and figures; never a word of a document or of a question."""

from dataclasses import asdict, dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class QualityMoved:
    """What is measured each day of a tenant's knowledge is not what it was; told once, when the alert opens.

    alert    `alert_...`
    kind     `canary`, `vectors`, `vocabulary` or `golden`
    subject  a model's name, an index's `idx_...`, or `questions`
    day      ISO 8601
    moved    name, value and expected value of each figure that moved
    """

    TOPIC: ClassVar[str] = "knowledge.quality_moved"

    alert: str
    kind: str
    subject: str
    day: str
    moved: tuple[tuple[str, float, float], ...]

    def payload(self) -> dict[str, object]:
        """The fields of the event."""
        return asdict(self)
