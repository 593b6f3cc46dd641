"""What the clients talk to: the gateway as a process, over scripted providers of two dialects and the local models.

The providers run in a thread of their own, since a client that waits would block the loop they
answer on. Only the gateway and the local models are processes; nothing of theirs is replaced.
"""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import httpx
import msgspec

from mainspring.application.identity import Identity, operator
from mainspring.foundation.db import Database, Row
from mainspring.foundation.engines import EngineUrls, find_free_port
from mainspring.foundation.ids import TenantId, read_id
from mainspring.foundation.valkey import open_valkey
from mainspring.inference.gateway import local_models_command
from mainspring.inference.gateway.policy import Limit, TenantPolicy
from tests.upstream import Fault, Received, Reply, Upstream

OPENAI_MODEL = "openai/gpt-5.4-mini-2026-03-17"
OPENAI_EMBEDDER = "openai/text-embedding-3-small"
ANTHROPIC_MODEL = "anthropic/claude-sonnet-5-5"
FRAGILE_MODEL = "fragile/one"
LOCAL_MODEL = "local/smollm2-135m-instruct"
LOCAL_EMBEDDER = "local/minilm-l6-v2"

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="  # a PNG

_SLUG = "clients"
_START_SECONDS = 30.0
_HURRIED = TenantPolicy(limits=(Limit(scope="key", requests_per_minute=2),))
_FRUGAL = TenantPolicy(limits=(Limit(scope="key", calls_per_day=0),))


@dataclass(frozen=True, slots=True)
class Provider:
    """A scripted provider that the gateway calls: in which dialect, and by which model's name."""

    dialect: Literal["openai", "anthropic"]
    model: str
    upstream: Upstream
    lines: deque[Reply | Fault]

    @classmethod
    def of(cls, dialect: Literal["openai", "anthropic"], model: str) -> "Provider":
        """One that answers what is scripted, then a default."""
        lines = deque[Reply | Fault]()
        return cls(dialect, model, Upstream(dialect, default=lambda _: lines.popleft() if lines else Reply()), lines)

    def script(self, *lines: Reply | Fault) -> None:
        """Answer the next calls so."""
        self.lines.extend(lines)

    def forget(self) -> int:
        """Begin anew; how many lines of the script were never asked for."""
        left = len(self.lines)
        self.lines.clear()
        self.upstream.requests.clear()
        return left

    @property
    def last(self) -> Received:
        """The last call as the provider got it."""
        return self.upstream.requests[-1]

    @property
    def asked(self) -> dict[str, Any]:
        """The body of the last call."""
        return self.last.wire


@dataclass(frozen=True, slots=True)
class Rig:
    """Everything that a test points a client at.

    url           of the gateway, without /v1
    key           may call models and see their records
    reader_key    may not
    hurried_key   may make two calls a minute
    frugal_key    has no call left today
    engines       settings that lead another process to the same engines
    fragile       a provider whose failures harm no other test
    """

    url: str
    key: str
    reader_key: str
    hurried_key: str
    frugal_key: str
    tenant: TenantId
    slug: str
    engines: Mapping[str, str]
    openai: Provider
    anthropic: Provider
    fragile: Provider

    @property
    def v1(self) -> str:
        """The base for clients that add no /v1 themselves."""
        return f"{self.url}/v1"

    def record(self, identifier: str) -> Row:
        """The record of a call, as soon as it is in Postgres."""
        return asyncio.run(_find_record(self.engines["MAINSPRING_DATABASE_URL"], self.tenant, identifier))


@contextmanager
def running_rig(engines: EngineUrls, folder: Path) -> Generator[Rig]:
    """Providers, local models, keys, then the gateway; stopped in reverse."""
    with ExitStack() as opened:
        providers = (
            Provider.of("openai", OPENAI_MODEL),
            Provider.of("anthropic", ANTHROPIC_MODEL),
            Provider.of("openai", FRAGILE_MODEL),
        )
        opened.enter_context(_running_upstreams(*(provider.upstream for provider in providers)))
        models_url = opened.enter_context(_running_models(folder))
        tenant, keys = asyncio.run(_make_keys(engines))
        settings = {
            "MAINSPRING_DATABASE_URL": engines.database_url,
            "MAINSPRING_DATABASE_ADMIN_URL": engines.database_admin_url,
            "MAINSPRING_VALKEY_URL": engines.valkey_url,
            "MAINSPRING_DATA_DIR": str(folder / "data"),
            "MAINSPRING_MODELS_URL": models_url,
        }
        url = opened.enter_context(_running_gateway(settings, folder, providers))
        yield Rig(
            url,
            *keys,
            tenant=tenant,
            slug=_SLUG,
            engines=settings,
            openai=providers[0],
            anthropic=providers[1],
            fragile=providers[2],
        )


@contextmanager
def _running_upstreams(*upstreams: Upstream) -> Generator[None]:
    """Scripted providers on a loop of their own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    stack = AsyncExitStack()

    async def open_() -> None:
        for upstream in upstreams:
            await stack.enter_async_context(upstream)

    try:
        asyncio.run_coroutine_threadsafe(open_(), loop).result(_START_SECONDS)
        yield
    finally:
        asyncio.run_coroutine_threadsafe(stack.aclose(), loop).result(_START_SECONDS)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextmanager
def _running_models(folder: Path) -> Generator[str]:
    port = find_free_port()
    with _running((sys.executable, *local_models_command(port)), folder / "models.log", {}) as process:
        _await(process, folder / "models.log", lambda: _answers(f"http://127.0.0.1:{port}/health"))
        yield f"http://127.0.0.1:{port}/v1"


@contextmanager
def running_api(rig: Rig, folder: Path) -> Generator[str]:
    """The API on the same engines; its address."""
    port, log = find_free_port(), folder / "api.log"
    settings = {**rig.engines, "MAINSPRING_PORT": str(port)}
    with _running((sys.executable, "-m", "mainspring.entry.api"), log, settings) as process:
        _await(process, log, lambda: _answers(f"http://127.0.0.1:{port}/healthz"))
        yield f"http://127.0.0.1:{port}"


@contextmanager
def _running_gateway(engines: Mapping[str, str], folder: Path, providers: Sequence[Provider]) -> Generator[str]:
    port, ready = find_free_port(), folder / "ready"
    settings = {
        **engines,
        "MAINSPRING_GATEWAY_FILE": str(_write_endpoints(folder, providers)),
        "MAINSPRING_GATEWAY_PORT": str(port),
        "MAINSPRING_READY_FILE": str(ready),
        "MAINSPRING_REGION": "eu-central-1",
        "SCRIPTED_KEY": "sk-scripted",
    }
    log = folder / "gateway.log"
    with _running((sys.executable, "-m", "mainspring.entry.gateway"), log, settings) as process:
        _await(process, log, ready.is_file)
        yield f"http://127.0.0.1:{port}"


def _write_endpoints(folder: Path, providers: Sequence[Provider]) -> Path:
    """The operator's file: three endpoints with names and dialects of their own."""
    lines = ["[aliases]", 'drafts = "openai/gpt-5.4-mini-2026-03-17"']
    for provider in providers:
        vendor = provider.model.partition("/")[0]
        lines += ["[[endpoints]]", f'name = "{vendor}-eu"', f'provider = "{vendor}"', 'region = "eu-central-1"']
        lines += [f'url = "{provider.upstream.url}"', 'api_key_env = "SCRIPTED_KEY"']
    lines += ["[[models]]", f'name = "{FRAGILE_MODEL}"', "context_tokens = 128000"]
    written = folder / "models.toml"
    written.write_text("\n".join(lines) + "\n")
    return written


@contextmanager
def _running(command: tuple[str, ...], log: Path, settings: Mapping[str, str]) -> Generator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, env={**os.environ, **settings}, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await(process: subprocess.Popen[bytes], log: Path, claim: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not claim():
        assert process.poll() is None, f"the process ended:\n{log.read_text()[-2000:]}"
        assert time.monotonic() < deadline, f"the process is not ready:\n{log.read_text()[-2000:]}"
        time.sleep(0.02)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


async def _make_keys(engines: EngineUrls) -> tuple[TenantId, tuple[str, str, str, str]]:
    """A tenant without limits, two with some, and their keys in the order of `Rig`."""
    database, valkey = await Database.open(engines.database_url, connections=2), open_valkey(engines.valkey_url)
    identity = Identity(database, valkey)

    async def key(tenant: TenantId, *scopes: str) -> str:
        return (await identity.keys.create(operator(tenant), name="tests", scopes=scopes)).secret

    async def limited(name: str, policy: TenantPolicy) -> str:
        tenant = (await identity.create_tenant(name, name.title())).id
        await _write_policy(database, tenant, policy)
        return await key(tenant, "ai.model.call")

    try:
        tenant = (await identity.create_tenant(_SLUG, "Clients")).id
        own = await key(tenant, "ai.model.call", "ai.output.view"), await key(tenant, "contract.upload")
        return tenant, (*own, await limited("hurried", _HURRIED), await limited("frugal", _FRUGAL))
    finally:
        await identity.close()
        await valkey.aclose()
        await database.close()


async def _write_policy(database: Database, tenant: TenantId, policy: TenantPolicy) -> None:
    async with database.tenant(tenant) as transaction:
        await transaction.run(
            "insert into gateway_policy (tenant_id, version, document, updated_by)"
            " values (%(tenant)s, 1, %(document)s::jsonb, 'tests')",
            tenant=tenant,
            document=msgspec.json.encode(policy).decode(),
        )


async def _find_record(database_url: str, tenant: TenantId, identifier: str) -> Row:
    database = await Database.open(database_url, connections=2)
    statement = """select r.*, p.input, p.output from inference_record r
                     left join inference_payload p on p.record_id = r.id
                    where r.id = %(id)s and r.status <> 'started'"""
    try:
        async with asyncio.timeout(10):
            while True:
                async with database.tenant(tenant) as transaction:
                    rows = await transaction.all(statement, id=read_id("inf", identifier))
                if rows:
                    return rows[0]
                await asyncio.sleep(0.02)
    finally:
        await database.close()
