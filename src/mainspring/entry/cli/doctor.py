"""`mainspring doctor`: what is set and from where, and whether each engine answers, with the mend beside it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx
import typer

from mainspring.entry.engines import borrowed_engines
from mainspring.entry.stack import find_stack_gateway, find_stack_models, find_stack_url
from mainspring.foundation.db import Database
from mainspring.foundation.engines import EngineUrls
from mainspring.foundation.errors import MainspringError
from mainspring.foundation.ids import TenantId, new_id
from mainspring.foundation.objects import ObjectStore
from mainspring.foundation.settings import Settings, describe, load_settings
from mainspring.foundation.valkey import open_valkey
from mainspring.inference.gateway import bundled_models
from mainspring.migrations import migrate

from .catalogue import describe_catalogue
from .output import JsonFlag, screen, show_json, show_table


@dataclass(frozen=True, slots=True)
class Check:
    """One engine: whether it works, what was seen, and how long it took."""

    name: str
    works: bool
    detail: str
    milliseconds: float


def doctor(json: JsonFlag = False) -> None:
    """Show every setting with its source, bring the schema up, test each engine. Exit code 1 when one fails."""
    settings = load_settings()
    facts = describe(settings)
    if not json:
        rows = [{"setting": f.name, "value": f.value, "from": f.source, "meaning": f.description} for f in facts]
        show_table("Settings", rows, empty="")
    with borrowed_engines(settings) as urls:
        checks = asyncio.run(_check_all(settings, urls))
    if json:
        show_json({"settings": facts, "checks": checks})
    else:
        screen.print()
        for check in checks:
            mark = "[green]works[/]" if check.works else "[red]fails[/]"
            screen.print(f"{mark}  {check.name:<14} {check.milliseconds:7.1f} ms  {check.detail}", soft_wrap=True)
    if not all(check.works for check in checks):
        raise typer.Exit(1)


async def _check_all(settings: Settings, urls: EngineUrls) -> list[Check]:
    async def postgres() -> str:
        before, after = await asyncio.to_thread(migrate, urls.database_admin_url, login=urls.login)
        database = await Database.open(urls.database_url, connections=2)
        try:
            await database.ping()
        finally:
            await database.close()
        return f"schema {after}" if before == after else f"schema migrated from {before} to {after}"

    async def valkey() -> str:
        client = open_valkey(urls.valkey_url)
        try:
            server = await client.info("server")
        finally:
            await client.aclose()
        return f"version {server.get('valkey_version') or server.get('redis_version')}"

    async def objects() -> str:
        store, probe = ObjectStore.open(settings.objects_url), TenantId(new_id())
        await store.put(probe, "doctor", b"probe")
        await store.delete(probe, "doctor")
        return settings.objects_url

    async def models() -> str:
        url = settings.models_url or find_stack_models(settings.data_dir)
        if url is None:
            return f"installed: {', '.join(bundled_models())}; started by `mainspring serve`"
        async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
            answer = (await client.get(f"{url}/models")).raise_for_status()
        return ", ".join(model["id"] for model in answer.json()["data"])

    async def api() -> str:
        return find_stack_url(settings.data_dir) or "not running; start it with `mainspring serve`"

    async def catalogue() -> str:
        return describe_catalogue(settings)

    async def gateway() -> str:
        return find_stack_gateway(settings.data_dir) or "not running; start it with `mainspring serve` or `gateway`"

    probes = {
        "Postgres": postgres,
        "Valkey": valkey,
        "object store": objects,
        "local models": models,
        "catalogue": catalogue,
        "API": api,
        "gateway": gateway,
    }
    return [await _check(name, probe) for name, probe in probes.items()]


async def _check(name: str, probe: Callable[[], Awaitable[str]]) -> Check:
    started = time.perf_counter()
    try:
        works, detail = True, await probe()
    except MainspringError as error:
        works, detail = False, error.detail
    except Exception as error:  # noqa: BLE001 - the edge of a probe: whatever an engine raises is its finding
        works, detail = False, f"{type(error).__name__}: check its URL and that it runs"
    return Check(name, works, detail, round((time.perf_counter() - started) * 1000, 1))
