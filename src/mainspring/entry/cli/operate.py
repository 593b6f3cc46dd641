"""The operator's commands: schema, data keys, tenants, people and API keys, straight against the database."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, TypeVar

import typer

from mainspring.application.identity import KeyId, Role, Tenant, operator
from mainspring.entry.engines import borrowed_engines
from mainspring.entry.gateway_slice import open_vault_wrapper
from mainspring.foundation.ids import read_id, show_id
from mainspring.foundation.pagination import Page, PageRequest, page_request
from mainspring.foundation.settings import load_settings
from mainspring.foundation.vault import Rewrapped, Vault
from mainspring.migrations import migrate
from mainspring.orchestration.pipelines import Share, find_share, set_share

from .opened import Opened, with_opened
from .output import JsonFlag, screen, show_json, show_many, show_one

tenants = typer.Typer(help="Tenants: create, list, switch AI on and off, share out the workers.", no_args_is_help=True)
users = typer.Typer(help="People: add them to a tenant with a role.", no_args_is_help=True)
keys = typer.Typer(help="API keys: create (shown once), list, revoke.", no_args_is_help=True)

Item = TypeVar("Item")
Slug = Annotated[str, typer.Argument(help="Short name of the tenant.")]


def migrate_schema(json: JsonFlag = False) -> None:
    """Bring the database's schema to this version; safe to run from several processes at once."""
    with borrowed_engines(load_settings()) as urls:
        before, after = migrate(urls.database_admin_url, login=urls.login)
    if json:
        show_json({"before": before, "after": after})
    else:
        screen.print(
            f"Schema {after}: nothing to do." if before == after else f"Schema migrated from {before} to {after}."
        )


def rewrap(json: JsonFlag = False) -> None:
    """Wrap every tenant's data key under the first master key; then older ones may go. Exit code 1 if one stays."""

    async def wrap(opened: Opened) -> Rewrapped:
        return await Vault(opened.database, open_vault_wrapper(opened.settings)).rewrap()

    found = with_opened(wrap)
    left = [show_id("ten", tenant) for tenant in found.unreadable]
    sentence = f"Wrapped {found.done} data keys anew; keep the older master keys for: {', '.join(left) or 'nobody'}."
    show_one({"rewrapped": found.done, "unreadable": left}, sentence, json)
    if left:
        raise typer.Exit(1)


@tenants.command("create")
def create_tenant(
    slug: Slug, name: Annotated[str | None, typer.Option(help="Full name.")] = None, json: JsonFlag = False
) -> None:
    """Create a tenant."""
    made = with_opened(lambda opened: opened.identity.create_tenant(slug, name or slug))
    show_one(_tenant(made), f"Created tenant {made.slug} ({show_id('ten', made.id)}).", json)


@tenants.command("list")
def list_tenants(json: JsonFlag = False) -> None:
    """List every tenant."""
    found = with_opened(lambda opened: _all_pages(opened.identity.list_tenants))
    show_many("Tenants", [_tenant(each) for each in found], "No tenant yet: mainspring tenant create SLUG", json)


@tenants.command("ai")
def switch_ai(slug: Slug, switch: Annotated[str, typer.Argument(help="on or off")], json: JsonFlag = False) -> None:
    """Switch generative models on or off for a tenant; analyses then run by classifier and rules."""
    if switch not in ("on", "off"):
        raise typer.BadParameter("say on or off", param_hint="SWITCH")

    async def change(opened: Opened) -> Tenant:
        tenant = await opened.get_tenant(slug)
        return await opened.identity.set_ai_enabled(operator(tenant.id), switch == "on")

    show_one(_tenant(with_opened(change)), f"AI is {switch} for {slug}.", json)


@tenants.command("share")
def share_workers(
    slug: Slug,
    weight: Annotated[int | None, typer.Option(min=1, max=100, help="Part of places that several want.")] = None,
    max_running: Annotated[int | None, typer.Option(min=0, help="Steps at once over all workers; 0: no limit.")] = None,
    json: JsonFlag = False,
) -> None:
    """Show or set what part of the workers a tenant gets; in force from the next claim on."""

    async def change(opened: Opened) -> Share:
        tenant = await opened.get_tenant(slug)
        before = await find_share(opened.database, tenant.id)
        most = before.max_running if max_running is None else (max_running or None)
        share = Share(before.weight if weight is None else weight, most)
        if share != before:
            await set_share(opened.database, tenant.id, share)
        return share

    share = with_opened(change)
    at_most = "any number of" if share.max_running is None else f"at most {share.max_running}"
    show_one(
        {"tenant": slug, "weight": share.weight, "max_running": share.max_running},
        f"{slug} has weight {share.weight} and runs {at_most} steps at once.",
        json,
    )


@users.command("add")
def add_user(
    slug: Slug,
    email: Annotated[str, typer.Argument(help="Address to sign in with.")],
    role: Annotated[Role, typer.Option(help="What the person may do.")] = Role.VIEWER,
    name: Annotated[str | None, typer.Option(help="Full name.")] = None,
    json: JsonFlag = False,
) -> None:
    """Add a person to a tenant; a new account's password is generated and shown once."""

    async def add(opened: Opened) -> dict[str, object]:
        tenant = await opened.get_tenant(slug)
        added = await opened.identity.members.add(operator(tenant.id), email=email, name=name or email, role=role)
        return {
            "member": show_id("mem", added.member.id),
            "email": added.member.user.email,
            "role": added.member.role.value,
            "password": added.password,
        }

    added = with_opened(add)
    shown = f" Password, shown once: {added['password']}" if added["password"] else ""
    show_one(added, f"Added {added['email']} to {slug} as {role.value}.{shown}", json)


@keys.command("create")
def create_key(
    slug: Slug,
    name: Annotated[str, typer.Option(help="What the key is for.")] = "cli",
    scope: Annotated[list[str] | None, typer.Option(help="A permission; repeat for several; default: all.")] = None,
    days: Annotated[int | None, typer.Option(min=1, max=3650, help="Expire after so many days.")] = None,
    json: JsonFlag = False,
) -> None:
    """Create an API key; with every scope it also calls models. The secret is shown once."""

    async def create(opened: Opened) -> dict[str, object]:
        tenant = await opened.get_tenant(slug)
        expires_at = datetime.now(UTC) + timedelta(days=days) if days else None
        made = await opened.identity.keys.create(operator(tenant.id), name=name, scopes=scope, expires_at=expires_at)
        return {
            "id": show_id("key", made.key.id),
            "name": made.key.name,
            "secret": made.secret,
            "expires_at": expires_at,
        }

    made = with_opened(create)
    show_one(made, f"Key {made['id']} for {slug}. The secret, shown once:\n{made['secret']}", json)


@keys.command("list")
def list_keys(slug: Slug, json: JsonFlag = False) -> None:
    """List a tenant's API keys."""

    async def read(opened: Opened) -> list[dict[str, object]]:
        principal = operator((await opened.get_tenant(slug)).id)
        found = await _all_pages(lambda request: opened.identity.keys.list(principal, request))
        return [
            {
                "id": show_id("key", key.id),
                "name": key.name,
                "prefix": key.prefix,
                "state": "revoked" if key.revoked_at else "active",
                "expires_at": key.expires_at,
                "last_used_at": key.last_used_at,
            }
            for key in found
        ]

    show_many("API keys", with_opened(read), f"No key yet: mainspring key create {slug}", json)


@keys.command("revoke")
def revoke_key(slug: Slug, key: Annotated[str, typer.Argument(help="key_...")], json: JsonFlag = False) -> None:
    """Revoke an API key at once."""

    async def revoke(opened: Opened) -> dict[str, object]:
        tenant = await opened.get_tenant(slug)
        await opened.identity.keys.revoke(operator(tenant.id), KeyId(read_id("key", key)))
        return {"id": key, "state": "revoked"}

    show_one(with_opened(revoke), f"Revoked {key}.", json)


async def _all_pages(read: Callable[[PageRequest], Awaitable[Page[Item]]]) -> list[Item]:
    page = await read(page_request(200, None))
    items = list(page.items)
    while page.next_cursor:
        page = await read(page_request(200, page.next_cursor))
        items += page.items
    return items


def _tenant(tenant: Tenant) -> dict[str, object]:
    return {
        "id": show_id("ten", tenant.id),
        "slug": tenant.slug,
        "name": tenant.name,
        "ai_enabled": tenant.is_ai_enabled,
        "created_at": tenant.created_at,
    }
