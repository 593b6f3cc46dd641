"""People of a tenant in a test, and what they do: call the API, and decide what they are asked."""

import httpx
from starlette.types import ASGIApp, Receive, Scope, Send

from mainspring.application.identity import ROLE_PERMISSIONS, Role
from mainspring.entry.api import make_app
from mainspring.entry.wiring import Platform
from mainspring.foundation.ids import TenantId, new_id
from mainspring.foundation.pagination import PageRequest
from mainspring.foundation.principal import Principal, PrincipalKind
from mainspring.orchestration.approvals import Approval, Approvals, State, Wanted
from mainspring.orchestration.pipelines import RunId


def make_person(tenant: TenantId, role: Role) -> Principal:
    """Somebody with the rights of the role, and with hands of their own."""
    hand = f"user:usr_{new_id().hex}"
    return Principal(
        tenant,
        PrincipalKind.USER,
        f"Test {role.value}",
        ROLE_PERMISSIONS[role],
        subjects=frozenset({hand, f"role:{role.value}"}),
        hands=frozenset({hand}),
    )


async def find_question(approvals: Approvals, by: Principal, run: RunId) -> Approval:
    """The one question that the run waits for; LookupError for none, or for several."""
    page = await approvals.list(by, PageRequest(), Wanted(state=State.PENDING, run=run))
    if len(page.items) != 1:
        raise LookupError(f"the run waits for {len(page.items)} approvals, not one; settle it before you decide")
    return (await approvals.get(by, page.items[0].approval.id)).approval


def open_http(platform: Platform, by: Principal) -> httpx.AsyncClient:
    """The API, products' routes included, without a socket; each request is the person's."""
    app = make_app(platform, has_console=False)
    return httpx.AsyncClient(transport=httpx.ASGITransport(_Vouched(app, by)), base_url="http://mainspring.test")


class _Vouched:
    """An application whose every caller is one person."""

    def __init__(self, app: ASGIApp, by: Principal) -> None:
        self._app = app
        self._by = by

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app({**scope, "mainspring.who": self._who}, receive, send)

    async def _who(self) -> Principal:
        return self._by
