"""HTTP: which tools there are, what the tenant says about them, each call, and their secrets."""

from typing import Annotated

from fastapi import APIRouter, Query, status

from mainspring.foundation.http import CurrentPrincipal, Paging
from mainspring.foundation.ids import read_id

from .overview import ToolOverview
from .policies import ToolPolicies
from .schemas import (
    PolicyShape,
    SecretList,
    SecretRequest,
    SecretShape,
    ToolCallPage,
    ToolList,
    call_page,
    policy_shape,
    read_policy,
    secret_shape,
    tool_shape,
)
from .secrets import ToolSecrets


def build_router(overview: ToolOverview, policies: ToolPolicies, secrets: ToolSecrets) -> APIRouter:
    """The routes /v1/tools, /v1/tool-calls and /v1/tool-secrets."""
    router = APIRouter(prefix="/v1", tags=["tools"])
    _add_tools(router, overview, policies)
    _add_secrets(router, secrets)
    return router


def _add_tools(router: APIRouter, overview: ToolOverview, policies: ToolPolicies) -> None:
    @router.get("/tools")
    async def list_tools(principal: CurrentPrincipal) -> ToolList:
        """The tools that the caller may use, with schema, policy and the calls of seven days.

        Who holds `tool.manage` sees all of the tenant's. Needs `agent.run`.
        """
        return ToolList(items=[tool_shape(each) for each in await overview.list_tools(principal)])

    @router.put("/tools/{name}/policy")
    async def put_tool_policy(principal: CurrentPrincipal, name: str, body: PolicyShape) -> PolicyShape:
        """Say who may use a tool, and when a person is asked; it holds from the next call on. Needs `tool.manage`.

        A policy may be stored before its tool is there. `invalid_input` (422) names the field and its limit.
        """
        return policy_shape(await policies.put(principal, name, read_policy(body)))

    @router.get("/tool-calls")
    async def list_tool_calls(
        principal: CurrentPrincipal,
        paging: Paging,
        run: Annotated[str | None, Query(description="calls of this run only")] = None,
        thread: Annotated[str | None, Query(max_length=200, description="calls of this thread only")] = None,
        scope: Annotated[str | None, Query(max_length=200, description="calls of this scope only")] = None,
    ) -> ToolCallPage:
        """Calls, newest first; their contents are in the record that each names. Needs `ai.output.view`."""
        asked = scope if thread is None else f"thread:{thread}"
        page = await overview.list_calls(principal, paging, run=read_id("run", run) if run else None, scope=asked)
        return call_page(page)


def _add_secrets(router: APIRouter, secrets: ToolSecrets) -> None:
    @router.get("/tool-secrets")
    async def list_tool_secrets(principal: CurrentPrincipal) -> SecretList:
        """The names of stored secrets; their values are never shown. Needs `tool.manage`."""
        return SecretList(items=[secret_shape(each) for each in await secrets.list(principal)])

    @router.put("/tool-secrets/{name}")
    async def put_tool_secret(principal: CurrentPrincipal, name: str, body: SecretRequest) -> SecretShape:
        """Store a secret sealed, in the place of an older one. Needs `tool.manage`."""
        return secret_shape(await secrets.put(principal, name, body.value.get_secret_value()))

    @router.delete("/tool-secrets/{name}", status_code=status.HTTP_204_NO_CONTENT)
    async def delete_tool_secret(principal: CurrentPrincipal, name: str) -> None:
        """Forget a secret; tools that need it fail from now on. Needs `tool.manage`."""
        await secrets.delete(principal, name)
