"""The words of routing: what a call needs, where it goes, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import msgspec

from mainspring.inference.gateway.models import Deployment, Quality, Regions


class Demand(msgspec.Struct, frozen=True):
    """What one call needs of a deployment.

    input_tokens   estimate
    max_tokens     limit of output; None takes the tenant's default where an estimate needs one
    needs_schema   the reply must be JSON of a schema, enforced by the provider
    task           what kind of work it is, for tenants that say which model does it
    embedding      unit vector of the question, for tenants whose routing learns; None does not learn
    """

    input_tokens: int = 0
    max_tokens: int | None = None
    needs_images: bool = False
    needs_files: bool = False
    needs_tools: bool = False
    needs_schema: bool = False
    feature: str | None = None
    task: str | None = None
    embedding: Sequence[float] | None = None


class Cause(StrEnum):
    """Why a deployment is left out."""

    ALLOW_LIST = "allow_list"
    RESIDENCY = "residency"
    QUALITY = "quality"
    PRICE = "price"
    IMAGES = "images"
    FILES = "files"
    TOOLS = "tools"
    SCHEMA = "schema"
    CONTEXT = "context"
    COST = "cost"


@dataclass(frozen=True, slots=True)
class Rejection:
    """A deployment that was left out; `why` is a sentence's end, such as `it is not in eu`."""

    name: str
    cause: Cause
    why: str


class Reason(StrEnum):
    """What put the first candidate first; recorded with the call."""

    NAMED = "named"
    HEALTHY = "healthy"
    PREFERRED = "preferred"
    FAST = "fast"
    ORDER = "order"
    CHEAPEST = "cheapest"
    WEIGHTED = "weighted"
    LEARNED = "learned"
    LARGER = "larger"
    TASK = "task"


class Route(msgspec.Struct, frozen=True):
    """Where a call goes: the first candidate, then the others where it fails. Never empty."""

    candidates: tuple[Deployment, ...]
    reason: Reason
    rejected: tuple[Rejection, ...] = ()


@dataclass(frozen=True, slots=True)
class Prediction:
    """How well a model should answer a question, 0 to 1.

    score   the likely score; `lower` is what it exceeds with the predictor's confidence
    seen    how many past calls of the model it rests on
    """

    score: float
    lower: float
    seen: int


class Predictor(Protocol):
    """What past outcomes of one tenant say about a question."""

    def predict(self, embedding: Sequence[float], models: Sequence[str]) -> Mapping[str, Prediction]:
        """A prediction for each of the models that there are enough outcomes of."""
        ...


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate of an explanation; 1 is tried first.

    estimate_micros   upper estimate of the call's cost; None where no price is known
    ttft_ms           measured time to first token; None where nothing was measured of late
    error_share       of recent calls, 0 to 1
    """

    rank: int
    name: str
    model: str
    provider: str
    quality: Quality
    regions: Regions
    why: str
    estimate_micros: int | None
    price_version: str | None
    ttft_ms: float | None
    error_share: float | None
    breaker: str
    prediction: Prediction | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """What would happen to a call, without sending it. No candidates means that it would be refused.

    reason    what decided, as a call would record it; None where there is no candidate
    refusal   the error's code and detail, where there is no candidate
    """

    asked: str
    reason: Reason | None
    candidates: tuple[Ranked, ...]
    rejected: tuple[Rejection, ...]
    warnings: tuple[str, ...]
    refusal: tuple[str, str] | None = None
