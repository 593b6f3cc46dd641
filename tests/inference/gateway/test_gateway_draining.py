"""The gateway as processes: two on one port, one killed, the other drained."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from mainspring.application.identity import Identity, operator
from mainspring.entry.gateways import HeldPort
from mainspring.foundation.db import Database
from mainspring.foundation.engines import EngineUrls
from mainspring.foundation.ids import new_id
from mainspring.foundation.valkey import Valkey
from tests.raw_door import Answer, Caller, read_answer, until
from tests.upstream import Fault, Reply, Upstream

MODEL = "scripted/one"
HURRIED = """
import uvloop
from mainspring.entry.gateway import run_gateway
from mainspring.foundation.settings import load_settings
uvloop.run(run_gateway(load_settings(), drain_seconds=0.3))
"""


@pytest.fixture
async def key(database: Database, valkey: Valkey) -> AsyncGenerator[str]:
    """A key that may call models."""
    identity = Identity(database, valkey)
    tenant = await identity.create_tenant(f"draining-{new_id().hex[-12:]}", "Draining")
    yield (await identity.keys.create(operator(tenant.id), name="tests", scopes=("ai.model.call",))).secret
    await identity.close()


@pytest.fixture
async def upstream() -> AsyncGenerator[Upstream]:
    """The provider."""
    async with Upstream("eu") as running:
        yield running


def _configure(engines: EngineUrls, upstream: Upstream, folder: Path, port: int) -> tuple[dict[str, str], Path]:
    """Its settings, and the file that it writes when it is ready."""
    folder.mkdir()
    models, ready = folder / "models.toml", folder / "ready"
    models.write_text(
        f'[[endpoints]]\nname = "scripted-eu"\nprovider = "scripted"\nregion = "eu-central-1"\nurl = "{upstream.url}"\n'
        f'api_key_env = "SCRIPTED_KEY"\n[[models]]\nname = "{MODEL}"\ncontext_tokens = 128000\n'
    )
    settings = {
        "MAINSPRING_DATABASE_URL": engines.database_url,
        "MAINSPRING_VALKEY_URL": engines.valkey_url,
        "MAINSPRING_DATA_DIR": str(folder / "data"),
        "MAINSPRING_GATEWAY_FILE": str(models),
        "MAINSPRING_GATEWAY_PORT": str(port),
        "MAINSPRING_READY_FILE": str(ready),
        "SCRIPTED_KEY": "sk-scripted",
    }
    return settings, ready


@asynccontextmanager
async def gateway(
    engines: EngineUrls, upstream: Upstream, folder: Path, port: int, *command: str
) -> AsyncGenerator[asyncio.subprocess.Process]:
    """A ready gateway process on the port."""
    settings, ready = _configure(engines, upstream, folder, port)
    command = command or ("-m", "mainspring.entry.gateway")
    process = await asyncio.create_subprocess_exec(sys.executable, *command, env={**os.environ, **settings})
    try:
        await until(lambda: ready.is_file() or process.returncode is not None, 30)
        assert process.returncode is None
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def call(port: int) -> Caller:
    return Caller(*await asyncio.open_connection("127.0.0.1", port))


def ask(caller: Caller, key: str, *, is_stream: bool) -> None:
    stream = b',"stream":true' if is_stream else b""
    body = b'{"model":"%b","messages":[{"role":"user","content":"hi"}]%b}' % (MODEL.encode(), stream)
    caller.send(
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %b\r\nContent-Length: %d\r\n\r\n%b"
        % (key.encode(), len(body), body)
    )


async def health(caller: Caller) -> Answer:
    caller.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    async with asyncio.timeout(5):
        return await read_answer(caller.reader)


async def test_two_share_a_port_and_one_killed_leaves_the_other(
    engines: EngineUrls, upstream: Upstream, key: str, tmp_path: Path
):
    with HeldPort.hold("127.0.0.1", 0) as held:
        port = held.number
        async with (
            gateway(engines, upstream, tmp_path / "one", port) as one,
            gateway(engines, upstream, tmp_path / "two", port) as two,
        ):
            callers = [await call(port) for _ in range(30)]
            assert {(await health(caller)).status for caller in callers} == {200}
            one.kill()
            await one.wait()
            statuses = [(await health(caller)).status for caller in callers]
            assert 0 < statuses.count(0) < 30  # the system spread them over both
            assert set(statuses) == {0, 200}
            fresh = [await call(port) for _ in range(10)]
            assert {(await health(caller)).status for caller in fresh} == {200}
            await _drain(two, upstream, key, port)
            for caller in (*callers, *fresh):
                assert await caller.rest() == b""
                caller.close()


async def _drain(process: asyncio.subprocess.Process, upstream: Upstream, key: str, port: int) -> None:
    """Ask twice, tell the process to end, and read both answers to their end."""
    upstream.script(Reply(chunks=5, pause=0.15), Reply(delay=0.7))
    stream, whole = await call(port), await call(port)
    ask(stream, key, is_stream=True)
    await stream.reader.readuntil(b"data: ")
    ask(whole, key, is_stream=False)
    await upstream.until(lambda each: len(each.requests) == 2)
    process.send_signal(signal.SIGTERM)
    answer = await whole.answer()
    assert (answer.status, answer.headers["connection"]) == (200, "close")
    assert (await stream.rest()).endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")
    with pytest.raises(ConnectionRefusedError):
        await call(port)
    assert await asyncio.wait_for(process.wait(), 10) == 0
    for caller in (stream, whole):
        caller.close()


async def test_what_does_not_finish_in_time_is_given_up_at_the_provider_too(
    engines: EngineUrls, upstream: Upstream, key: str, tmp_path: Path
):
    with HeldPort.hold("127.0.0.1", 0) as held:
        async with gateway(engines, upstream, tmp_path / "one", held.number, "-c", HURRIED) as process:
            upstream.script(Fault.HANG)
            caller = await call(held.number)
            ask(caller, key, is_stream=False)
            await upstream.until(lambda each: len(each.requests) == 1)
            process.send_signal(signal.SIGTERM)
            assert await caller.rest() == b""
            assert await asyncio.wait_for(process.wait(), 5) == 0
            await upstream.until(lambda each: each.hang_ups == 1)
            caller.close()
