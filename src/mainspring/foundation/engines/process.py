"""A child process that dies with its parent, logs to a file, and can be stopped in good order.

On Linux the kernel is asked to signal the child when its parent ends (PR_SET_PDEATHSIG), so that
`kill -9` of the parent leaves nothing behind.
"""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from mainspring.foundation.errors import Unavailable

_PR_SET_PDEATHSIG = 1
_prctl: Callable[..., int] | None = ctypes.CDLL(None).prctl if sys.platform == "linux" else None


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """How to start one child.

    is_ready     asked every 20 ms until true
    stop_signal  what makes it end in good order
    stdin        bytes to feed it once, for configuration that must not show in the process list
    ready_file   what the child touches when it is ready; removed before each start
    """

    name: str
    command: tuple[str, ...]
    log_path: Path
    is_ready: Callable[[], bool]
    environment: dict[str, str] = field(default_factory=dict[str, str])
    stop_signal: signal.Signals = signal.SIGTERM
    stdin: bytes | None = None
    ready_file: Path | None = None
    start_seconds: float = 30.0
    stop_seconds: float = 15.0


class ChildProcess:
    """A running child. `start` returns when it is ready; `stop` when it has ended."""

    def __init__(self, spec: ChildSpec) -> None:
        self.spec = spec
        self._process: subprocess.Popen[bytes] | None = None
        self._log_begins = 0  # bytes that earlier starts had written

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process and self.is_running else None

    @property
    def is_running(self) -> bool:
        """Whether the process exists."""
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """Of the last process, once it has ended: below zero the number of the signal that ended it."""
        return self._process.poll() if self._process else None

    def start(self) -> None:
        """Start and wait until ready; Unavailable shows the end of its log when it fails."""
        self.launch()
        self.await_ready()

    def launch(self) -> None:
        """Start without waiting, so that several can come up at once."""
        if self.spec.ready_file:
            self.spec.ready_file.unlink(missing_ok=True)
        self.spec.log_path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self.spec.log_path.open("ab") as output:
            self._log_begins = output.tell()
            self._process = subprocess.Popen(  # noqa: S603 - the command is ours
                self.spec.command,
                stdin=subprocess.PIPE if self.spec.stdin else subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **self.spec.environment},
                start_new_session=True,
                # Safe beside threads: one C call, resolved before the fork.
                preexec_fn=_die_with_parent(self.spec.stop_signal),  # noqa: PLW1509
            )
        if self.spec.stdin and self._process.stdin:
            self._process.stdin.write(self.spec.stdin)
            self._process.stdin.close()

    def await_ready(self) -> None:
        """Wait for `is_ready`; stops the child again when it does not come up in time.

        raises   Unavailable with the end of what this start wrote to the log, nothing of earlier ones
        """
        deadline = time.monotonic() + self.spec.start_seconds
        while not self.spec.is_ready():
            if not self.is_running or time.monotonic() > deadline:
                self.stop()
                raise Unavailable(
                    f"{self.spec.name} did not start. The end of {self.spec.log_path}:\n"
                    + _tail(self.spec.log_path, self._log_begins)
                )
            time.sleep(0.02)

    def ask_to_stop(self) -> None:
        """Send the signal and do not wait, so that several can end at once."""
        if self._process is not None and self.is_running:
            self._process.send_signal(self.spec.stop_signal)

    def stop(self) -> None:
        """End it in good order, or by force after `stop_seconds`."""
        if self._process is None:
            return
        self.ask_to_stop()
        try:
            self._process.wait(self.spec.stop_seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def kill(self) -> None:
        """End it at once, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


def find_free_port(preferred: int = 0) -> int:
    """`preferred` when it is free on loopback, else one that the system picks."""
    if preferred and port_is_free(preferred):
        return preferred
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def port_is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def accepts_connections(port: int) -> bool:
    """Whether something listens on loopback at the port."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _die_with_parent(with_signal: signal.Signals) -> Callable[[], None]:
    def ask_kernel() -> None:
        if _prctl is not None:
            _prctl(_PR_SET_PDEATHSIG, int(with_signal), 0, 0, 0)

    return ask_kernel


def _tail(path: Path, begins: int, lines: int = 15) -> str:
    with path.open("rb") as log:
        log.seek(begins)
        return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])
