"""Steps in processes of their own: for what is hungry, computes for long, or may crash.

The process is started when it is first needed, imports the module of the step's function, and is then
kept. It may take so much memory beyond what it had when it was ready; it is killed when the step times
out or is cancelled, and a crash costs the attempt, never the worker. It ends by itself when the worker
does, however that ends: it listens to a socket that is closed with the worker, and on Linux the kernel
kills it, whatever it computes. It is told nothing of the worker's environment that may be secret.
"""

import asyncio
import inspect
import os
import signal
import socket
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Protocol, get_type_hints

import msgspec

from mainspring.foundation.errors import MainspringError

from .errors import Abandon, PipelineInvalid, Retry, StepCrashed
from .fitting import Signature
from .types import ProcessPool, StepRun

_CHILD = "mainspring.orchestration.pipelines.pool_child"
_MIN_MEMORY_MB = 64
_KEPT = frozenset({"PATH", "HOME", "LANG", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "PYTHONPATH", "VIRTUAL_ENV"})
"""Variables that a process is given; the others may hold passwords and keys, which no step in a pool needs."""


class PooledRun(Protocol):
    """What a step in a process of its own may ask for as its second argument; nothing here waits for an engine."""

    @property
    def step(self) -> str:
        """The step's name."""
        ...

    @property
    def attempt(self) -> int:
        """1 for the first start."""
        ...

    @property
    def idempotency_key(self) -> str:
        """The same for every attempt."""
        ...

    def say(self, text: str) -> None:
        """Tell in a sentence what was found or done."""
        ...

    def progress(self, done: int, total: int, text: str) -> None:
        """Tell how far the step is."""
        ...


class Setup(msgspec.Struct, frozen=True):
    """The first word to a process: what it is for."""

    path: list[str]
    module: str
    name: str
    memory_mb: int


class Asked(msgspec.Struct, frozen=True):
    """One attempt: `given` is the input as JSON."""

    given: bytes
    step: str
    attempt: int
    idempotency_key: str


class Told(msgspec.Struct, frozen=True, omit_defaults=True):
    """A word from a process.

    kind  ready, said, progress, returned; or how it failed: unfit, abandon, retry, refused, memory, raised
    """

    kind: str
    text: str = ""
    code: str = ""
    trace: str = ""
    done: int = 0
    total: int = 0
    after: float | None = None
    is_retryable: bool = False
    output: bytes = b""


def pack(word: msgspec.Struct) -> bytes:
    """A word as it goes through the socket: four bytes of length, then msgpack."""
    body = msgspec.msgpack.encode(word)
    return len(body).to_bytes(4, "big") + body


def read_pooled_signature(function: Callable[..., Any], where: str) -> Signature:
    """The types of `def name(input: Input) -> Output`, with or without a `run: PooledRun`."""
    module, name = function.__module__, function.__qualname__
    if module == "__main__" or not name.isidentifier():
        raise PipelineInvalid(
            f"{where} runs in a process of its own, which imports it by name; "
            f"{name!r} of {module} must be a function of a module, not one made within another function or class"
        )
    hints = get_type_hints(function)
    output_type = hints.pop("return", None)
    if inspect.iscoroutinefunction(function) or len(hints) not in {1, 2} or output_type is None:
        raise PipelineInvalid(
            f"{where} must be `def name(input: Input) -> Output` without async, fully annotated; "
            "it may take `run: PooledRun` as well"
        )
    return Signature(next(iter(hints.values())), output_type, can_wait=False)


class PooledFunction:
    """A step's function as the engine calls it: it runs in one of the pool's processes."""

    def __init__(self, function: Callable[..., Any], pool: ProcessPool, where: str) -> None:
        if pool.memory_mb < _MIN_MEMORY_MB or pool.processes < 1:
            raise PipelineInvalid(
                f"{where} has a pool of {pool.processes} processes with {pool.memory_mb} MB; "
                f"it must be at least one with {_MIN_MEMORY_MB} MB"
            )
        self._setup = Setup([], function.__module__, function.__qualname__, pool.memory_mb)
        self._places = asyncio.Semaphore(pool.processes)
        self._idle: list[_Process] = []

    async def __call__(self, given: object, run: StepRun) -> msgspec.Raw:
        """Run it once, and answer its output as JSON; cancelling this kills the process."""
        asked = Asked(msgspec.json.encode(given), run.step, run.attempt, run.idempotency_key)
        async with self._places:
            process = self._idle.pop() if self._idle else _Process(self._setup)
            try:
                output = await process.call(asked, run)
            finally:
                if process.is_whole:
                    self._idle.append(process)
                else:
                    await process.kill()
        return msgspec.Raw(output)

    async def close(self) -> None:
        """End the processes; they are started anew when they are needed again."""
        while self._idle:
            await self._idle.pop().kill()


class _Process:
    """One process. `is_whole` while it is between two attempts and can be used again."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self.is_whole = False

    async def call(self, asked: Asked, run: StepRun) -> bytes:
        self.is_whole = False
        try:
            if self._process is None:
                await self._start()
            self._send(asked)
            while (told := await self._hear()).kind in {"said", "progress"}:
                await _pass_on(told, run)
        except (EOFError, ConnectionError) as gone:
            raise StepCrashed(await self._explain()) from gone
        self.is_whole = told.kind not in {"memory", "unfit"}
        if told.kind != "returned":
            raise _error_of(told, self._setup.memory_mb)
        return told.output

    async def kill(self) -> None:
        """End it now, whatever it does."""
        if self._writer:
            self._writer.close()
        if self._process and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def _start(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                _CHILD,
                str(theirs.fileno()),
                str(os.getpid()),
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                env=_environment(),
            )
        self._reader, self._writer = await asyncio.open_connection(sock=ours)
        self._send(msgspec.structs.replace(self._setup, path=sys.path))
        if (told := await self._hear()).kind != "ready":
            raise _error_of(told, self._setup.memory_mb)

    def _send(self, word: msgspec.Struct) -> None:
        assert self._writer is not None
        self._writer.write(pack(word))

    async def _hear(self) -> Told:
        assert self._reader is not None
        length = int.from_bytes(await self._reader.readexactly(4), "big")
        return msgspec.msgpack.decode(await self._reader.readexactly(length), type=Told)

    async def _explain(self) -> str:
        if self._process is None:
            return "Its process could not be started."
        code = await self._process.wait()
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        return f"Its process {how}; it may take {self._setup.memory_mb} MB. What the step does there must be mended."


def _environment() -> dict[str, str]:
    variables = os.environ  # house: allow-environ - what it starts is given a part of it
    return {name: value for name, value in variables.items() if name in _KEPT or name.startswith("LC_")}


async def _pass_on(told: Told, run: StepRun) -> None:
    if told.kind == "said":
        await run.say(told.text)
    else:
        await run.progress(told.done, told.total, told.text)


def _error_of(told: Told, memory_mb: int) -> Exception:
    """What the step raised, as the engine judges it."""
    match told.kind:
        case "abandon":
            return Abandon(told.text, code=told.code)
        case "retry":
            return Retry(told.text, after=None if told.after is None else timedelta(seconds=told.after))
        case "memory":
            return StepCrashed(f"It took more than {memory_mb} MB. Give its pool more, or the step less at once.")
        case "unfit":
            return PipelineInvalid(told.text)
        case "refused":
            kind = type("Refused", (MainspringError,), {"code": told.code, "retryable": told.is_retryable})
            return kind(told.text, retry_after_seconds=told.after)
        case _:
            error = type(told.text, (Exception,), {})()
            error.add_note(told.trace)
            return error
