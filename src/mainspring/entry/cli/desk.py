"""What the commands of operating work on: every tenant's runs, and the pipelines where one is started anew.

Across tenants they show how things go, by names, states and codes. What runs were given, made and said is read in one
tenant at a time, which the command names.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, TypeVar

import typer

from mainspring.application.identity import Identity, operator
from mainspring.entry.engines import borrowed_engines
from mainspring.foundation.db import Database
from mainspring.foundation.errors import InvalidInput, NotFound
from mainspring.foundation.ids import TenantId
from mainspring.foundation.pagination import page_request
from mainspring.foundation.principal import Principal
from mainspring.foundation.settings import load_settings
from mainspring.foundation.valkey import Valkey
from mainspring.migrations import migrate
from mainspring.orchestration.pipelines import Pipeline, Pipelines
from mainspring.orchestration.pipelines.operating import Declared, Operating, build_operating

from .opened import Opened, with_opened

Result = TypeVar("Result")

TenantOption = Annotated[
    str | None, typer.Option("--tenant", help="Short name of the tenant; content is shown of a named one only.")
]
NamedTenant = Annotated[str, typer.Option("--tenant", help="Short name of the tenant.")]
LimitOption = Annotated[int, typer.Option(min=1, max=200, help="How many at most.")]


@dataclass(frozen=True, slots=True)
class Desk:
    """The services of operating, and who the tenants are."""

    database: Database
    valkey: Valkey
    identity: Identity
    operating: Operating

    async def find_tenant(self, slug: str | None) -> TenantId | None:
        """The tenant of a short name, None for none; NotFound says how to see them all."""
        return None if slug is None else (await self.get_operator(slug)).tenant

    async def get_operator(self, slug: str) -> Principal:
        """The operator in the tenant of a short name."""
        found = await self.identity.find_tenant(slug)
        if found is None:
            raise NotFound(f"There is no tenant {slug!r}; see `mainspring tenant list`.")
        return operator(found.id)

    async def list_slugs(self) -> dict[TenantId, str]:
        """Short names of all tenants."""
        slugs: dict[TenantId, str] = {}
        cursor = None
        while True:
            page = await self.identity.list_tenants(page_request(200, cursor))
            slugs |= {tenant.id: tenant.slug for tenant in page.items}
            if page.next_cursor is None:
                return slugs
            cursor = page.next_cursor


def with_desk(use: Callable[[Desk], Awaitable[Result]]) -> Result:
    """Run one use case that starts no pipeline anew: only the engines are needed."""

    async def run(opened: Opened) -> Result:
        pipelines = Pipelines(opened.database, opened.valkey)
        operating = build_operating(opened.database, pipelines, Declared([]))
        return await use(Desk(opened.database, opened.valkey, opened.identity, operating))

    return with_opened(run)


def with_pipelines(use: Callable[[Desk], Awaitable[Result]]) -> Result:
    """As `with_desk`, knowing every pipeline that is installed here; the operator may start each of them."""
    from mainspring.entry.wiring import build  # takes seconds, which most commands of operating need not wait for

    settings = load_settings()

    async def run() -> Result:
        async with build(settings) as platform:
            orchestration = platform.orchestration
            every: list[Pipeline] = [*orchestration.brought.pipelines, *orchestration.knowledge.pipelines]
            declared = Declared(every, startable={pipeline.name for pipeline in every})
            operating = build_operating(platform.database, orchestration.pipelines, declared)
            return await use(Desk(platform.database, platform.valkey, platform.identity, operating))

    with borrowed_engines(settings) as urls:
        migrate(urls.database_admin_url, login=urls.login)
        return asyncio.run(run())


def printable(text: object) -> str:
    """Text of strangers without anything that a terminal would obey."""
    return "".join(
        letter if letter.isprintable() or letter in "\n\t" else "\N{REPLACEMENT CHARACTER}" for letter in str(text)
    )


def show_time(at: datetime | None) -> str | None:
    """An instant to the second, in UTC."""
    return f"{at:%Y-%m-%d %H:%M:%S}" if at else None


def read_since(text: str | None, now: datetime) -> datetime | None:
    """`90s`, `15m`, `6h` or `3d` ago; InvalidInput for anything else."""
    if text is None:
        return None
    units = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
    if not (1 < len(text) < 8 and text[:-1].isascii() and text[:-1].isdigit() and text[-1] in units):
        raise InvalidInput(f"{text[:20]!r} is no stretch of time; say 90s, 15m, 6h or 3d.")
    return now - timedelta(**{units[text[-1]]: int(text[:-1])})
