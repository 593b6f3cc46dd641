"""The gateway processes of one machine: any number of them on one port, which their supervisor holds.

The kernel spreads new connections over every process that listens on a port with SO_REUSEPORT, also
over those of another installation, which would answer for the wrong tenants. So the supervisor binds
the port first, alone, shares it afterwards, and never listens on it: its own gateways get in, every
later installation finds the port taken, and it stays held while a gateway is started again.
"""

import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType

from mainspring.entry.supervisor import answers
from mainspring.foundation.engines import ChildProcess, ChildSpec, EngineUrls
from mainspring.foundation.settings import Settings

_STOP_SECONDS = 40.0  # a gateway gives up what it drains after 30


@dataclass(frozen=True, slots=True)
class HeldPort:
    """A port that only our own gateways can listen on, until it is released."""

    number: int
    was_taken: bool
    _holder: socket.socket

    @classmethod
    def hold(cls, host: str, preferred: int) -> "HeldPort":
        """The preferred port, or a free one where another program has it; 0 prefers none."""
        try:
            return cls._bind(host, preferred, was_taken=False)
        except OSError:
            if not preferred:
                raise
        return cls._bind(host, 0, was_taken=True)

    @classmethod
    def _bind(cls, host: str, port: int, *, was_taken: bool) -> "HeldPort":
        holder = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        try:
            # Reused while connections of an earlier process linger; had alone; and only then shared.
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            holder.bind((host, port))
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        except OSError:
            holder.close()
            raise
        return cls(holder.getsockname()[1], was_taken, holder)

    def release(self) -> None:
        """Let others have it."""
        self._holder.close()

    def __enter__(self) -> "HeldPort":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def gateway_url(settings: Settings, port: int) -> str:
    """Where clients of this machine find the gateways."""
    scheme = "http" if settings.gateway_tls_certificate is None else "https"
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - it is compared
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def engine_environment(settings: Settings, urls: EngineUrls) -> dict[str, str]:
    """What every child must know: where the engines are, where data lies, where to listen."""
    return {
        "MAINSPRING_DATABASE_URL": urls.database_url,
        "MAINSPRING_VALKEY_URL": urls.valkey_url,
        "MAINSPRING_DATA_DIR": str(settings.data_dir.resolve()),
        "MAINSPRING_HOST": settings.host,
        "PYTHONUNBUFFERED": "1",
    }


def gateway_children(
    settings: Settings, port: int, environment: Mapping[str, str], *, alone: bool = False
) -> list[ChildProcess]:
    """`gateway_workers` processes on the port, not started; called `gateway`, `gateway-2` and so on.

    environment   that of `engine_environment`, and more
    alone         apart from a stack of the same data folder, whose files must be left alone: named by the port
    """
    numbers = range(1, settings.gateway_workers + 1)
    first = f"gateway-at-{port}" if alone else "gateway"
    names = [first if number == 1 else f"{first}-{number}" for number in numbers]
    return [_child(settings, name, port, environment) for name in names]


def forget_ready(children: Sequence[ChildProcess]) -> None:
    """Take away the files of children that have ended, whose names may never come again."""
    for child in children:
        if child.spec.ready_file:
            child.spec.ready_file.unlink(missing_ok=True)


def _child(settings: Settings, name: str, port: int, environment: Mapping[str, str]) -> ChildProcess:
    ready_file = settings.data_dir.resolve() / f"{name}.ready"
    url = gateway_url(settings, port)

    def is_ready() -> bool:
        # The file is this process's own word, since any of them may answer at the port. Over TLS it has
        # to do: the certificate names the host that clients use, which need not be this machine's.
        return ready_file.exists() and (url.startswith("https") or answers(f"{url}/readyz"))

    return ChildProcess(
        ChildSpec(
            name=name,
            command=(sys.executable, "-m", "mainspring.entry.gateway"),
            log_path=settings.data_dir / f"logs/{name}.log",
            environment={
                **environment,
                "MAINSPRING_GATEWAY_PORT": str(port),
                "MAINSPRING_READY_FILE": str(ready_file),
            },
            is_ready=is_ready,
            ready_file=ready_file,
            stop_seconds=_STOP_SECONDS,
        )
    )
