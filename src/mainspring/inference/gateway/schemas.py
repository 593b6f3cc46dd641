"""The wire shapes of inference records, policies, provider keys and spend."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, SecretStr

from mainspring.foundation.ids import show_id
from mainspring.foundation.pagination import Page

from .cache import SemanticFigures
from .policies import (
    ModelEndpoint,
    ModelPrice,
    ProviderKeyFacts,
    SpendDay,
    StoredPolicy,
    UsableModel,
    policy_schema,
)
from .records import PREFIX, ShownRecord
from .types import InferenceRecord

_DETAILS = (
    *("principal", "end_user", "session", "release", "trace_id", "span_id", "parent_span_id"),
    *("prompt_name", "prompt_version", "idempotency_key", "region", "residency", "route_reason", "cache_status"),
    *("cached_tokens", "cache_write_tokens", "reasoning_tokens", "usage_source", "currency", "price_version"),
    *("own_key", "attempts", "structured"),
)
"""What one record shows beyond a line of the list, under the same names."""


class _ShapeOfPolicy:
    """Shows a policy's own schema in the API reference; the document itself is checked by `policies`."""

    def __get_pydantic_json_schema__(self, core_schema: object, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return policy_schema()


PolicyDocument = Annotated[dict[str, Any], _ShapeOfPolicy()]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class PolicyRequest(_Request):
    """A policy to put in the place of the one that was read."""

    policy: PolicyDocument
    version: Annotated[
        int | None, Field(ge=0, le=999_999_999, description="the version that was read; or send If-Match")
    ] = None


class OutcomeRequest(_Request):
    """How well a call was answered."""

    score: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False, description="0 is useless, 1 is right")]


class PolicyView(BaseModel):
    """The policy as it stands; version 0 is that of a tenant which never changed it."""

    version: int
    policy: PolicyDocument
    updated_at: datetime | None
    updated_by: Annotated[str | None, Field(description="a user's or key's id, or `operator`")]


class ProviderKeyRequest(_Request):
    """A key at a provider. It is sealed, and never shown again."""

    key: SecretStr


class ProviderKeyView(BaseModel):
    """What is shown of a tenant's own key."""

    provider: str
    last_four: Annotated[str, Field(description="the end of the key; fewer characters for a short one")]
    created_at: datetime
    created_by: Annotated[str, Field(description="a user's or key's id, or `operator`")]
    state: Literal["ok", "unreadable"]
    trouble: Annotated[str | None, Field(description="why it cannot be used, and what to do")]


class ProviderKeyList(BaseModel):
    """All of the tenant's keys, by provider: at most one for each."""

    items: list[ProviderKeyView]


class SpendView(BaseModel):
    """One day of one scope's value; money in millionths of USD."""

    spent_on: date
    scope: str
    value: str
    cost_micros: int
    tokens: int
    calls: int


class SpendPage(BaseModel):
    """Days, newest first, each by scope and value."""

    items: list[SpendView]
    next_cursor: str | None


class ModelPriceView(BaseModel):
    """Millionths of USD per million tokens."""

    version: Annotated[str, Field(description="what is recorded with a call")]
    source: Annotated[
        Literal["tenant", "operator", "local", "list"],
        Field(description="`tenant`: the policy's own price; `list`: the provider's public one"),
    ]
    input_micros: int
    output_micros: int
    cached_input_micros: int
    varies: Annotated[bool, Field(description="long inputs or some hours of the day cost otherwise")]


class ModelRegionsView(BaseModel):
    """Where an endpoint stores, processes and retains calls; null is unknown."""

    storage: str | None
    processing: str | None
    retention: str | None


class ModelEndpointView(BaseModel):
    """One address that serves a model."""

    name: str
    provider: str
    wire_model: Annotated[str, Field(description="what the model is called there")]
    regions: ModelRegionsView
    is_admitted: Annotated[bool, Field(description="whether the tenant's residency lets calls go there")]
    price: Annotated[ModelPriceView | None, Field(description="null: unknown")]


class ModelView(BaseModel):
    """A model that the tenant may call, and what will become of it."""

    name: str
    aliases: list[str]
    providers: list[str]
    kind: Literal["chat", "embedding"]
    quality: Literal["economy", "standard", "premium"]
    is_pinned: Annotated[bool, Field(description="the name means one version for good")]
    lifecycle: Literal["active", "deprecated", "retired"]
    deprecated_on: date | None
    retires_on: date | None
    replacement: str | None
    context_tokens: int | None
    max_output_tokens: int | None
    price: Annotated[ModelPriceView | None, Field(description="that of the first endpoint that may be called")]
    endpoints: list[ModelEndpointView]
    is_admitted: Annotated[bool, Field(description="whether the tenant's residency leaves it an endpoint")]
    warnings: list[str]


class ModelList(BaseModel):
    """All models, in the catalogue's order."""

    items: list[ModelView]


class RecordView(BaseModel):
    """One model call: what was asked of which model for what, how it ended, what it used."""

    id: str
    at: datetime
    run: str | None
    step: str | None
    feature: str | None
    operation: str
    model_asked: str
    model_served: str | None
    provider: str
    status: str
    finish_reason: str | None
    error_code: str | None
    input_tokens: int
    output_tokens: int
    cost_micros: int | None
    latency_ms: int | None
    ttft_ms: int | None
    stream: bool


class OutputView(BaseModel):
    """What came back."""

    message: Annotated[
        dict[str, Any] | None, Field(description="the turn as far as it came: `role`, and `parts` by `type`")
    ]
    vendor_text: Annotated[str | None, Field(description="a provider's own words of a failure")]
    body: Annotated[dict[str, Any] | None, Field(description="the whole body as it was sent, where that was kept")]


class RecordDetailView(RecordView):
    """One model call with everything that is known of it, and what was said in it."""

    principal: str
    key: str | None
    end_user: str | None
    session: str | None
    release: str | None
    trace_id: str | None
    span_id: str | None
    parent_span_id: str | None
    prompt_name: str | None
    prompt_version: str | None
    idempotency_key: str | None
    region: str | None
    residency: str | None
    route_reason: str
    cache_status: str
    cached_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    usage_source: str
    currency: str | None
    price_version: str | None
    own_key: bool
    attempts: int
    structured: str | None
    dialect: Annotated[str | None, Field(description="of the caller and of `input`; null: the normal form of a worker")]
    input: Annotated[Any, Field(description="the call as it was sent; null where it was not kept, or is gone")]
    output: Annotated[OutputView | None, Field(description="null where it was not kept, or is gone")]
    trouble: Annotated[str | None, Field(description="why what was said cannot be shown, and what to do")]


class CacheFigures(BaseModel):
    """Of one feature's entries that have not ended."""

    feature: str
    hits: Annotated[int, Field(description="replies given by meaning")]
    shadowed: Annotated[int, Field(description="hits that were also sent to the model, to see whether they were right")]
    wrong: Annotated[int, Field(description="of those, how many were not")]


class CacheView(BaseModel):
    """What the semantic cache has given, by feature."""

    items: list[CacheFigures]


class PurgeRequest(_Request):
    """Which kept replies to forget."""

    feature: Annotated[
        str | None, Field(min_length=1, max_length=200, description="those of one feature; null: all of the tenant")
    ] = None


class PurgeView(BaseModel):
    """What was forgotten. Replies to identical calls are not counted: they are passed over from now on."""

    semantic_entries: int


class RecordPage(BaseModel):
    """Records, newest first."""

    items: list[RecordView]
    next_cursor: str | None


def show_records(page: Page[InferenceRecord]) -> RecordPage:
    """A page as the API shows it."""
    return RecordPage(items=[_show(record) for record in page.items], next_cursor=page.next_cursor)


def show_record(shown: ShownRecord) -> RecordDetailView:
    """One record as the API shows it."""
    record, said = shown.record, shown.output
    more = {name: getattr(record, name) for name in _DETAILS}
    return RecordDetailView(
        **_show(record).model_dump(),
        **more,
        key=show_id("key", record.key_id) if record.key_id else None,
        dialect=shown.dialect,
        input=shown.input,
        output=OutputView(message=said.message, vendor_text=said.vendor_text, body=said.body) if said else None,
        trouble=shown.trouble,
    )


def show_cache(figures: Sequence[SemanticFigures]) -> CacheView:
    """The figures as the API shows them."""
    return CacheView(
        items=[
            CacheFigures(feature=each.feature, hits=each.hits, shadowed=each.shadowed, wrong=each.wrong)
            for each in figures
        ]
    )


def show_policy(stored: StoredPolicy) -> PolicyView:
    """The wire form of a policy: only what differs from the defaults."""
    return PolicyView(
        version=stored.version,
        policy=msgspec.to_builtins(stored.policy),
        updated_at=stored.updated_at,
        updated_by=stored.updated_by,
    )


def show_provider_key(key: ProviderKeyFacts) -> ProviderKeyView:
    """The wire form of a provider key."""
    return ProviderKeyView(
        provider=key.provider,
        last_four=key.last_four,
        created_at=key.created_at,
        created_by=key.created_by,
        state="unreadable" if key.trouble else "ok",
        trouble=key.trouble,
    )


def show_model(model: UsableModel) -> ModelView:
    """The wire form of a model."""
    listed = model.listed
    return ModelView(
        name=listed.name,
        aliases=list(model.aliases),
        providers=list(listed.providers),
        kind=listed.kind,
        quality=listed.quality,
        is_pinned=listed.is_pinned,
        lifecycle=listed.lifecycle.value,
        deprecated_on=listed.deprecated_on,
        retires_on=listed.retires_on,
        replacement=listed.replacement,
        context_tokens=listed.context_tokens,
        max_output_tokens=listed.max_output_tokens,
        price=_show_price(model.price),
        endpoints=[_show_endpoint(each) for each in model.endpoints],
        is_admitted=model.is_admitted,
        warnings=list(model.warnings),
    )


def _show_endpoint(endpoint: ModelEndpoint) -> ModelEndpointView:
    regions = endpoint.regions
    return ModelEndpointView(
        name=endpoint.name,
        provider=endpoint.provider,
        wire_model=endpoint.wire_model,
        regions=ModelRegionsView(storage=regions.storage, processing=regions.processing, retention=regions.retention),
        is_admitted=endpoint.is_admitted,
        price=_show_price(endpoint.price),
    )


def _show_price(price: ModelPrice | None) -> ModelPriceView | None:
    if price is None:
        return None
    return ModelPriceView(
        version=price.version,
        source=price.source,
        input_micros=price.input_micros,
        output_micros=price.output_micros,
        cached_input_micros=price.cached_input_micros,
        varies=price.varies,
    )


def show_spend(page: Page[SpendDay]) -> SpendPage:
    """A page of spend as the API shows it."""
    return SpendPage(
        items=[
            SpendView(
                spent_on=day.spent_on,
                scope=day.scope,
                value=day.value,
                cost_micros=day.cost_micros,
                tokens=day.tokens,
                calls=day.calls,
            )
            for day in page.items
        ],
        next_cursor=page.next_cursor,
    )


def _show(record: InferenceRecord) -> RecordView:
    return RecordView(
        id=show_id(PREFIX, record.id),
        at=record.at,
        run=show_id("run", record.run_id) if record.run_id else None,
        step=record.step,
        feature=record.feature,
        operation=record.operation,
        model_asked=record.model_asked,
        model_served=record.model_served,
        provider=record.provider,
        status=record.status,
        finish_reason=record.finish_reason,
        error_code=record.error_code,
        input_tokens=record.input_tokens,
        output_tokens=record.output_tokens,
        cost_micros=record.cost_micros,
        latency_ms=record.latency_ms,
        ttft_ms=record.ttft_ms,
        stream=record.stream,
    )
