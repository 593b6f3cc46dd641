"""Gateways as processes over scripted providers, and what can be known of them from outside.

A house has engines, two scripted upstreams (one in the EU, one in the US) that serve the same models
in either dialect, and any number of gateways. Every case takes models of its own, since circuit
breakers remember a deployment: what one case breaks, no other case meets.
"""

import asyncio
import sys
from base64 import b64encode
from collections import defaultdict, deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from struct import Struct
from typing import Literal

import httpx
import msgspec

from mainspring.application.identity import Identity, operator
from mainspring.application.identity.types import KeyId
from mainspring.foundation.db import Database, Row
from mainspring.foundation.engines import ChildProcess, ChildSpec, EngineUrls, find_free_port
from mainspring.foundation.ids import TenantId, read_id
from mainspring.foundation.valkey import Valkey, open_valkey
from mainspring.inference.gateway.limits.keys import state_suffix, tenant_keys
from mainspring.inference.gateway.policy import Limit, TenantPolicy
from tests.upstream import Fault, Received, Reply, Upstream

Dialect = Literal["openai", "anthropic"]
Line = Reply | Fault

PROVIDERS: dict[Dialect, str] = {"openai": "acme", "anthropic": "clau"}
"""Who serves the models in which dialect."""

INPUT_MICROS, OUTPUT_MICROS = 2_000_000, 10_000_000
"""The price of every model, per million tokens."""

LARGE = "acme/large"
"""The only model with more context than the others."""

_MODELS = 900
_MASTER_KEY = b64encode(bytes(range(32))).decode()
_STATE = Struct("<19d")
_BUDGET = TenantPolicy(limits=(Limit(scope="tenant", budget_per_month_micros=10**12, concurrency=100_000),))


@dataclass(eq=False)
class Provider:
    """A scripted upstream that answers each model by a script of its own, then by its `default` or ours."""

    upstream: Upstream
    lines: dict[str, deque[Line]] = field(default_factory=lambda: defaultdict(deque))
    always: dict[str, Line] = field(default_factory=dict[str, Line])

    @classmethod
    def of(cls, label: str) -> "Provider":
        """One that answers well until told otherwise."""
        made = cls(Upstream(label))
        made.upstream.default = made.choose
        return made

    def choose(self, received: Received) -> Line:
        """What a request is answered with."""
        lines = self.lines[received.model]
        return lines.popleft() if lines else self.always.get(received.model, Reply())

    def received(self, model: str) -> list[Received]:
        """The calls for a model."""
        return [each for each in self.upstream.requests if each.model == model]


@dataclass(frozen=True, slots=True)
class Case:
    """A model that no other case uses; `name` for callers, `wire` for the providers."""

    dialect: Dialect
    wire: str
    eu: Provider
    us: Provider

    @property
    def name(self) -> str:
        """As callers ask for it: at the EU and the US endpoint."""
        return f"{PROVIDERS[self.dialect]}/{self.wire}"

    def script(self, *lines: Line) -> None:
        """Answer so at the EU endpoint."""
        self.eu.lines[self.wire].extend(lines)

    def always(self, eu: Line | None = None, us: Line | None = None) -> None:
        """Answer so whenever no script is left."""
        for provider, line in ((self.eu, eu), (self.us, us)):
            if line is not None:
                provider.always[self.wire] = line

    @property
    def asked(self) -> tuple[int, int]:
        """How many calls the EU and the US endpoint got."""
        return len(self.eu.received(self.wire)), len(self.us.received(self.wire))


@dataclass(frozen=True, slots=True)
class Member:
    """A tenant and a key of it that may call models."""

    tenant: TenantId
    key: str
    key_id: KeyId


@dataclass(frozen=True, slots=True)
class Counted:
    """What Valkey has counted for a tenant: micros and calls of the month, and what is still held."""

    spent: int
    calls: int
    held: int
    live: int
    leases: int


class RunningGateway:
    """One gateway process on a port of its own; it keeps port and folder over kills."""

    def __init__(self, engines: EngineUrls, folder: Path, models: Path, *, data_dir: Path | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port, self.data_dir = find_free_port(), data_dir or folder / "data"
        self.log, ready = folder / "gateway.log", folder / "ready"
        environment = {
            "MAINSPRING_DATABASE_URL": engines.database_url,
            "MAINSPRING_VALKEY_URL": engines.valkey_url,
            "MAINSPRING_DATA_DIR": str(self.data_dir),
            "MAINSPRING_GATEWAY_FILE": str(models),
            "MAINSPRING_GATEWAY_PORT": str(self.port),
            "MAINSPRING_READY_FILE": str(ready),
            "MAINSPRING_LOG_LEVEL": "warning",
            "MAINSPRING_MASTER_KEY": _MASTER_KEY,
            "SCRIPTED_KEY": "sk-scripted",
        }
        command = (sys.executable, "-m", "mainspring.entry.gateway")
        self.process = ChildProcess(
            ChildSpec("gateway", command, self.log, ready.is_file, environment, ready_file=ready)
        )

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Start it and wait until it listens."""
        await asyncio.to_thread(self.process.start)

    def kill(self) -> None:
        """As a crash would."""
        self.process.kill()

    async def stop(self) -> None:
        """In good order; what it held is shipped."""
        await asyncio.to_thread(self.process.stop)

    @property
    def spooled(self) -> int:
        """Bytes in the spool files."""
        return sum(path.stat().st_size for path in (self.data_dir / "spool").glob("*.spool"))

    def complaints(self) -> list[str]:
        """What it logged as failures of its own."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return [line for line in lines if "request_failed" in line or "Traceback" in line or "never retrieved" in line]


@dataclass(eq=False)
class House:
    """Engines, providers and gateways; everything a test asks of them from outside."""

    engines: EngineUrls
    folder: Path
    database: Database
    valkey: Valkey
    identity: Identity
    eu: Provider
    us: Provider
    client: httpx.AsyncClient
    gateways: list[RunningGateway] = field(default_factory=list[RunningGateway])
    _numbers: "count[int]" = field(default_factory=count)

    @property
    def gateway(self) -> RunningGateway:
        """The first one."""
        return self.gateways[0]

    def add_gateway(self) -> RunningGateway:
        """Another gateway, not started."""
        folder = self.folder / f"gateway-{len(self.gateways)}"
        made = RunningGateway(self.engines, folder, self.folder / "models.toml")
        self.gateways.append(made)
        return made

    def case(self, dialect: Dialect = "openai") -> Case:
        """A model that nobody used."""
        number = next(self._numbers)
        assert number < _MODELS, "the file of models lists too few"
        return Case(dialect, f"m{number}", self.eu, self.us)

    async def member(self, policy: TenantPolicy = _BUDGET) -> Member:
        """A new tenant under a policy, with a key, known to every running gateway."""
        slug = f"t{next(_slugs)}"
        tenant = (await self.identity.create_tenant(slug, slug.title())).id
        await self.write_policy(tenant, policy)
        made = await self.identity.keys.create(operator(tenant), name=slug, scopes=["ai.model.call"])
        member = Member(tenant, made.secret, made.key.id)
        for gateway in self.gateways:
            if gateway.process.is_running:
                await until(lambda gateway=gateway: self._knows(gateway, member))
        return member

    async def write_policy(self, tenant: TenantId, policy: TenantPolicy) -> None:
        """Set or replace a tenant's policy."""
        async with self.database.tenant(tenant) as transaction:
            await transaction.run(
                "insert into gateway_policy (tenant_id, version, document, updated_by)"
                " values (%(tenant)s, 1, %(document)s::jsonb, 'tests')"
                " on conflict (tenant_id) do update set version = gateway_policy.version + 1,"
                " document = excluded.document",
                tenant=tenant,
                document=msgspec.json.encode(policy).decode(),
            )

    async def _knows(self, gateway: RunningGateway, member: Member) -> bool:
        answer = await self.client.get(f"{gateway.url}/v1/models", headers={"x-api-key": member.key})
        return answer.status_code == 200

    async def records(self, member: Member, count: int, *, seconds: float = 10) -> list[Row]:
        """The tenant's records, oldest first, once there are so many."""
        rows: list[Row] = []

        async def are_there() -> bool:
            rows[:] = await self._read_records(member.tenant)
            return len(rows) >= count

        await until(are_there, seconds)
        assert len(rows) == count, f"{len(rows)} records instead of {count}"
        return rows

    async def record(self, member: Member, identifier: str) -> Row:
        """The record of one call, as soon as it is there."""
        rows: list[Row] = []

        async def is_there() -> bool:
            wanted = read_id("inf", identifier)
            rows[:] = [row for row in await self._read_records(member.tenant) if row["id"] == wanted]
            return bool(rows)

        await until(is_there)
        return rows[0]

    async def _read_records(self, tenant: TenantId) -> list[Row]:
        async with self.database.tenant(tenant) as transaction:
            return await transaction.all("select * from inference_record order by id")

    async def booked(self, tenant: TenantId) -> tuple[int, int]:
        """Micros and calls of the tenant in Postgres, as `gateway_spend` has them."""
        async with self.database.tenant(tenant) as transaction:
            row = await transaction.one(
                "select coalesce(sum(cost_micros), 0)::bigint as micros, coalesce(sum(calls), 0)::bigint as calls"
                " from gateway_spend where scope = 'tenant'"
            )
        return row["micros"], row["calls"]

    async def counted(self, tenant: TenantId) -> Counted:
        """What Valkey has counted for the tenant."""
        keys = tenant_keys(tenant)
        raw = await self.valkey.get(keys.home + state_suffix("tenant", ""))
        state = _STATE.unpack(raw) if isinstance(raw, bytes) else (0.0,) * 19
        leases = sum(bool(member) for member in await self.valkey.zrange(keys.leases, 0, -1))
        return Counted(int(state[13]), int(state[11]), int(state[16] + state[17]), int(state[5]), leases)

    async def all_settled(self, member: Member, *, seconds: float = 20, unrecorded: int = 0) -> list[Row]:
        """Wait until nothing is held and all three books agree, however many calls there were.

        unrecorded   holds that may be left to their lease: of calls killed before a byte of them was recorded
        """
        told: list[object] = []

        async def agree() -> bool:
            counted, booked = await self.counted(member.tenant), await self.booked(member.tenant)
            rows = await self._read_records(member.tenant)
            spent, calls = sum(row["cost_micros"] or 0 for row in rows), len(rows)
            told[:] = [counted, booked, (spent, calls)]
            is_free = counted.leases <= unrecorded and counted.live == counted.leases
            return is_free and (counted.spent, counted.calls) == booked == (spent, calls)

        try:
            await until(agree, seconds)
        except TimeoutError:
            raise AssertionError(f"Valkey, Postgres and the records say {told}") from None
        return await self._read_records(member.tenant)

    async def books_agree(self, member: Member, count: int, *, seconds: float = 10) -> list[Row]:
        """Wait for the records, then for counters and bookings to equal their sum to the unit; nothing is held."""
        rows = await self.records(member, count, seconds=seconds)
        spent = sum(row["cost_micros"] or 0 for row in rows)

        async def agree() -> bool:
            counted = await self.counted(member.tenant)
            return (counted, await self.booked(member.tenant)) == (
                Counted(spent, count, 0, 0, 0),
                (spent, count),
            )

        try:
            await until(agree, seconds)
        except TimeoutError:
            told = await self.counted(member.tenant), await self.booked(member.tenant)
            raise AssertionError(f"records say {spent} micros in {count} calls; Valkey and Postgres: {told}") from None
        return rows


_slugs = count(1)


async def until(claim: Callable[[], Awaitable[bool]], seconds: float = 10) -> None:
    """Return as soon as the claim holds; TimeoutError when it does not in time."""
    async with asyncio.timeout(seconds):
        while not await claim():  # noqa: ASYNC110 - the claim is about another process
            await asyncio.sleep(0.02)


@asynccontextmanager
async def open_house(engines: EngineUrls, folder: Path, *, gateways: int = 1) -> AsyncGenerator[House]:
    """A house with running gateways; everything is stopped in reverse, and no gateway may have failed by itself."""
    async with AsyncExitStack() as opened:
        eu, us = Provider.of("eu"), Provider.of("us")
        for provider in (eu, us):
            await opened.enter_async_context(provider.upstream)
        _write_models(folder / "models.toml", (("eu", "eu-central-1", eu), ("us", "us-east-1", us)))
        database, valkey = await Database.open(engines.database_url, connections=4), open_valkey(engines.valkey_url)
        opened.push_async_callback(database.close)
        opened.push_async_callback(valkey.aclose)
        identity = Identity(database, valkey)
        opened.push_async_callback(identity.close)
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        client = await opened.enter_async_context(httpx.AsyncClient(timeout=60, limits=limits, trust_env=False))
        house = House(engines, folder, database, valkey, identity, eu, us, client)
        for _ in range(gateways):
            gateway = house.add_gateway()
            opened.push_async_callback(gateway.stop)
            await gateway.start()
        yield house


def _write_models(path: Path, places: Iterable[tuple[str, str, Provider]]) -> None:
    """Each provider's endpoint in each place, and the models with their price."""
    lines: list[str] = []
    for place, region, scripted in places:
        for dialect, provider in PROVIDERS.items():
            lines += ["[[endpoints]]", f'name = "{provider}-{place}"', f'provider = "{provider}"']
            lines += [f'dialect = "{dialect}"', f'url = "{scripted.upstream.url}"', f'region = "{region}"']
            lines += ['api_key_env = "SCRIPTED_KEY"', f"weight = {1 if place == 'eu' else 0}"]
    price = f"{{ input_micros = {INPUT_MICROS}, output_micros = {OUTPUT_MICROS} }}"
    for number in range(_MODELS):
        for provider in PROVIDERS.values():
            lines += ["[[models]]", f'name = "{provider}/m{number}"', "context_tokens = 128000", f"price = {price}"]
            lines += ["max_output_tokens = 8192"]
    lines += ["[[models]]", f'name = "{LARGE}"', "context_tokens = 400000", f"price = {price}"]
    path.write_text("\n".join(lines) + "\n")
