"""The words of the gateway: who calls, what comes back besides messages, and what is recorded."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from mainspring.foundation.ids import TenantId
from mainspring.inference.messages import Usage

if TYPE_CHECKING:  # the data plane does without numpy until somebody embeds
    import numpy as np
    from numpy.typing import NDArray


class CallKind(StrEnum):
    """GENERATIVE needs the tenant's AI switched on; PROCESSING is honoured for local embeddings only."""

    GENERATIVE = "generative"
    PROCESSING = "processing"


@dataclass(frozen=True, slots=True)
class CallContext:
    """On whose behalf and for what a model is called; all of it is recorded.

    principal   name of the caller, or `user:<id>`
    key         the API key it came with
    end_user    who of the tenant's own people asks, as the caller names them
    release     the release of the tenant's product that asks
    timeout     from the call to its first token, all attempts included; None is the gateway's
    """

    tenant: TenantId
    principal: str = "system"
    kind: CallKind = CallKind.GENERATIVE
    session: str | None = None
    feature: str | None = None
    run: UUID | None = None
    step: str | None = None
    trace_id: str | None = None
    span_id: str | None = None
    parent_span_id: str | None = None
    prompt_name: str | None = None
    prompt_version: str | None = None
    idempotency_key: str | None = None
    key: UUID | None = None
    end_user: str | None = None
    release: str | None = None
    timeout: timedelta | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Embeddings:
    """One unit-length vector for each text, in order: `vectors` has shape (texts, dimensions)."""

    vectors: "NDArray[np.float32]"
    model: str
    usage: Usage

    @property
    def dimensions(self) -> int:
        """Length of each vector."""
        return int(self.vectors.shape[1])


class Operation(StrEnum):
    """What was asked of a model, or that a tool was called."""

    CHAT = "chat"
    EMBEDDINGS = "embeddings"
    TOOL = "tool"


class RecordStatus(StrEnum):
    """How a call ended; BROKEN is a stream or a process that died on the way."""

    OK = "ok"
    ERROR = "error"
    CANCELLED = "cancelled"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class InferenceRecord:
    """Everything about one model call but its contents. Field names are the table's columns.

    model_asked    name as the caller gave it; `model_served` the version the provider answered with
    latency_ms     from the call to its end; `ttft_ms` to the first token
    cost_micros    millionths of `currency`; None while no price is known
    usage_source   `provider`; `counted` here, for a stream that was cut off or sent no usage; `estimated` by its size
    structured     how a reply with a schema ended: `valid`, `repaired` or `invalid`
    own_key        called with the tenant's own key, on the tenant's own bill
    residency      the rule that confined the call
    """

    tenant_id: UUID
    id: UUID
    at: datetime
    operation: Operation
    model_asked: str
    provider: str
    principal: str
    run_id: UUID | None = None
    step: str | None = None
    session: str | None = None
    feature: str | None = None
    trace_id: str | None = None
    span_id: str | None = None
    parent_span_id: str | None = None
    prompt_name: str | None = None
    prompt_version: str | None = None
    idempotency_key: str | None = None
    model_served: str | None = None
    region: str | None = None
    route_reason: str = "named"
    cache_status: str = "none"
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    cost_micros: int | None = None
    currency: str | None = None
    price_version: str | None = None
    latency_ms: int | None = None
    ttft_ms: int | None = None
    status: RecordStatus = RecordStatus.BROKEN
    error_code: str | None = None
    finish_reason: str | None = None
    stream: bool = False
    attempts: int = 0
    key_id: UUID | None = None
    end_user: str | None = None
    residency: str | None = None
    release: str | None = None
    cache_write_tokens: int = 0
    usage_source: str = "provider"
    structured: str | None = None
    own_key: bool = False


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a call that has released nothing yet is tried, and how long is waited between.

    The wait before attempt n+1 is random between half and all of `first_wait * 2**n`, at most
    `longest_wait`; a provider's Retry-After is waited in full.
    """

    attempts: int = 4
    first_wait: timedelta = timedelta(milliseconds=250)
    longest_wait: timedelta = timedelta(seconds=8)


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """What the gateway must be told; wiring fills it in.

    data_dir           spool files live in `data_dir/spool`
    models_url         base URL of the local models' server, ending in /v1
    capable_model      catalog name of the model for analysis; None when there is only the bundled one
    gateway_file       the operator's endpoints and models, beside those that the keys call for
    region             where the platform itself runs
    timeout            from a call to its first token; `whole_timeout` to the end of a reply that is not
                       streamed; `idle_timeout` between two pieces of a stream
    """

    data_dir: Path
    models_url: str | None = None
    openai_api_key: str | None = None
    openai_base_url: str | None = None
    anthropic_api_key: str | None = None
    anthropic_base_url: str | None = None
    gemini_api_key: str | None = None
    azure_api_key: str | None = None
    azure_base_url: str | None = None
    bedrock_region: str | None = None
    bedrock_api_key: str | None = None
    gateway_file: Path | None = None
    region: str | None = None
    valkey_url: str = ""
    capable_model: str | None = None
    timeout: timedelta = timedelta(seconds=120)
    whole_timeout: timedelta = timedelta(seconds=600)
    idle_timeout: timedelta = timedelta(seconds=60)
    retry: RetryPolicy = RetryPolicy()


Texts = Sequence[str]
"""What is embedded: each text on its own."""
