"""A process of a pool: `python -m mainspring.orchestration.pipelines.pool_child FD PARENT` serves one step's function.

One thread listens to the socket, and ends the process when the worker has gone; the main thread runs
the step, so that signals and limits find it there. A step may hold the interpreter's lock for as long
as it likes (a regular expression does), so that no thread runs: the kernel is asked to end it as well.
"""

import ctypes
import os
import queue
import resource
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn, get_type_hints

import msgspec

from mainspring.foundation.errors import MainspringError

from .codec import encode
from .errors import Abandon, Retry
from .pools import Asked, Setup, Told, pack

MAX_TRACE = 16_000
_PR_SET_PDEATHSIG = 1


class ToldRun:
    """The `PooledRun` of one attempt."""

    def __init__(self, asked: Asked, tell: Callable[[Told], None]) -> None:
        self.step = asked.step
        self.attempt = asked.attempt
        self.idempotency_key = asked.idempotency_key
        self._tell = tell

    def say(self, text: str) -> None:
        """Tell in a sentence what was found or done."""
        self._tell(Told("said", text))

    def progress(self, done: int, total: int, text: str) -> None:
        """Tell how far the step is."""
        self._tell(Told("progress", text, done=done, total=total))


class Serving:
    """Serves one function over one socket."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._words: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def serve(self) -> NoReturn:
        """Serve until the worker closes the socket."""
        threading.Thread(target=self._listen, daemon=True).start()
        setup = msgspec.msgpack.decode(self._words.get(), type=Setup)
        sys.path[:] = setup.path
        try:
            function: Callable[..., Any] = getattr(import_module(setup.module), setup.name)
            function = getattr(function, "__wrapped__", function)
            hints = get_type_hints(function)
            kinds = [kind for name, kind in hints.items() if name != "return"]
            limit_memory(setup.memory_mb)
        except Exception as error:  # noqa: BLE001 - the edge of a task: what importing raises is told to the worker
            self._tell(Told("unfit", f"{setup.module}.{setup.name} cannot be loaded: {type(error).__name__}: {error}"))
            os._exit(1)
        self._tell(Told("ready"))
        while True:
            asked = msgspec.msgpack.decode(self._words.get(), type=Asked)
            self._tell(self._attempt(function, kinds, asked))

    def _attempt(self, function: Callable[..., Any], kinds: list[Any], asked: Asked) -> Told:
        try:
            given = msgspec.json.decode(asked.given, type=kinds[0])
            output = function(given, *([ToldRun(asked, self._tell)] if len(kinds) > 1 else []))
            return Told("returned", output=encode(output, f"The output of step {asked.step!r}").encode())
        except MemoryError:
            return Told("memory")
        except Abandon as error:
            return Told("abandon", error.reason, error.code)
        except Retry as error:
            return Told("retry", error.reason, after=error.after.total_seconds() if error.after else None)
        except MainspringError as error:
            return Told(
                "refused", error.detail, error.code, after=error.retry_after_seconds, is_retryable=error.retryable
            )
        except Exception as error:  # noqa: BLE001 - the edge of a task: whatever a step raises becomes its outcome
            trace = "".join(traceback.format_exception(error))[-MAX_TRACE:]
            return Told("raised", type(error).__name__, trace=trace)

    def _tell(self, told: Told) -> None:
        self._connection.sendall(pack(told))

    def _listen(self) -> None:
        while True:
            length = int.from_bytes(self._read(4), "big")
            self._words.put(self._read(length))

    def _read(self, size: int) -> bytes:
        found = bytearray()
        while len(found) < size:
            part = self._connection.recv(size - len(found))
            if not part:
                os._exit(0)
            found += part
        return bytes(found)


def limit_memory(memory_mb: int) -> None:
    """Let the process take so much address space beyond what it has now."""
    pages = Path("/proc/self/statm")
    taken = int(pages.read_text().split()[0]) * resource.getpagesize() if pages.exists() else 0
    limit = taken + memory_mb * 1_048_576
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def end_with(parent: int) -> None:
    """Have the kernel kill this process with its parent, where it can; it may be too late already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)


def main() -> None:
    """Serve the socket whose number is the first argument, as long as the process of the second is there."""
    end_with(int(sys.argv[2]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal's whole group: the worker decides
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    Serving(socket.socket(fileno=int(sys.argv[1]))).serve()


if __name__ == "__main__":
    main()
