"""The operator's commands for where tenants' knowledge lives: see it, move it, clean up after moves."""

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, TypeVar

import typer
from pydantic import SecretStr

from mainspring.application.identity import Tenant
from mainspring.entry.engines import borrowed_engines
from mainspring.foundation.engines import EngineUrls
from mainspring.foundation.ids import show_id
from mainspring.foundation.settings import Settings, load_settings
from mainspring.migrations import migrate
from mainspring.orchestration.knowledge.homes import (
    Cleaner,
    Homes,
    Mover,
    Place,
    Server,
    Tier,
    read_databases,
    read_servers,
)

from .opened import Opened, with_opened
from .output import JsonFlag, notes, show_many, show_one

knowledge = typer.Typer(help="Where tenants' knowledge lives, and moving it.", no_args_is_help=True)

Result = TypeVar("Result")


@knowledge.command("homes")
def list_homes(json: JsonFlag = False) -> None:
    """List the tenants whose knowledge does not live in the shared tables, and those that are moving."""

    async def read(opened: Opened) -> list[dict[str, object]]:
        homes = Homes(opened.database, read_databases(_text(opened.settings.knowledge_databases)))
        return [
            {
                "tenant": show_id("ten", home.tenant),
                "home": str(home.place),
                "moving_to": str(home.bound_for) if home.bound_for else None,
            }
            for home in await homes.list_homes()
            if home.bound_for or home.place.tier != Tier.SHARED
        ]

    show_many("Homes", with_opened(read), "Every tenant lives in the shared tables.", json)


@knowledge.command("move")
def move(
    slug: Annotated[str, typer.Argument(help="Short name of the tenant.")],
    to: Annotated[Tier, typer.Option(help="A schema or a database of its own, or back to the shared tables.")],
    database: Annotated[
        str | None, typer.Option(help="With --to database: a name of MAINSPRING_KNOWLEDGE_DATABASES.")
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Move a tenant's knowledge while it is used. Killed and run again, it goes on; old rows stay until `clean`."""
    if (to == Tier.DATABASE) != (database is not None):
        raise typer.BadParameter("name a database with --to database, and only then", param_hint="--database")
    tenant = _tenant(slug)
    target = Place.of_tenant(tenant.id, to, database)
    moved = _with_mover(lambda mover: mover.move(tenant.id, target))
    if moved is None:
        show_one({"tenant": slug, "home": str(target), "moved": False}, f"{slug} lives in {target} already.", json)
        return
    milliseconds = round(moved.locked_seconds * 1000)
    show_one(
        {"tenant": slug, "home": str(target), "moved": True, "locked_ms": milliseconds, "rows": dict(moved.rows)},
        f"{slug} lives in {target} now: {moved.rows['document']} documents, {sum(moved.rows.values())} rows, "
        f"compared one by one. Its writers waited {milliseconds} ms at most.",
        json,
    )


@knowledge.command("clean")
def clean(
    hours: Annotated[float, typer.Option(min=0, help="Leave what moves left in the last so many hours.")] = 24,
    json: JsonFlag = False,
) -> None:
    """Delete the rows that moves left behind at the old homes."""
    cleaned = _with_mover(lambda mover: Cleaner(mover).clean(kept_for=timedelta(hours=hours)))
    rows = [{"tenant": show_id("ten", left.tenant), "removed_from": str(left.place)} for left in cleaned]
    show_many("Cleaned", rows, "Nothing is left of moves that old.", json)


def _tenant(slug: str) -> Tenant:
    return with_opened(lambda opened: opened.get_tenant(slug))


def _with_mover(use: Callable[[Mover], Result]) -> Result:
    settings = load_settings()
    with borrowed_engines(settings) as urls:
        migrate(urls.database_admin_url, login=urls.login)
        return use(_mover(settings, urls))


def _mover(settings: Settings, urls: EngineUrls) -> Mover:
    servers = read_servers(
        Server(urls.database_url, urls.database_admin_url),
        _text(settings.knowledge_databases),
        _text(settings.knowledge_admin_databases),
    )
    return Mover(servers, tell=lambda step: notes.print(step, markup=False))


def _text(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret is not None else None
