"""The gateway's doors in the test's own loop: real engines behind them, two scripted providers beyond.

`acme` speaks the OpenAI dialect and `clau` Anthropic's. Every case takes a model of its own, so that
neither scripts nor breakers of one case are met by another.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from mainspring.application.identity import Identity, operator
from mainspring.foundation.db import Database, Row
from mainspring.foundation.engines import EngineUrls
from mainspring.foundation.ids import TenantId, read_id
from mainspring.foundation.valkey import Valkey, open_valkey
from mainspring.foundation.vault import LocalKeyWrapper, Vault
from mainspring.inference.gateway import Gateway, GatewaySettings, build_gateway, shipper
from mainspring.inference.gateway.policy import TenantPolicy
from mainspring.inference.gateway.server import Doors, Server
from mainspring.inference.gateway.testing import ScriptedProvider
from tests.upstream import Fault, Received, Reply

from .running import INPUT_MICROS, OUTPUT_MICROS, Provider, until

MODELS = 60
OLD, GONE, FLOATING, PINNED = "acme/old", "acme/gone", "acme/floating", "acme/fixed-2026-01-01"
FIRST, SECOND = "acme/first", "clau/second"
EITHER = "either"
"""An alias of two models: the second is asked where the first will not do."""

_MASTER = bytes(range(32))
_numbers = count()


@dataclass(frozen=True, slots=True)
class Member:
    """A tenant and a key of it that may call models."""

    tenant: TenantId
    key: str


@dataclass(eq=False)
class Place:
    """One gateway and whoever is around it."""

    url: str
    gateway: Gateway
    database: Database
    valkey: Valkey
    identity: Identity
    vault: Vault
    acme: Provider
    clau: Provider
    local: ScriptedProvider
    client: httpx.AsyncClient
    _models: "count[int]" = field(default_factory=count)

    def model(self, provider: str = "acme") -> str:
        """A model that nobody used."""
        number = next(self._models)
        assert number < MODELS, "the file of models lists too few"
        return f"{provider}/m{number}"

    def script(self, model: str, *lines: Reply | Fault) -> None:
        """Answer the next calls of a model so."""
        provider, _, wire = model.partition("/")
        (self.acme if provider == "acme" else self.clau).lines[wire].extend(lines)

    def asked(self, model: str) -> list[Received]:
        """The calls for a model as its provider got them."""
        provider, _, wire = model.partition("/")
        return (self.acme if provider == "acme" else self.clau).received(wire)

    async def member(self, policy: TenantPolicy | None = None, *scopes: str) -> Member:
        """A new tenant, under a policy, that the gateway knows."""
        slug = f"d{next(_numbers)}"
        tenant = (await self.identity.create_tenant(slug, slug.title())).id
        if policy:
            await self.write_policy(tenant, policy)
        made = await self.identity.keys.create(operator(tenant), name=slug, scopes=scopes or ["ai.model.call"])
        await self.reload(tenant)
        return Member(tenant, made.secret)

    async def write_policy(self, tenant: TenantId, policy: TenantPolicy) -> None:
        """Put a policy."""
        async with self.database.tenant(tenant) as transaction:
            await transaction.run(
                "insert into gateway_policy (tenant_id, version, document, updated_by)"
                " values (%(tenant)s, 1, %(document)s::jsonb, 'tests')",
                tenant=tenant,
                document=msgspec.json.encode(policy).decode(),
            )

    async def reload(self, tenant: TenantId) -> None:
        """Let the gateway read a tenant now."""
        assert self.gateway.keeper is not None
        await self.gateway.keeper.load_tenant(tenant)

    async def chat(self, member: Member, body: Mapping[str, Any], **headers: str) -> httpx.Response:
        """A chat completion; `x_mainspring_cache` is the header of that name."""
        return await self.post("/v1/chat/completions", member, body, **headers)

    async def post(self, path: str, member: Member, body: Mapping[str, Any], **headers: str) -> httpx.Response:
        """A call of a door."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.post(self.url + path, json=body, headers={"x-api-key": member.key, **named})

    async def get(self, path: str, member: Member, **headers: str) -> httpx.Response:
        """A question to a door."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.get(self.url + path, headers={"x-api-key": member.key, **named})

    async def records(self, member: Member, number: int) -> list[Row]:
        """The tenant's calls, oldest first, with their payloads, once there are so many."""
        rows: list[Row] = []

        async def are_there() -> bool:
            rows[:] = await self.stored(member)
            return len(rows) >= number

        await until(are_there)
        assert len(rows) == number, f"{len(rows)} records instead of {number}"
        return rows

    async def stored(self, member: Member) -> list[Row]:
        """What is in Postgres of the tenant's calls now."""
        async with self.database.tenant(member.tenant) as transaction:
            return await transaction.all(
                "select r.*, p.input, p.output, p.dialect from inference_record r"
                " left join inference_payload p on p.record_id = r.id order by r.id"
            )

    async def record(self, member: Member, response: httpx.Response) -> Row:
        """The record of an answer."""
        wanted = read_id("inf", response.headers["x-mainspring-request-id"])
        found: list[Row] = []

        async def is_there() -> bool:
            found[:] = [row for row in await self.stored(member) if row["id"] == wanted]
            return bool(found)

        await until(is_there)
        return found[0]

    async def spent(self, member: Member) -> int:
        """Micros of the tenant, as its books have them."""
        async with self.database.tenant(member.tenant) as transaction:
            row = await transaction.one(
                "select coalesce(sum(cost_micros), 0)::bigint as micros from gateway_spend where scope = 'tenant'"
            )
        return row["micros"]


def ask(model: str, text: str = "What is the notice period?", **more: Any) -> dict[str, Any]:
    """The body of a call in either dialect of messages."""
    return {"model": model, "messages": [{"role": "user", "content": text}], "max_tokens": 50, **more}


def said(response: httpx.Response) -> str:
    """The text of a whole answer or a stream, in any of the dialects."""
    assert response.status_code == 200, response.text
    if response.headers["content-type"].startswith("text/event-stream"):
        return "".join(_piece(event) for event in events(response))
    wire = response.json()
    if "choices" in wire:
        return wire["choices"][0]["message"]["content"]
    blocks = wire["content"] if "content" in wire else wire["output"][0]["content"]
    return "".join(block["text"] for block in blocks)


def events(response: httpx.Response) -> list[dict[str, Any]]:
    """The JSON events of a stream."""
    lines = [line.removeprefix("data: ") for line in response.text.splitlines() if line.startswith("data: ")]
    return [msgspec.json.decode(line) for line in lines if line != "[DONE]"]


def _piece(event: dict[str, Any]) -> str:
    if event.get("choices"):
        return event["choices"][0]["delta"].get("content") or ""
    delta = event.get("delta", "")
    return delta if isinstance(delta, str) else delta.get("text", "")


@asynccontextmanager
async def open_place(engines: EngineUrls, folder: Path) -> AsyncGenerator[Place]:
    """Everything running; stopped in reverse."""
    async with AsyncExitStack() as opened:
        acme, clau = Provider.of("acme"), Provider.of("clau")
        for provider in (acme, clau):
            await opened.enter_async_context(provider.upstream)
        local = await opened.enter_async_context(ScriptedProvider())
        database, valkey = await Database.open(engines.database_url, connections=6), open_valkey(engines.valkey_url)
        opened.push_async_callback(database.close)
        opened.push_async_callback(valkey.aclose)
        identity = Identity(database, valkey)
        opened.push_async_callback(identity.close)
        vault = Vault(database, LocalKeyWrapper([_MASTER]))
        patch = opened.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("SCRIPTED_KEY", "sk-ours")
        patch.setattr(shipper, "SHIP_SECONDS", 0.02)  # nearly every case waits for a record
        settings = GatewaySettings(
            data_dir=folder / "data",
            models_url=local.url,
            gateway_file=_write_models(folder, acme, clau),
            region="eu-central-1",
            valkey_url=engines.valkey_url,
        )
        gateway = await build_gateway(settings, database, valkey, vault, directory=identity.directory)
        opened.push_async_callback(gateway.close)
        assert gateway.keeper is not None
        server = Server(Doors.build(gateway.engine, gateway.keeper, gateway.again).handle, max_body_bytes=10_000_000)
        port = await server.listen("127.0.0.1", 0)
        opened.push_async_callback(server.drain, 1.0)
        client = await opened.enter_async_context(httpx.AsyncClient(timeout=30, trust_env=False))
        url = f"http://127.0.0.1:{port}"
        yield Place(url, gateway, database, valkey, identity, vault, acme, clau, local, client)


def _write_models(folder: Path, acme: Provider, clau: Provider) -> Path:
    lines = ["[aliases]", f'{EITHER} = ["{FIRST}", "{SECOND}"]', 'drafts = "acme/m0"']
    for name, dialect, provider in (("acme", "openai", acme), ("clau", "anthropic", clau)):
        lines += ["[[endpoints]]", f'name = "{name}-eu"', f'provider = "{name}"', f'dialect = "{dialect}"']
        lines += [f'url = "{provider.upstream.url}"', 'region = "eu-central-1"', 'api_key_env = "SCRIPTED_KEY"']
    for number in range(MODELS):
        lines += [*_model(f"acme/m{number}"), *_model(f"clau/m{number}")]
    lines += [*_model(FIRST), *_model(SECOND), *_model(FLOATING), "pinned = false", *_model(PINNED)]
    lines += [*_model(OLD), "deprecated_on = 2020-01-01", "retires_on = 2099-01-01", 'replacement = "acme/m0"']
    lines += [*_model(GONE), "deprecated_on = 2019-01-01", "retires_on = 2020-01-01", 'replacement = "acme/m0"']
    lines += ["[[models]]", 'name = "acme/embed"', 'kind = "embedding"', "pinned = true"]
    written = folder / "models.toml"
    written.write_text("\n".join(lines) + "\n")
    return written


def _model(name: str) -> Sequence[str]:
    price = f"{{ input_micros = {INPUT_MICROS}, output_micros = {OUTPUT_MICROS} }}"
    return "[[models]]", f'name = "{name}"', "context_tokens = 128000", f"price = {price}", "max_output_tokens = 8192"
