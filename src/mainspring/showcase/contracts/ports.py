"""What contract intelligence needs from a model, and from whoever says whether a tenant wants one."""

from typing import Protocol

from mainspring.foundation.ids import TenantId
from mainspring.orchestration.pipelines.types import StepRun

from .types import Analysis, AssessedFinding, ClassifiedChunk, Fact, ModelWords, Summary


class Writer(Protocol):
    """The model way of each step. None means: use the deterministic way, no capable model may be used."""

    async def is_enabled(self, tenant: TenantId) -> bool:
        """Whether the tenant lets generative models read its contracts."""
        ...

    async def classify(self, run: StepRun, drafts: tuple[ClassifiedChunk, ...]) -> tuple[ClassifiedChunk, ...] | None:
        """The clauses with the model's labels."""
        ...

    async def summarize(
        self, run: StepRun, analysis: Analysis, facts: tuple[Fact, ...], findings: tuple[AssessedFinding, ...]
    ) -> Summary | None:
        """A summary by the model, every sentence checked; None also when nothing of it held."""
        ...

    async def speak(self, run: StepRun, analysis: Analysis, summary: Summary) -> ModelWords | None:
        """Stream the small local model's own words as the message `model_text`; never a finding."""
        ...
