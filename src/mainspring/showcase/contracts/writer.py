"""The model way: the gateway asked to classify, summarise and speak, and never trusted blindly.

A capable model classifies and summarises when one is configured and the tenant's AI is on; its quotes are
looked up and its sentences checked. When the model fails, the deterministic way answers instead, and the
report says so. Without a capable model the small local one only speaks beside the report.
"""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from mainspring.foundation.errors import MainspringError
from mainspring.foundation.ids import TenantId
from mainspring.foundation.stopping import stop_all
from mainspring.foundation.telemetry import get_logger
from mainspring.inference.gateway import AiSwitch, CallContext, Gateway
from mainspring.inference.messages import InferenceRequest, Sampling, TextDelta, system, user
from mainspring.orchestration.pipelines.types import StepRun

from .categories import CATEGORIES, CATEGORY_NAMES
from .citations import checked_summary
from .summary import MODEL_SUMMARY_SCHEMA, parse_model_summary
from .types import Analysis, AssessedFinding, ClassifiedChunk, Fact, Label, Method, ModelWords, Summary

log = get_logger(__name__)

_CLAUSES_A_CALL = 12
_CALLS_AT_ONCE = 4
_SUMMARY_CHARACTERS = 60_000
_SPOKEN_TOKENS = 64
_FEATURE = "contracts"


@dataclass(frozen=True, slots=True)
class _SortedClause:
    clause: int
    categories: list[str]


@dataclass(frozen=True, slots=True)
class _Sorted:
    clauses: list[_SortedClause]


@dataclass(frozen=True, slots=True)
class _Written:
    sentences: list[dict[str, Any]]


class ModelWriter:
    """Implements `ports.Writer` on the gateway."""

    def __init__(self, gateway: Gateway, ai_switch: AiSwitch) -> None:
        self._gateway = gateway
        self._ai_switch = ai_switch

    async def is_enabled(self, tenant: TenantId) -> bool:
        """Whether the tenant's AI is on."""
        return await self._ai_switch.is_enabled(tenant)

    async def classify(self, run: StepRun, drafts: tuple[ClassifiedChunk, ...]) -> tuple[ClassifiedChunk, ...] | None:
        """Labels by the capable model, a few clauses a call; None when there is none or it failed."""
        model = await self._capable(run.tenant)
        if model is None:
            return None
        turns = asyncio.Semaphore(_CALLS_AT_ONCE)
        batches = [drafts[start : start + _CLAUSES_A_CALL] for start in range(0, len(drafts), _CLAUSES_A_CALL)]

        async def sort(batch: Sequence[ClassifiedChunk]) -> list[ClassifiedChunk]:
            async with turns:
                return await self._sort(run, model, batch)

        tasks = [asyncio.create_task(sort(batch)) for batch in batches]
        try:
            done = await asyncio.gather(*tasks)
        except MainspringError as failure:
            await stop_all(tasks)  # calls that nobody waits for any more are not made, and not paid
            await _fall_back(run, "classifier", failure)
            return None
        return tuple(each for batch in done for each in batch)

    async def summarize(
        self, run: StepRun, analysis: Analysis, facts: tuple[Fact, ...], findings: tuple[AssessedFinding, ...]
    ) -> Summary | None:
        """The capable model's summary as far as its quotes stand in the contract; None when nothing held."""
        model = await self._capable(run.tenant)
        if model is None:
            return None
        shown = "\n".join(f"- {finding.severity}: {finding.title}" for finding in findings[:12]) or "- none"
        prompt = _prompt("summarize").format(findings=shown)
        request = InferenceRequest(
            (system(prompt), user(_clauses(analysis.chunks, _SUMMARY_CHARACTERS))),
            model=model,
            sampling=Sampling(temperature=0.0),
            max_tokens=2000,
        )
        try:
            written = await self._gateway.complete_as(
                _Written, request, context=_context(run, prompt="summarize"), schema=MODEL_SUMMARY_SCHEMA
            )
        except MainspringError as failure:
            await _fall_back(run, "extractive summary", failure)
            return None
        chunks = [each.chunk for each in analysis.chunks]
        sentences = parse_model_summary(written.sentences, analysis.document, chunks)
        summary = checked_summary(sentences, analysis.document, Method.MODEL)
        return summary if summary.sentences else None

    async def speak(self, run: StepRun, analysis: Analysis, summary: Summary) -> ModelWords | None:
        """The small local model's own words, streamed; None with a capable model, with AI off, or on failure."""
        if self._gateway.capable_model() or not summary.sentences or not await self.is_enabled(run.tenant):
            return None
        model = self._gateway.default_chat_model()
        told = " ".join(sentence.text for sentence in summary.sentences)[:1200]
        request = InferenceRequest(
            (system(_prompt("speak")), user(f"Tell in two sentences what this contract is about. {told}")),
            model=model,
            sampling=Sampling(temperature=0.0),
            max_tokens=_SPOKEN_TOKENS,
        )
        words: list[str] = []
        try:
            async with aclosing(self._gateway.stream(request, context=_context(run, prompt="speak"))) as deltas:
                async for delta in deltas:
                    if isinstance(delta, TextDelta):
                        words.append(delta.text)
                        await run.delta("model_text", delta.text)
        except MainspringError as failure:
            log.warning("local_model_fell_silent", code=failure.code)
            return None
        label = "Written by the small local model and not checked: it may be wrong. Not part of the findings."
        return ModelWords("".join(words).strip(), model, label)

    async def _capable(self, tenant: TenantId) -> str | None:
        model = self._gateway.capable_model()
        return model if model and await self.is_enabled(tenant) else None

    async def _sort(self, run: StepRun, model: str, batch: Sequence[ClassifiedChunk]) -> list[ClassifiedChunk]:
        known = "\n".join(f"- {category.name}: {category.description}" for category in CATEGORIES.values())
        request = InferenceRequest(
            (system(_prompt("classify").format(categories=known)), user(_clauses(batch))),
            model=model,
            sampling=Sampling(temperature=0.0),
            max_tokens=1500,
        )
        sorted_ = await self._gateway.complete_as(
            _Sorted, request, context=_context(run, prompt="classify"), schema=_schema(batch)
        )
        chosen = {each.clause: each.categories for each in sorted_.clauses}
        return [_relabel(each, chosen.get(each.chunk.index, [])) for each in batch]


def _relabel(draft: ClassifiedChunk, categories: Sequence[str]) -> ClassifiedChunk:
    """The model chooses; the probability is the classifier's where it agrees, else 0.5: nothing calibrated it."""
    known = {label.category: label.probability for label in draft.labels}
    labels = [Label(name, known.get(name, 0.5), Method.MODEL) for name in dict.fromkeys(categories)]
    return ClassifiedChunk(draft.chunk, tuple(labels))


def _schema(batch: Sequence[ClassifiedChunk]) -> dict[str, Any]:
    """Only clauses that were sent and categories that exist can be named."""
    categories = {
        "type": "array",
        "items": {"type": "string", "enum": list(CATEGORY_NAMES)},
    }
    clause = {"type": "integer", "enum": [each.chunk.index for each in batch]}
    item = {"type": "object", "properties": {"clause": clause, "categories": categories}}
    return {"type": "object", "properties": {"clauses": {"type": "array", "items": item}}}


def _clauses(chunks: Sequence[ClassifiedChunk], limit: int = 1_000_000) -> str:
    """Clauses as data, in order, up to `limit` characters; a closing tag inside a clause is defused."""
    shown, size = [""], 0
    for each in chunks:
        text = each.chunk.text.replace("</clause", "< /clause")
        size += len(text)
        if size > limit:
            break
        shown.append(f'<clause number="{each.chunk.index}">\n{text}\n</clause>')
    return "\n".join(shown[1:])


def _context(run: StepRun, *, prompt: str) -> CallContext:
    return CallContext(
        tenant=run.tenant,
        feature=_FEATURE,
        run=run.run_id,
        step=run.step,
        trace_id=run.run_id.hex,
        prompt_name=f"contracts.{prompt}",
        prompt_version="1",
    )


async def _fall_back(run: StepRun, to: str, failure: MainspringError) -> None:
    log.warning("model_way_failed", step=run.step, code=failure.code)
    await run.say(f"The model did not answer ({failure.code}); using the {to} instead")


def _prompt(name: str) -> str:
    return (files("mainspring.showcase.contracts") / "prompts" / f"{name}.v1.md").read_text()
