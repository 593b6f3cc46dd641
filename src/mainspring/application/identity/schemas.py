"""The wire shapes of identity. Their descriptions are the API reference."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from mainspring.foundation.ids import show_id
from mainspring.foundation.pagination import Page

from .inputs import MAX_EMAIL, MAX_NAME, MAX_PASSWORD, MAX_SLUG, MIN_PASSWORD
from .types import ROLE_PERMISSIONS, ApiKey, Caller, Member, NewKey, NewMember, Permission, Role, Team, Tenant, User

Instant = Annotated[datetime, AfterValidator(lambda instant: instant.astimezone(UTC))]
Email = Annotated[str, Field(min_length=3, max_length=MAX_EMAIL, examples=["ada@example.com"])]
Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
NewPassword = Annotated[str, Field(min_length=MIN_PASSWORD, max_length=MAX_PASSWORD)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class SignInRequest(_Request):
    """Who wants to sign in, and where."""

    email: Email
    password: Annotated[str, Field(min_length=1, max_length=MAX_PASSWORD)]
    tenant: Annotated[
        str | None,
        Field(max_length=MAX_SLUG, description="slug; default: the first tenant by name that the password may open"),
    ] = None


class TenantChange(_Request):
    """What to change; absent fields stay as they are."""

    name: Name | None = None
    ai_enabled: Annotated[
        bool | None, Field(description="false stops every model call; the deterministic methods go on")
    ] = None


class MemberRequest(_Request):
    """A person to add. The password opens this tenant alone, whatever other tenants the person is in."""

    email: Email
    name: Annotated[Name, Field(description="what this tenant calls the person")]
    role: Role
    password: Annotated[NewPassword | None, Field(description="default: one is generated and returned once")] = None


class RoleChange(_Request):
    """The member's role from the next request on."""

    role: Role


class TeamName(_Request):
    """What a team is called; unique in the tenant, in whatever case."""

    name: Name


class ApiKeyRequest(_Request):
    """An API key to create."""

    name: Annotated[Name, Field(description="what the key is for")]
    scopes: Annotated[
        list[Permission] | None,
        Field(min_length=1, max_length=len(Permission), description="default: everything that you hold"),
    ] = None
    expires_at: Annotated[AwareDatetime | None, Field(description="RFC 3339 with a time zone; default: never")] = None


class UserView(BaseModel):
    """A person, under the name this tenant knows."""

    id: str
    email: str
    name: str


class TenantBrief(BaseModel):
    """A tenant in short."""

    id: str
    slug: str
    name: str
    ai_enabled: bool


class TenantView(TenantBrief):
    """A paying organization."""

    created_at: Instant


class TenantChoiceView(BaseModel):
    """A tenant that the signed-in person can open; sign in with its slug to do so."""

    id: str
    slug: str
    name: str
    role: Role


class Session(BaseModel):
    """Who the credential speaks for. For an API key, `user`, `role` and `csrf_token` are null."""

    user: UserView | None
    tenant: TenantBrief
    role: Role | None
    permissions: list[str]
    csrf_token: Annotated[str | None, Field(description="send as X-CSRF-Token with every request but GET")]
    tenants: list[TenantChoiceView]


class MemberView(BaseModel):
    """A person in the tenant."""

    id: str
    user: UserView
    role: Role
    created_at: Instant


class NewMemberView(MemberView):
    """The member just added."""

    password: Annotated[str | None, Field(description="only when it was generated; it is not shown again")]


class MemberPage(BaseModel):
    """Members in the order they joined."""

    items: list[MemberView]
    next_cursor: str | None


class TeamView(BaseModel):
    """Members to whom documents are opened together, as the reader `team:` and this id."""

    id: str
    name: str
    created_at: Instant


class TeamPage(BaseModel):
    """Teams in the order they were made."""

    items: list[TeamView]
    next_cursor: str | None


class ApiKeyView(BaseModel):
    """An API key, without its secret."""

    id: str
    name: str
    prefix: Annotated[str, Field(description="how the secret begins", examples=["ms_1a2B3c4D"])]
    scopes: list[str]
    created_at: Instant
    expires_at: Instant | None
    revoked_at: Instant | None
    last_used_at: Annotated[Instant | None, Field(description="to the minute")]


class NewApiKeyView(ApiKeyView):
    """The key just created."""

    secret: Annotated[str, Field(description="send as 'Authorization: Bearer ...'; it is not shown again")]


class ApiKeyPage(BaseModel):
    """API keys, newest first, the ended ones too."""

    items: list[ApiKeyView]
    next_cursor: str | None


class RoleView(BaseModel):
    """A role and everything it permits."""

    role: Role
    permissions: list[str]


def show_tenant(tenant: Tenant) -> TenantView:
    """The wire form of a tenant."""
    return TenantView(
        id=show_id("ten", tenant.id),
        slug=tenant.slug,
        name=tenant.name,
        ai_enabled=tenant.is_ai_enabled,
        created_at=tenant.created_at,
    )


def show_session(caller: Caller, csrf_token: str | None) -> Session:
    """The wire form of a caller."""
    tenant = caller.tenant
    return Session(
        user=_show_user(caller.user) if caller.user else None,
        tenant=TenantBrief(
            id=show_id("ten", tenant.id), slug=tenant.slug, name=tenant.name, ai_enabled=tenant.is_ai_enabled
        ),
        role=caller.role,
        permissions=sorted(caller.permissions),
        csrf_token=csrf_token,
        tenants=[
            TenantChoiceView(id=show_id("ten", choice.id), slug=choice.slug, name=choice.name, role=choice.role)
            for choice in caller.tenants
        ],
    )


def show_member(member: Member) -> MemberView:
    """The wire form of a member."""
    return MemberView(
        id=show_id("mem", member.id), user=_show_user(member.user), role=member.role, created_at=member.created_at
    )


def show_new_member(new: NewMember) -> NewMemberView:
    """The wire form of a member just added, with a generated password."""
    return NewMemberView(**dict(show_member(new.member)), password=new.password)


def show_members(page: Page[Member]) -> MemberPage:
    """The wire form of a page of members."""
    return MemberPage(items=[show_member(member) for member in page.items], next_cursor=page.next_cursor)


def show_team(team: Team) -> TeamView:
    """The wire form of a team."""
    return TeamView(id=show_id("team", team.id), name=team.name, created_at=team.created_at)


def show_teams(page: Page[Team]) -> TeamPage:
    """The wire form of a page of teams."""
    return TeamPage(items=[show_team(team) for team in page.items], next_cursor=page.next_cursor)


def show_key(key: ApiKey) -> ApiKeyView:
    """The wire form of a key."""
    return ApiKeyView(
        id=show_id("key", key.id),
        name=key.name,
        prefix=key.prefix,
        scopes=sorted(key.scopes),
        created_at=key.created_at,
        expires_at=key.expires_at,
        revoked_at=key.revoked_at,
        last_used_at=key.last_used_at,
    )


def show_new_key(new: NewKey) -> NewApiKeyView:
    """The wire form of a key just created, with its secret."""
    return NewApiKeyView(**dict(show_key(new.key)), secret=new.secret)


def show_keys(page: Page[ApiKey]) -> ApiKeyPage:
    """The wire form of a page of keys."""
    return ApiKeyPage(items=[show_key(key) for key in page.items], next_cursor=page.next_cursor)


def show_roles() -> list[RoleView]:
    """Every role, from the widest to the narrowest."""
    return [RoleView(role=role, permissions=sorted(held)) for role, held in ROLE_PERMISSIONS.items()]


def _show_user(user: User) -> UserView:
    return UserView(id=show_id("usr", user.id), email=user.email, name=user.name)
