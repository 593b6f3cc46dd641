"""Our own stack for the bench: embedded engines with fsync on, a tenant with 10,000 keys, the gateway process.

The engines share the gateway's core, and their CPU time is counted with the gateway's. How the
gateway is configured is said in `configuration`.
"""

import asyncio
import hashlib
import importlib.util
import secrets
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from mainspring.application.identity import ALL_PERMISSIONS, Identity
from mainspring.foundation.db import Database
from mainspring.foundation.engines import EmbeddedEngines, EngineUrls
from mainspring.foundation.ids import TenantId, new_id
from mainspring.foundation.valkey import open_valkey
from mainspring.inference.gateway.policy import TenantPolicy
from mainspring.migrations import migrate

from .configuration import FAST_MODEL, HEADERS, KEYS, MODULE, SLOW_MODEL, Variant, environment
from .contenders import Absent, Endpoint, Site, find_free_port, run_nginx
from .processes import on_core, raise_priority, running


@dataclass(frozen=True, slots=True)
class Ours:
    """The gateway in one of its variants."""

    variant: Variant
    runs: int = 99

    @property
    def name(self) -> str:
        """Its row."""
        return self.variant.name

    @property
    def note(self) -> str:
        """What is on."""
        return self.variant.note

    @contextmanager
    def start(self, site: Site) -> Generator[Endpoint]:
        """Engines, schema, tenant and keys first; only the gateway's own start is timed."""
        if self.variant.missing:
            raise Absent(self.variant.missing)
        if (self.variant.with_tls or self.variant.calls_with_tls) and not site.upstream.tls_port:
            raise Absent("there is no TLS in front of the mock: it needs nginx and openssl")
        if importlib.util.find_spec(MODULE) is None:
            raise Absent(f"there is no {MODULE}")
        with _engines(site.folder / "engines", site.core) as (urls, engines):
            keys = asyncio.run(_furnish(urls, self.variant.policy))
            port, began = find_free_port(), time.monotonic()
            settings = environment(urls, site.upstream, self.variant, site.folder / "data", port)
            command = (sys.executable, "-m", MODULE)
            with (
                running(command, site.core, site.folder / "gateway.log", settings) as process,
                _door(site, port, with_tls=self.variant.calls_with_tls) as door,
            ):
                yield Endpoint(
                    door,
                    headers=HEADERS,
                    keys=keys,
                    fast_model=FAST_MODEL,
                    slow_model=SLOW_MODEL,
                    processes=(process.pid,),
                    engines=engines,
                    started_at=began,
                    log=site.folder / "gateway.log",
                )


@contextmanager
def _door(site: Site, port: int, *, with_tls: bool) -> Generator[int]:
    """Where the load generator, which speaks no TLS, reaches the gateway: through nginx on its own core if need be."""
    if not with_tls:
        yield port
        return
    door = find_free_port()
    values = {
        "port": door,
        "upstream_port": port,
        "scheme": "https",
        "verify": "on",
        "certificate": site.upstream.certificate,
    }
    with run_nginx("nginx.conf", site.folder / "door", site.load_core, values):
        yield door


@contextmanager
def _engines(folder: Path, core: int) -> Generator[tuple[EngineUrls, tuple[int, ...]]]:
    """Postgres and Valkey on the core, migrated; their process ids."""
    embedded = EmbeddedEngines(folder)
    try:
        with on_core(core):
            urls = embedded.start()
        pids = tuple(child.pid for child in embedded.children if child.pid is not None)
        for pid in pids:
            raise_priority(pid)
        migrate(urls.database_admin_url, login=urls.login)
        yield urls, pids
    finally:
        embedded.stop()


async def _furnish(urls: EngineUrls, policy: TenantPolicy) -> tuple[str, ...]:
    """One tenant with its policy and keys; the keys' secrets."""
    database, valkey = await Database.open(urls.database_url, connections=2), open_valkey(urls.valkey_url)
    identity = Identity(database, valkey)
    try:
        tenant = (await identity.create_tenant("bench", "Bench")).id
        await _write_policy(database, tenant, policy)
        return await _make_keys(database, tenant, KEYS)
    finally:
        await identity.close()
        await valkey.aclose()
        await database.close()


async def _write_policy(database: Database, tenant: TenantId, policy: TenantPolicy) -> None:
    async with database.tenant(tenant) as transaction:
        await transaction.run(
            "insert into gateway_policy (tenant_id, version, document, updated_by)"
            " values (%(tenant)s, 1, %(document)s::jsonb, 'bench')",
            tenant=tenant,
            document=msgspec.json.encode(policy).decode(),
        )


async def _make_keys(database: Database, tenant: TenantId, count: int) -> tuple[str, ...]:
    """Rows as identity writes them; its own use case makes one key a transaction, which would take a minute."""
    made, now = [(f"ms_{secrets.token_hex(4)}", secrets.token_hex(22)[:43]) for _ in range(count)], datetime.now(UTC)
    secret = {prefix: f"{prefix}_{ending}" for prefix, ending in made}
    rows = [
        {
            "tenant": tenant,
            "id": new_id(),
            "prefix": prefix,
            "hash": hashlib.sha256(whole.encode()).digest(),
            "scopes": sorted(ALL_PERMISSIONS),
            "at": now,
        }
        for prefix, whole in secret.items()
    ]
    async with database.tenant(tenant) as transaction:
        await transaction.many(
            "insert into api_key (tenant_id, id, name, prefix, secret_hash, scopes, created_at)"
            " values (%(tenant)s, %(id)s, 'bench', %(prefix)s, %(hash)s, %(scopes)s, %(at)s)",
            rows,
        )
    return tuple(secret.values())
