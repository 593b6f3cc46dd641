"""Analyses that were under way when an upgrade changed the steps.

No worker could go on with them: what their steps stored is gone from the schema. They end with a word, where they
would else be said to run for ever; the same upload, or a new analysis, begins anew.
"""

from dataclasses import dataclass
from uuid import UUID

from mainspring.orchestration.pipelines import Abandon, Pipeline, StepRun

from .pipeline import PIPELINE

_AFTER: dict[str, tuple[str, ...]] = {
    "chunk": ("parse",),
    "embed": ("chunk",),
    "classify": ("chunk",),
    "assess": ("classify",),
    "summarize": ("embed", "classify", "assess"),
}
"""Version 1: each step after the first, and what it followed."""


@dataclass(frozen=True, slots=True)
class EarlierUpload:
    """As much of what was submitted as still says something."""

    contract: UUID


@dataclass(frozen=True, slots=True)
class _Nothing:
    """What no step returns any more."""


@dataclass(frozen=True, slots=True)
class _After:
    submitted: EarlierUpload


def build_replaced() -> Pipeline:
    """Version 1 of the analysis, of which every step gives up."""
    replaced = Pipeline(PIPELINE, version=1)

    async def give_up(submitted: EarlierUpload, run: StepRun) -> _Nothing:
        raise Abandon(
            "An upgrade changed the steps of the analysis while it was under way; start it again.",
            code="pipeline_replaced",
        )

    async def give_up_later(given: _After, run: StepRun) -> _Nothing:
        return await give_up(given.submitted, run)

    replaced.step("parse", title="Read the document")(give_up)
    for name, after in _AFTER.items():
        replaced.step(name, title="Go on with the analysis", after=after)(give_up_later)
    return replaced
