"""What a capable model may add to a search: sorting the best passages, and rewording the question.

Neither is needed. When there is no capable model, the tenant's AI is off, or the model fails, the search goes on
without, and says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from mainspring.foundation.errors import MainspringError
from mainspring.foundation.ids import TenantId
from mainspring.foundation.telemetry import get_logger
from mainspring.inference.gateway import AiSwitch, CallContext, Gateway
from mainspring.inference.messages import InferenceRequest, Sampling, system, user

from .prompts import RERANK, REWRITE

log = get_logger(__name__)

_SHOWN_CHARACTERS = 1_200  # of a passage
_LONGEST_QUESTION = 1_000
_PATIENCE = timedelta(seconds=8)


class Models(Protocol):
    """Sorting and rewording; None says that no model did it."""

    async def rerank(self, tenant: TenantId, question: str, texts: Sequence[str]) -> tuple[int, ...] | None:
        """Places in `texts`, the best first, each at most once; those left out have nothing to do with the question."""
        ...

    async def rewrite(self, tenant: TenantId, question: str) -> str | None:
        """The question in other words."""
        ...


@dataclass(frozen=True, slots=True)
class _Sorted:
    passages: list[int]


@dataclass(frozen=True, slots=True)
class _Reworded:
    question: str


class GatewayModels:
    """Implements `Models` by the gateway's capable model."""

    def __init__(self, gateway: Gateway, ai_switch: AiSwitch) -> None:
        self._gateway = gateway
        self._ai_switch = ai_switch

    async def rerank(self, tenant: TenantId, question: str, texts: Sequence[str]) -> tuple[int, ...] | None:
        """One call with all passages; numbers that were not given are ignored."""
        model = await self._capable(tenant)
        if model is None or not texts:
            return None
        numbers = {"type": "integer", "enum": list(range(1, len(texts) + 1))}
        schema = {"type": "object", "properties": {"passages": {"type": "array", "items": numbers}}}
        shown = "\n".join(_passage(number, text) for number, text in enumerate(texts, 1))
        request = InferenceRequest(
            (system(RERANK), user(f"{_question(question)}\n{shown}")),
            model=model,
            sampling=Sampling(temperature=0.0),
            max_tokens=400,
        )
        try:
            found = await self._gateway.complete_as(_Sorted, request, context=_context(tenant, "rerank"), schema=schema)
        except MainspringError as failure:
            log.warning("rerank_failed", code=failure.code)
            return None
        return tuple(dict.fromkeys(number - 1 for number in found.passages if 1 <= number <= len(texts)))

    async def rewrite(self, tenant: TenantId, question: str) -> str | None:
        """One call; an empty answer is none."""
        model = await self._capable(tenant)
        if model is None:
            return None
        request = InferenceRequest(
            (system(REWRITE), user(_question(question))),
            model=model,
            sampling=Sampling(temperature=0.0),
            max_tokens=200,
        )
        try:
            found = await self._gateway.complete_as(_Reworded, request, context=_context(tenant, "rewrite"))
        except MainspringError as failure:
            log.warning("rewrite_failed", code=failure.code)
            return None
        return found.question.strip()[:_LONGEST_QUESTION] or None

    async def _capable(self, tenant: TenantId) -> str | None:
        model = self._gateway.capable_model()
        return model if model and await self._ai_switch.is_enabled(tenant) else None


def _question(text: str) -> str:
    return f"<question>{text.replace('</question', '< /question')}</question>"


def _passage(number: int, text: str) -> str:
    defused = text[:_SHOWN_CHARACTERS].replace("</passage", "< /passage")
    return f'<passage number="{number}">\n{defused}\n</passage>'


def _context(tenant: TenantId, prompt: str) -> CallContext:
    return CallContext(
        tenant=tenant,
        feature="knowledge.search",
        prompt_name=f"knowledge.{prompt}",
        prompt_version="1",
        timeout=_PATIENCE,
    )
