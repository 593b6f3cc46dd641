"""What a process holds in memory is right within a second of a change, whichever engine is away."""

import asyncio
import hashlib
import logging
import secrets
import subprocess
import sys
import time
import tracemalloc
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

import psycopg
import pytest

from mainspring.application.identity import Identity, IdentitySettings, Role, Tenant, operator
from mainspring.application.identity.directory import KeyDirectory
from mainspring.application.identity.testing import CHEAP_PASSWORDS, make_key, make_member, make_tenant
from mainspring.foundation.changes import CHANNEL, ChangeLog, announce
from mainspring.foundation.db import Database
from mainspring.foundation.engines import EngineUrls, find_free_port
from mainspring.foundation.errors import Unavailable
from mainspring.foundation.ids import TenantId, new_id
from mainspring.foundation.valkey import Valkey, open_valkey
from mainspring.foundation.vault import LocalKeyWrapper, Vault
from mainspring.inference.gateway.keeper import SnapshotKeeper
from mainspring.inference.gateway.policies import (
    ConfigurationReader,
    Policies,
    PolicyUnreadable,
    ProviderKeys,
    ProviderKeyUnreadable,
)
from mainspring.inference.gateway.policy import DEFAULT_POLICY
from mainspring.inference.gateway.ports import CallerFacts, TenantFacts
from mainspring.inference.gateway.snapshot import Snapshot
from tests.moments import until_it_waits_in

MASTER, OTHER_MASTER = bytes(range(32)), bytes(range(1, 33))
PROVIDER_KEY = "sk-proj-0123456789abcdefWXYZ"


@dataclass(frozen=True, slots=True)
class Process:
    """One process of the platform: connections, services and a snapshot of its own."""

    identity: Identity
    policies: Policies
    provider_keys: ProviderKeys
    keeper: SnapshotKeeper

    @property
    def snapshot(self) -> Snapshot:
        return self.keeper.snapshot


@asynccontextmanager
async def process(database_url: str, valkey_url: str, *, master: bytes = MASTER) -> AsyncGenerator[Process]:
    async with AsyncExitStack() as stack:
        database = await Database.open(database_url, connections=3)
        stack.push_async_callback(database.close)
        valkey = open_valkey(valkey_url)
        stack.push_async_callback(valkey.aclose)
        vault = Vault(database, LocalKeyWrapper([master]))
        identity = Identity(database, valkey, settings=IdentitySettings(password_cost=CHEAP_PASSWORDS))
        stack.push_async_callback(identity.close)
        keeper = SnapshotKeeper(database, valkey, identity.directory, ConfigurationReader(database, vault))
        await keeper.start()
        stack.push_async_callback(keeper.close)
        yield Process(
            identity, Policies(database, valkey), ProviderKeys(database, valkey, vault, providers=["openai"]), keeper
        )


@pytest.fixture
async def here(engines: EngineUrls) -> AsyncIterator[Process]:
    """The process that changes things."""
    async with process(engines.database_url, engines.valkey_url) as opened:
        yield opened


@pytest.fixture(params=["with Valkey", "without Valkey"])
async def there(request: pytest.FixtureRequest, engines: EngineUrls) -> AsyncIterator[Process]:
    """Another process, which must learn of it; once with the bell, once with the log alone."""
    is_away = request.param == "without Valkey"
    valkey_url = f"redis://127.0.0.1:{find_free_port()}/0" if is_away else engines.valkey_url
    async with process(engines.database_url, valkey_url) as opened:
        yield opened


@pytest.fixture
async def home(here: Process) -> Tenant:
    return await make_tenant(here.identity)


async def within_a_second(claim: Callable[[], bool]) -> None:
    """Return once the claim holds; fail when it does not a second from now."""
    async with asyncio.timeout(1.0):
        while not claim():  # noqa: ASYNC110 - the claim is about another process
            await asyncio.sleep(0.005)


def knows(process: Process, secret: str) -> CallerFacts | None:
    return process.snapshot.find_caller(secret.encode())


async def test_a_key_is_known_and_its_revocation_too_within_a_second(here: Process, there: Process, home: Tenant):
    key = await make_key(here.identity, home)
    await within_a_second(lambda: knows(there, key.secret) is not None)
    caller = knows(there, key.secret)
    assert caller is not None
    assert (caller.key, caller.tenant, caller.may_call) == (key.key.id, home.id, True)
    await here.identity.keys.revoke(operator(home.id), key.key.id)
    await within_a_second(lambda: knows(there, key.secret) is None)


async def test_a_lower_role_takes_the_right_to_call_from_a_persons_keys(here: Process, there: Process, home: Tenant):
    await make_member(here.identity, home, Role.OWNER)
    person = await make_member(here.identity, home, Role.ADMIN)
    key = await make_key(here.identity, person.principal)
    await within_a_second(lambda: (caller := knows(there, key.secret)) is not None and caller.may_call)
    await here.identity.members.change_role(operator(home.id), person.member.id, Role.VIEWER)
    await within_a_second(lambda: (caller := knows(there, key.secret)) is not None and not caller.may_call)
    await here.identity.members.remove(operator(home.id), person.member.id)
    await within_a_second(lambda: knows(there, key.secret) is None)


async def test_the_ai_switch_is_known_within_a_second(here: Process, there: Process, home: Tenant):
    await within_a_second(lambda: there.snapshot.tenant(home.id) is not None)
    await here.identity.set_ai_enabled(operator(home.id), False)
    await within_a_second(lambda: (known := there.snapshot.tenant(home.id)) is not None and not known.is_ai_enabled)


async def test_a_policy_is_known_within_a_second(here: Process, there: Process, home: Tenant):
    await within_a_second(lambda: there.snapshot.tenant(home.id) is not None)
    await here.policies.replace(operator(home.id), {"residency": "eu"}, over=0)
    await within_a_second(
        lambda: (known := there.snapshot.tenant(home.id)) is not None and known.policy.residency == "eu"
    )


async def test_a_provider_key_is_known_within_a_second_and_gone_within_one(here: Process, there: Process, home: Tenant):
    await here.provider_keys.put(operator(home.id), "openai", PROVIDER_KEY)
    await within_a_second(lambda: _provider_key(there, home.id) == PROVIDER_KEY)
    await here.provider_keys.put(operator(home.id), "openai", PROVIDER_KEY[::-1])
    await within_a_second(lambda: _provider_key(there, home.id) == PROVIDER_KEY[::-1])
    await here.provider_keys.delete(operator(home.id), "openai")
    await within_a_second(lambda: _provider_key(there, home.id) is None)


def _provider_key(process: Process, tenant: TenantId) -> str | ProviderKeyUnreadable | None:
    known = process.snapshot.tenant(tenant)
    return known.provider_key("openai") if known else None


async def test_the_bell_alone_is_enough_for_one_tenant_or_for_all(here: Process, engines: EngineUrls, valkey: Valkey):
    """The triggers are off for these changes, so that the log does not tell of them."""
    for announced in (False, True):
        home = await make_tenant(here.identity)
        await within_a_second(lambda home=home: here.snapshot.tenant(home.id) is not None)
        with psycopg.connect(engines.database_admin_url) as admin:
            admin.execute("set session_replication_role = replica")
            admin.execute("update tenant set ai_enabled = false where id = %s", (home.id,))
        await announce(valkey, None if announced else home.id)
        await within_a_second(
            lambda home=home: (known := here.snapshot.tenant(home.id)) is not None and not known.is_ai_enabled
        )


async def test_what_anyone_may_send_on_the_channel_does_no_harm(here: Process, home: Tenant, valkey: Valkey):
    for payload in (b"", b"\xff\xfe", b"junk" * 10_000, b"0" * 32, str(new_id()).encode()):
        await valkey.publish(CHANNEL, payload)
    key = await make_key(here.identity, home)
    await within_a_second(lambda: knows(here, key.secret) is not None)
    assert here.keeper.stale_since is None


class StumblingDirectory(KeyDirectory):
    """The real directory, but for one tenant that it cannot read."""

    stumbles_over: TenantId | None = None

    async def find_tenant_facts(self, tenant: TenantId) -> TenantFacts | None:
        if tenant == self.stumbles_over:
            raise ValueError("cannot read this one")
        return await super().find_tenant_facts(tenant)


async def test_a_tenant_that_cannot_be_read_holds_up_no_other(
    here: Process, database: Database, valkey: Valkey, caplog: pytest.LogCaptureFixture
):
    bad, good = await make_tenant(here.identity), await make_tenant(here.identity)
    directory = StumblingDirectory(database)
    reader = ConfigurationReader(database, Vault(database, LocalKeyWrapper([MASTER])))
    keeper = SnapshotKeeper(database, valkey, directory, reader)
    await keeper.start()
    try:
        directory.stumbles_over = bad.id
        await here.identity.set_ai_enabled(operator(bad.id), False)
        for _ in range(3):
            key = await make_key(here.identity, good)
            async with asyncio.timeout(5):
                while keeper.snapshot.find_caller(key.secret.encode()) is None:  # noqa: ASYNC110 - it goes on by itself
                    await asyncio.sleep(0.01)
        assert "snapshot_not_renewed" in caplog.text
        directory.stumbles_over = None
        async with asyncio.timeout(5):
            while (known := keeper.snapshot.tenant(bad.id)) is None or known.is_ai_enabled:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.01)
    finally:
        await keeper.close()


def test_ten_thousand_keys_cost_less_than_ten_megabytes():
    tracemalloc.start()
    try:
        snapshot, tenants = Snapshot(), [TenantId(new_id()) for _ in range(1_000)]
        callers = [
            CallerFacts(secrets.token_bytes(32), new_id(), tenants[n % 1_000], f"Key number {n}", True, 2e9 + n)
            for n in range(10_000)
        ]
        snapshot.replace_all([TenantFacts(tenant, True) for tenant in tenants], callers, {})
        del callers
        assert tracemalloc.get_traced_memory()[0] < 10_000_000
        assert repr(snapshot) == "Snapshot(1000 tenants, 10000 keys)"
    finally:
        tracemalloc.stop()


_WATCH = """
import asyncio, sys, time
from mainspring.application.identity import Identity
from mainspring.foundation.db import Database
from mainspring.foundation.valkey import open_valkey
from mainspring.foundation.vault import LocalKeyWrapper, Vault
from mainspring.inference.gateway.keeper import SnapshotKeeper
from mainspring.inference.gateway.policies import ConfigurationReader

async def main(database_url, valkey_url, secret):
    database, valkey = await Database.open(database_url), open_valkey(valkey_url)
    reader = ConfigurationReader(database, Vault(database, LocalKeyWrapper([bytes(range(32))])))
    keeper = SnapshotKeeper(database, valkey, Identity(database, valkey).directory, reader)
    await keeper.start()
    assert keeper.snapshot.find_caller(secret.encode())
    print("ready", flush=True)
    while keeper.snapshot.find_caller(secret.encode()):
        await asyncio.sleep(0.002)
    print(time.time(), flush=True)
    await keeper.close()
    await valkey.aclose()
    await database.close()

asyncio.run(main(*sys.argv[1:]))
"""


async def test_another_process_of_the_system_turns_a_revoked_key_away_within_a_second(
    here: Process, engines: EngineUrls, home: Tenant
):
    key = await make_key(here.identity, home)
    command = [sys.executable, "-c", _WATCH, engines.database_url, engines.valkey_url, key.secret]
    watcher = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    assert watcher.stdout is not None
    assert await watcher.stdout.readline() == b"ready\n"
    revoked_at = time.time()
    await here.identity.keys.revoke(operator(home.id), key.key.id)
    assert float(await watcher.stdout.readline()) - revoked_at < 1.0
    assert await watcher.wait() == 0


def test_an_expired_key_is_nobody_without_any_message(tenant: TenantId):
    snapshot, secret_hash = Snapshot(), hashlib.sha256(b"secret").digest()
    for expires_at, is_known in ((time.time() - 1, False), (time.time() + 60, True), (None, True)):
        caller = CallerFacts(secret_hash, new_id(), tenant, "k", True, expires_at)
        snapshot.replace(tenant, TenantFacts(tenant, True), [caller])
        assert (snapshot.find_caller(b"secret") is not None) is is_known


async def test_what_did_not_change_keeps_its_objects(here: Process, home: Tenant):
    await here.policies.replace(operator(home.id), {"residency": "eu"}, over=0)
    await here.provider_keys.put(operator(home.id), "openai", PROVIDER_KEY)
    await here.keeper.load_tenant(home.id)
    before = here.snapshot.tenant(home.id)
    await here.keeper.load_tenant(home.id)
    assert here.snapshot.tenant(home.id) is before
    assert before is not None
    await here.identity.set_ai_enabled(operator(home.id), False)
    await here.keeper.load_tenant(home.id)
    after = here.snapshot.tenant(home.id)
    assert after is not None
    assert after is not before
    assert after.policy is before.policy


async def test_a_key_made_a_moment_ago_is_found_by_looking(here: Process, home: Tenant, engines: EngineUrls):
    async with process(engines.database_url, f"redis://127.0.0.1:{find_free_port()}/0") as deaf:
        key = await make_key(here.identity, home)
        found = await asyncio.gather(*(deaf.keeper.find_caller_fresh(key.secret.encode()) for _ in range(50)))
        assert {caller.key for caller in found if caller} == {key.key.id}
        assert deaf.snapshot.tenant(home.id) is not None
        await here.identity.keys.revoke(operator(home.id), key.key.id)
        await within_a_second(lambda: knows(deaf, key.secret) is None)
        assert await deaf.keeper.find_caller_fresh(key.secret.encode()) is None


class Cable:
    """A TCP connection to Postgres that a test can cut and mend."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None
        assert parts.port is not None
        self._to = parts.hostname, parts.port
        self._open: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._port = 0
        self._url = parts

    async def mend(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in tuple(self._open):
            writer.transport.abort()
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        login = self._url.netloc.rpartition("@")[0]
        return self._url._replace(netloc=f"{login}@127.0.0.1:{self._port}").geturl()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection(*self._to)
        self._open |= {writer, server_writer}
        await asyncio.gather(_pump(reader, server_writer), _pump(server_reader, writer))
        self._open -= {writer, server_writer}


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def test_with_postgres_away_the_last_known_state_holds_and_says_since_when(
    here: Process, engines: EngineUrls, home: Tenant
):
    cable = Cable(engines.database_url)
    await cable.mend()
    kept, revoked = await make_key(here.identity, home), await make_key(here.identity, home)
    async with process(cable.url, engines.valkey_url) as far:
        assert far.keeper.stale_since is None
        cut_at = time.time()
        await cable.cut()
        await here.identity.keys.revoke(operator(home.id), revoked.key.id)
        async with asyncio.timeout(10):
            while far.keeper.stale_since is None:  # noqa: ASYNC110 - it notices at its next look
                await asyncio.sleep(0.01)
        assert cut_at - 1 < far.keeper.stale_since < cut_at + 1
        assert knows(far, kept.secret) is not None
        assert knows(far, revoked.secret) is not None
        with pytest.raises(Unavailable, match="database is away"):
            await far.keeper.find_caller_fresh(b"ms_00000000_unknown")
        await cable.mend()
        async with asyncio.timeout(15):
            while knows(far, revoked.secret) is not None:  # noqa: ASYNC110 - it catches up once it can
                await asyncio.sleep(0.01)
        assert knows(far, kept.secret) is not None
        assert far.keeper.stale_since is None
    await cable.cut()


async def test_a_change_that_commits_late_is_not_missed(here: Process, engines: EngineUrls, home: Tenant):
    database = await Database.open(engines.database_url, connections=2)
    other = await make_tenant(here.identity)
    log = ChangeLog(database)
    await log.mark()
    with psycopg.connect(engines.database_admin_url) as late:
        late.execute("update tenant set ai_enabled = false where id = %s", (home.id,))
        await here.identity.set_ai_enabled(operator(other.id), False)
        seen = (await log.look()).tenants
        assert other.id in seen
        assert home.id not in seen
        await here.identity.set_ai_enabled(operator(other.id), True)
        assert (await log.look()).tenants >= {other.id}
        assert other.id not in (await log.look()).tenants
        late.commit()
    assert home.id in (await log.look()).tenants
    await database.close()


async def test_a_policy_of_a_newer_version_stops_its_tenants_calls_and_nobody_elses(
    here: Process, engines: EngineUrls, home: Tenant
):
    other = await make_tenant(here.identity)
    await here.policies.replace(operator(home.id), {"residency": "eu"}, over=0)
    with psycopg.connect(engines.database_admin_url) as admin:
        admin.execute("update gateway_policy set document = '{\"novel\": 1}' where tenant_id = %s", (home.id,))
    for tenant in (home, other):
        await here.keeper.load_tenant(tenant.id)
    broken, fine = here.snapshot.tenant(home.id), here.snapshot.tenant(other.id)
    assert broken is not None
    assert fine is not None
    with pytest.raises(PolicyUnreadable, match="novel"):
        _ = broken.policy
    assert fine.policy == DEFAULT_POLICY


async def test_a_provider_key_that_cannot_be_opened_breaks_only_calls_to_that_provider(
    here: Process, engines: EngineUrls, home: Tenant
):
    other = await make_tenant(here.identity)
    for tenant in (home, other):
        await here.provider_keys.put(operator(tenant.id), "openai", PROVIDER_KEY)
    with psycopg.connect(engines.database_admin_url) as admin:
        admin.execute("update provider_key set sealed = sealed || '\\x00'::bytea where tenant_id = %s", (home.id,))
    async with process(engines.database_url, engines.valkey_url) as there:
        key = _provider_key(there, home.id)
        assert isinstance(key, ProviderKeyUnreadable)
        assert "PUT /v1/gateway/provider-keys/openai" in key.detail
        assert _provider_key(there, other.id) == PROVIDER_KEY
        known = there.snapshot.tenant(home.id)
        assert known is not None
        assert known.provider_key("anthropic") is None
        assert known.policy == DEFAULT_POLICY


async def test_with_the_wrong_master_key_a_process_still_starts_and_answers(
    here: Process, engines: EngineUrls, home: Tenant
):
    await here.provider_keys.put(operator(home.id), "openai", PROVIDER_KEY)
    secret = (await make_key(here.identity, home)).secret
    async with process(engines.database_url, engines.valkey_url, master=OTHER_MASTER) as there:
        assert isinstance(_provider_key(there, home.id), ProviderKeyUnreadable)
        assert knows(there, secret) is not None


async def test_a_vault_is_opened_when_it_is_first_needed(here: Process, home: Tenant):
    await here.keeper.load_tenant(home.id)
    known = here.snapshot.tenant(home.id)
    assert known is not None
    assert known.vault is not None
    assert known.vault.unseal("payload", "a", known.vault.seal("payload", "a", b"hello")) == b"hello"
    assert await here.keeper.load_tenant(TenantId(new_id())) is None


async def test_no_secret_shows_in_what_is_printed_or_logged(
    here: Process, home: Tenant, caplog: pytest.LogCaptureFixture
):
    with caplog.at_level(logging.DEBUG):
        key = await make_key(here.identity, home)
        await here.provider_keys.put(operator(home.id), "openai", PROVIDER_KEY)
        known = await here.keeper.load_tenant(home.id)
        assert known is not None
        assert known.provider_key("openai") == PROVIDER_KEY
    shown = f"{known!r} {here.snapshot!r} {known.vault!r} {caplog.text}"
    assert str(home.id) in shown
    assert PROVIDER_KEY not in shown
    assert key.secret not in shown


@pytest.mark.timeout(30)
async def test_a_process_that_is_closed_the_moment_it_listens_does_not_hang(engines: EngineUrls):
    """Its listener's first command is sent by then, and drops the cancellation."""
    async with process(engines.database_url, engines.valkey_url):
        (listening,) = (task for task in asyncio.all_tasks() if getattr(task.get_coro(), "__name__", "") == "listen")
        await until_it_waits_in(listening, "wait_for")
    assert listening.cancelled()
