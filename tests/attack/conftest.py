"""One whole system for the attacks, with an owner in each of two tenants and a contract in the first."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import httpx
import pytest

from tests.orchestration.tools.mcp.neighbour import Neighbour, neighbouring
from tests.stack import Person, RunningStack, run_stack

TEXT = b"SERVICE AGREEMENT\n\n1. Term. This Agreement lasts one year.\n\n2. Law. The laws of England govern it.\n"


@dataclass(frozen=True, slots=True)
class Target:
    """What is attacked, and by whom."""

    stack: RunningStack
    owner: Person
    stranger: Person
    contract: str
    run: str
    finding: str
    clients: dict[str, httpx.Client] = field(default_factory=dict[str, httpx.Client])

    def call(self, method: str, path: str, *, by: Person | None = None, **options: object) -> httpx.Response:
        """Send a request as the owner, or as somebody else."""
        key = (by or self.owner).key
        client = self.clients.setdefault(
            key, httpx.Client(base_url=self.stack.url, headers={"authorization": f"Bearer {key}"}, timeout=30)
        )
        return client.request(method, path, **options)  # pyright: ignore[reportArgumentType] - as httpx has them

    def upload(self, content: bytes, *, by: Person | None = None, key: str | None = None) -> httpx.Response:
        """Send a text as a contract, under an idempotency key if one is given."""
        headers = {} if key is None else {"idempotency-key": key}
        return self.call("POST", "/v1/contracts", by=by, files={"file": ("attack.txt", content)}, headers=headers)


@pytest.fixture(scope="session")
def neighbour() -> Iterator[Neighbour]:
    """An MCP server of somebody else, at an address that the stack may reach."""
    opened: Future[tuple[Neighbour, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        closing = asyncio.Event()
        async with neighbouring(Neighbour()) as served:
            opened.set_result((served, asyncio.get_running_loop(), closing))
            await closing.wait()

    with ThreadPoolExecutor(1) as aside:
        running = aside.submit(lambda: asyncio.run(serve()))
        served, loop, closing = opened.result(20)
        yield served
        loop.call_soon_threadsafe(closing.set)
        running.result(20)


@pytest.fixture(scope="session")
def target(tmp_path_factory: pytest.TempPathFactory, neighbour: Neighbour) -> Iterator[Target]:
    """A running stack with an analysed contract."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("MAINSPRING_MCP_HOSTS", f"127.0.0.1:{neighbour.port}")
        yield from _attacked(tmp_path_factory)


def _attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    with run_stack(tmp_path_factory.mktemp("attacked") / "data", rehearses=True) as stack:
        owner, stranger = stack.person("acme"), stack.person("rival")
        with stack.client(owner) as client:
            submitted = client.upload_bytes(TEXT, "attack.txt")
            assert list(client.events(submitted.run.id))[-1].data["status"] == "succeeded"
            finding = next(client.iter_findings(submitted.contract.id)).id
        attacked = Target(stack, owner, stranger, submitted.contract.id, submitted.run.id, finding)
        yield attacked
        for opened in attacked.clients.values():
            opened.close()
