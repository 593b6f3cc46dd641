"""The HTTP routes of the gateway's control plane: inference records, policies, provider keys, spend."""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Header, Query, Response

from mainspring.foundation.errors import InvalidInput
from mainspring.foundation.http import CurrentPrincipal, Paging
from mainspring.foundation.ids import read_id
from mainspring.foundation.pagination import DEFAULT_LIMIT, MAX_LIMIT, page_request

from .cache import KeptReplies
from .feedback import Feedback
from .policies import Models, Policies, ProviderKeys, Spending, SpendQuery
from .policy import Scope
from .records import PREFIX, Records
from .schemas import (
    CacheView,
    ModelList,
    OutcomeRequest,
    PolicyRequest,
    PolicyView,
    ProviderKeyList,
    ProviderKeyRequest,
    ProviderKeyView,
    PurgeRequest,
    PurgeView,
    RecordDetailView,
    RecordPage,
    SpendPage,
    show_cache,
    show_model,
    show_policy,
    show_provider_key,
    show_record,
    show_records,
    show_spend,
)
from .service import Gateway


def build_router(records: Records) -> APIRouter:
    """The routes of the inference records."""
    router = APIRouter(prefix="/v1", tags=["records"])

    @router.get("/records")
    async def list_inference_records(
        principal: CurrentPrincipal,
        run: Annotated[str | None, Query(description="only the calls of this run, run_...")] = None,
        limit: Annotated[int, Query(description=f"items on a page, 1 to {MAX_LIMIT}")] = DEFAULT_LIMIT,
        cursor: Annotated[str | None, Query(description="next_cursor of the page before")] = None,
    ) -> RecordPage:
        """Model calls of the tenant, newest first: models, tokens, time, outcome. Never their contents.

        Needs `ai.output.view`. Errors: `forbidden` (403), `not_found` (404) for what is no run id,
        `invalid_input` (422) for a limit or cursor out of range.
        """
        of_run = read_id("run", run) if run else None
        page = page_request(limit, cursor)
        return show_records(await records.list_records(principal, run=of_run, page=page))

    @router.get("/records/{record}")
    async def get_inference_record(record: str, principal: CurrentPrincipal) -> RecordDetailView:
        """One model call with everything that is known of it, what was asked and what came back.

        Contents are null where the tenant's policy keeps none, or where their time is over.
        Needs `ai.output.view`. Errors: `forbidden` (403), `not_found` (404), `unreadable` (500) when the
        tenant's key does not open what was recorded.
        """
        return show_record(await records.get(principal, read_id(PREFIX, record)))

    return router


def build_cache_router(kept_replies: KeptReplies) -> APIRouter:
    """The routes of replies that are kept."""
    router = APIRouter(prefix="/v1/gateway", tags=["gateway"])

    @router.get("/cache")
    async def get_reply_cache(principal: CurrentPrincipal) -> CacheView:
        """What was given by meaning, and how often that was wrong, by feature.

        Needs `gateway.view`. Errors: `forbidden` (403).
        """
        return show_cache(await kept_replies.figures(principal))

    @router.post("/cache:purge")
    async def purge_reply_cache(request: PurgeRequest, principal: CurrentPrincipal) -> PurgeView:
        """Forget the tenant's kept replies, or those of one feature, at once.

        Replies kept for idempotency keys go with a purge of everything. Needs `gateway.manage`.
        Errors: `forbidden` (403), `unavailable` (503) when nothing could be forgotten.
        """
        return PurgeView(semantic_entries=await kept_replies.purge(principal, request.feature))

    return router


def build_outcome_router(gateway: Gateway) -> APIRouter:
    """The route by which callers say how well they were answered."""
    router = APIRouter(prefix="/v1", tags=["records"])
    feedback = Feedback(gateway.engine)

    @router.post("/records/{record}/outcome", status_code=204)
    async def record_outcome(record: str, request: OutcomeRequest, principal: CurrentPrincipal) -> None:
        """Say how well a call was answered, for routing that learns (`routing.learned` in the policy).

        `record` is the call's `x-mainspring-request-id`, known here within a second of its answer; said
        again, the later score counts. Needs `ai.model.call`. Errors: `forbidden` (403), `not_found` (404),
        `conflict` (409) where the question is not kept or the model is not known any more,
        `invalid_input` (422) for a score out of range, `model_overloaded` (503) and its like while the
        question cannot be embedded.
        """
        await feedback.record(principal, read_id(PREFIX, record), score=request.score)

    return router


def build_settings_router(policies: Policies, provider_keys: ProviderKeys, spending: Spending) -> APIRouter:
    """The routes of what a tenant configures about its calls, and of what it has spent."""
    router = APIRouter(prefix="/v1/gateway", tags=["gateway"])
    _add_policy(router, policies)
    _add_provider_keys(router, provider_keys)
    _add_spend(router, spending)
    return router


def build_models_router(models: Models) -> APIRouter:
    """The route of the models that a tenant may call."""
    router = APIRouter(prefix="/v1/gateway", tags=["gateway"])

    @router.get("/models")
    async def list_gateway_models(principal: CurrentPrincipal) -> ModelList:
        """Every model that the tenant's policy leaves it: names, lifecycle, prices and where each is served.

        Models without an endpoint in the tenant's residency are listed with `is_admitted` false; calls of
        them are refused. Needs `gateway.view`. Errors: `forbidden` (403), `policy_unreadable` (503).
        """
        return ModelList(items=[show_model(model) for model in await models.list(principal)])

    return router


def _add_policy(router: APIRouter, policies: Policies) -> None:
    @router.get("/policy")
    async def get_gateway_policy(principal: CurrentPrincipal, response: Response) -> PolicyView:
        """The tenant's policy, with its version as `ETag` too. Fields that are absent have their defaults.

        Needs `gateway.view`. Errors: `forbidden` (403), `policy_unreadable` (503).
        """
        return _tagged(show_policy(await policies.get(principal)), response)

    @router.put("/policy")
    async def put_gateway_policy(
        request: PolicyRequest,
        principal: CurrentPrincipal,
        response: Response,
        if_match: Annotated[str | None, Header(description="the `ETag` of the version that was read")] = None,
    ) -> PolicyView:
        """Replace the whole policy; every call follows it within a second.

        The version that was read is sent as `If-Match` or as `version`, so that nobody's change is lost.
        Needs `gateway.manage`. Errors: `forbidden` (403), `policy_stale` (409) when it was changed
        since, `invalid_policy` (422) with the field, its value and what it must be.
        """
        stored = await policies.replace(principal, request.policy, over=_read_version(if_match, request.version))
        return _tagged(show_policy(stored), response)


def _add_provider_keys(router: APIRouter, provider_keys: ProviderKeys) -> None:
    @router.get("/provider-keys")
    async def list_provider_keys(principal: CurrentPrincipal) -> ProviderKeyList:
        """The tenant's own keys at providers: their last four characters, never more. Needs `gateway.view`."""
        return ProviderKeyList(items=[show_provider_key(key) for key in await provider_keys.list(principal)])

    @router.put("/provider-keys/{provider}")
    async def put_provider_key(
        provider: str, request: ProviderKeyRequest, principal: CurrentPrincipal
    ) -> ProviderKeyView:
        """Store the tenant's own key at a provider, which its calls use from then on instead of the platform's.

        Needs `gateway.manage`. Errors: `forbidden` (403), `invalid_input` (422) for an unknown provider
        or what cannot be a key.
        """
        return show_provider_key(await provider_keys.put(principal, provider, request.key.get_secret_value()))

    @router.delete("/provider-keys/{provider}", status_code=204)
    async def delete_provider_key(provider: str, principal: CurrentPrincipal) -> None:
        """Forget the tenant's key at a provider. Needs `gateway.manage`. Errors: `not_found` (404)."""
        await provider_keys.delete(principal, provider)


def _add_spend(router: APIRouter, spending: Spending) -> None:
    @router.get("/spend")
    async def list_spend(
        principal: CurrentPrincipal,
        paging: Paging,
        first: Annotated[date | None, Query(alias="from", description="first day, UTC; default: 30 days back")] = None,
        last: Annotated[date | None, Query(alias="to", description="last day, UTC; default: today")] = None,
        scope: Annotated[Scope | None, Query(description="only what was counted under this scope")] = None,
    ) -> SpendPage:
        """What was spent each day, newest first, by scope and value. Scopes overlap: add up within one only.

        Needs `gateway.view`. Errors: `forbidden` (403), `invalid_input` (422) for days in the wrong
        order or more than 366 of them.
        """
        last = last or datetime.now(UTC).date()
        query = SpendQuery(first or max(last, date(1, 2, 1)) - timedelta(days=30), last, scope)
        return show_spend(await spending.list(principal, query, paging))


def _tagged(policy: PolicyView, response: Response) -> PolicyView:
    response.headers["etag"] = f'"{policy.version}"'
    return policy


def _read_version(if_match: str | None, version: int | None) -> int:
    """The version that the caller has seen; the header goes before the body."""
    if if_match is None:
        if version is None:
            raise InvalidInput(
                "Say which version you have read: send its ETag as If-Match, or `version` in the body (0 for a "
                "policy that was never changed)."
            )
        return version
    text = if_match.strip().removeprefix("W/").strip('"')
    if not text.isascii() or not text.isdecimal() or len(text) > 9:
        raise InvalidInput(f'If-Match is {if_match[:40]!r}; send the ETag of GET /v1/gateway/policy, such as "3".')
    return int(text)
