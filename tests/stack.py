"""A whole system for tests: every process of `mainspring serve`, on free ports, in a folder of its own."""

import asyncio
import os
import threading
import time
from collections.abc import Awaitable, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from mainspring.application.identity import ROLE_PERMISSIONS, Identity, Role, operator
from mainspring.entry.client import MainspringClient
from mainspring.entry.engines import running_engines
from mainspring.entry.stack import Stack
from mainspring.foundation.db import Database
from mainspring.foundation.ids import TenantId
from mainspring.foundation.settings import Settings, load_settings
from mainspring.foundation.valkey import open_valkey

INSTALLED = Path(__file__).parent / "installed"
"""Where the product `rehearsal` is, as a package manager would have put it."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Person:
    """A member of a tenant with a key that holds what the role holds."""

    tenant: TenantId
    email: str
    password: str
    key: str


@dataclass(frozen=True, slots=True)
class RunningStack:
    """A started stack; `person` makes tenants and members."""

    stack: Stack
    settings: Settings

    @property
    def url(self) -> str:
        """Where API and console answer."""
        return self.stack.url

    @property
    def gateway_url(self) -> str:
        """Where the gateway answers."""
        return self.stack.gateway_url

    def person(self, tenant: str, role: Role = Role.OWNER) -> Person:
        """A new member with a role in the tenant, which is made when absent."""

        async def make(identity: Identity) -> Person:
            found = await identity.find_tenant(tenant) or await identity.create_tenant(tenant, tenant.title())
            email, password = f"{role}-{tenant}@example.com", f"correct horse {role} {tenant}"
            principal = operator(found.id)
            await identity.members.add(principal, email=email, name=f"{role}", role=role, password=password)
            key = await identity.keys.create(principal, name=role, scopes=ROLE_PERMISSIONS[role])
            return Person(found.id, email, password, key.secret)

        return self.with_identity(make)

    def with_identity(self, use: Callable[[Identity], Awaitable[Result]]) -> Result:
        """Run a use case of identity against the stack's own database."""

        async def run() -> Result:
            urls = running_engines(self.settings)
            database, valkey = await Database.open(urls.database_url, connections=2), open_valkey(urls.valkey_url)
            identity = Identity(database, valkey)
            try:
                return await use(identity)
            finally:
                await identity.close()
                await valkey.aclose()
                await database.close()

        # In a thread of its own: the caller may be inside a loop already, as browser tests are.
        with ThreadPoolExecutor(1) as aside:
            return aside.submit(lambda: asyncio.run(run())).result()

    def client(self, person: Person) -> MainspringClient:
        """The typed client as this person."""
        return MainspringClient(self.url, person.key)


@contextmanager
def run_stack(
    folder: Path, *, workers: int = 1, lease: timedelta = timedelta(seconds=15), rehearses: bool = False
) -> Generator[RunningStack]:
    """Start, watch and stop a stack around a block; one that rehearses has the product of `tests/installed`."""
    with _installed() if rehearses else nullcontext(), _run_stack(folder, workers, lease) as running:
        yield running


@contextmanager
def _installed() -> Generator[None]:
    """Children find the product by its entry point, those too that are started anew."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = str(INSTALLED) if before is None else os.pathsep.join((str(INSTALLED), before))
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before


@contextmanager
def _run_stack(folder: Path, workers: int, lease: timedelta) -> Generator[RunningStack]:
    settings = load_settings(data_dir=folder, port=0, gateway_port=0, lease_seconds=lease.total_seconds())
    stack, stop = Stack(settings, workers=workers), threading.Event()
    watcher = threading.Thread(target=stack.watch, args=(stop, _hear))
    try:
        stack.start(_hear)
        watcher.start()
        yield RunningStack(stack, settings)
    finally:
        stop.set()
        if watcher.is_alive():
            watcher.join()
        stack.stop()


def _hear(line: str) -> None:
    """Nobody looks on."""


def wait_until(claim: Callable[[], bool], *, seconds: float = 20.0) -> None:
    """Wait until a claim holds; fails when it does not in time."""
    deadline = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < deadline, f"still not so after {seconds} s"
        time.sleep(0.05)
