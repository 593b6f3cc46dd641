"""The HTTP routes of identity: sessions, the tenant, members, teams, API keys, roles.

Permissions are checked by the use cases, so that they hold for every way in. The session cookie is
HttpOnly and SameSite=Lax; a sign-in from a page of another site is refused by its Origin.
"""

from collections.abc import Collection
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response

from mainspring.foundation.http import SESSION_COOKIE, CurrentPrincipal, Paging
from mainspring.foundation.ids import read_id
from mainspring.foundation.principal import PrincipalKind

from .credentials import csrf_token
from .errors import OriginRefused
from .schemas import (
    ApiKeyPage,
    ApiKeyRequest,
    MemberPage,
    MemberRequest,
    MemberView,
    NewApiKeyView,
    NewMemberView,
    RoleChange,
    RoleView,
    Session,
    SignInRequest,
    TenantChange,
    TenantView,
    show_keys,
    show_member,
    show_members,
    show_new_key,
    show_new_member,
    show_roles,
    show_session,
    show_tenant,
)
from .service import Identity
from .sessions import Attempt
from .teams_routes import add_teams
from .types import KeyId, MemberId


def build_router(identity: Identity, *, is_secure: bool = False, allowed_origins: Collection[str] = ()) -> APIRouter:
    """All routes of identity.

    is_secure        send the session cookie over https only
    allowed_origins  origins such as `https://console.example.com` that may sign in besides our own
    """
    router = APIRouter(prefix="/v1")
    _add_sessions(router, identity, is_secure, frozenset(origin.lower() for origin in allowed_origins))
    _add_tenant(router, identity)
    _add_members(router, identity)
    add_teams(router, identity.teams)
    _add_keys(router, identity)
    return router


def _add_sessions(router: APIRouter, identity: Identity, is_secure: bool, origins: frozenset[str]) -> None:
    @router.post("/session", status_code=201, tags=["session"])
    async def sign_in(body: SignInRequest, request: Request, response: Response) -> Session:
        """Sign in with email and password; sets the session cookie and ends the session that came along.

        Errors: `sign_in_refused` (401), `sign_in_throttled` (429), `origin_refused` (403).
        """
        _check_origin(request, origins)
        signed_in = await identity.sessions.sign_in(
            Attempt(
                body.email,
                body.password,
                address=request.client.host if request.client else "unknown",
                tenant=body.tenant,
                previous=request.cookies.get(SESSION_COOKIE),
            )
        )
        response.set_cookie(
            SESSION_COOKIE,
            signed_in.token,
            expires=signed_in.expires_at,
            secure=is_secure,
            httponly=True,
            samesite="lax",
        )
        _forbid_storing(response)
        return show_session(signed_in.caller, signed_in.csrf_token)

    @router.get("/session", tags=["session"])
    async def read_session(principal: CurrentPrincipal, request: Request, response: Response) -> Session:
        """Who the credential of this request speaks for, and what it may do; works with an API key too."""
        caller = await identity.sessions.describe(principal)
        is_user = principal.kind is PrincipalKind.USER
        _forbid_storing(response)
        return show_session(caller, csrf_token(request.cookies[SESSION_COOKIE]) if is_user else None)

    @router.delete("/session", status_code=204, tags=["session"])
    async def sign_out(principal: CurrentPrincipal, response: Response) -> None:
        """End the session of this request's cookie."""
        await identity.sessions.sign_out(principal)
        response.delete_cookie(SESSION_COOKIE, secure=is_secure, httponly=True, samesite="lax")


def _add_tenant(router: APIRouter, identity: Identity) -> None:
    @router.get("/tenant", tags=["tenant"])
    async def read_tenant(principal: CurrentPrincipal) -> TenantView:
        """The tenant of this request's credential."""
        return show_tenant(await identity.get_tenant(principal.tenant))

    @router.patch("/tenant", tags=["tenant"])
    async def change_tenant(body: TenantChange, principal: CurrentPrincipal) -> TenantView:
        """Rename the tenant, or switch its model calls on or off. Needs `tenant.manage`."""
        return show_tenant(await identity.update_tenant(principal, name=body.name, is_ai_enabled=body.ai_enabled))

    @router.get("/roles", tags=["members"])
    async def list_roles(principal: CurrentPrincipal) -> list[RoleView]:
        """Every role with its permissions."""
        return show_roles()


def _add_members(router: APIRouter, identity: Identity) -> None:
    members = identity.members

    @router.get("/members", tags=["members"])
    async def list_members(principal: CurrentPrincipal, paging: Paging) -> MemberPage:
        """Members in the order they joined. Needs `member.view`."""
        return show_members(await members.list(principal, paging))

    @router.post("/members", status_code=201, tags=["members"])
    async def add_member(body: MemberRequest, principal: CurrentPrincipal, response: Response) -> NewMemberView:
        """Add a person. Needs `member.manage` and every permission of the role; 409 `already_member`."""
        new = await members.add(principal, email=body.email, name=body.name, role=body.role, password=body.password)
        _forbid_storing(response)
        return show_new_member(new)

    @router.patch("/members/{member_id}", tags=["members"])
    async def change_role(member_id: str, body: RoleChange, principal: CurrentPrincipal) -> MemberView:
        """Change a member's role. Needs `member.manage` and every permission of both roles; 409 `last_owner`."""
        member = MemberId(read_id("mem", member_id))
        return show_member(await members.change_role(principal, member, body.role))

    @router.delete("/members/{member_id}", status_code=204, tags=["members"])
    async def remove_member(member_id: str, principal: CurrentPrincipal) -> None:
        """Remove a member, with their sessions and the keys they made. Needs `member.manage`; 409 `last_owner`."""
        await members.remove(principal, MemberId(read_id("mem", member_id)))


def _add_keys(router: APIRouter, identity: Identity) -> None:
    keys = identity.keys

    @router.get("/api-keys", tags=["api keys"])
    async def list_keys(principal: CurrentPrincipal, paging: Paging) -> ApiKeyPage:
        """API keys, newest first. Needs `key.manage`."""
        return show_keys(await keys.list(principal, paging))

    @router.post("/api-keys", status_code=201, tags=["api keys"])
    async def create_key(body: ApiKeyRequest, principal: CurrentPrincipal, response: Response) -> NewApiKeyView:
        """Create an API key; its secret is in this answer only. Needs `key.manage` and every scope given."""
        scopes = None if body.scopes is None else [scope.value for scope in body.scopes]
        _forbid_storing(response)
        return show_new_key(await keys.create(principal, name=body.name, scopes=scopes, expires_at=body.expires_at))

    @router.delete("/api-keys/{key_id}", status_code=204, tags=["api keys"])
    async def revoke_key(key_id: str, principal: CurrentPrincipal) -> None:
        """End an API key and those made with it, at once. Needs `key.manage`."""
        await keys.revoke(principal, KeyId(read_id("key", key_id)))


def _check_origin(request: Request, allowed: frozenset[str]) -> None:
    """Browsers name the page's origin; a page elsewhere must not sign its visitors in to an account of its own."""
    origin = request.headers.get("origin", "").lower()
    if not origin or origin in allowed:
        return
    try:
        host = urlsplit(origin).netloc
    except ValueError:
        host = ""
    if not host or host != request.headers.get("host", "").lower():
        raise OriginRefused(
            f"Sign-in from a page of {origin[:80]!r} is refused; open the console at its own address, "
            "or let the operator add this origin."
        )


def _forbid_storing(response: Response) -> None:
    response.headers["cache-control"] = "no-store"
