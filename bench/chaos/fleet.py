"""The fleet: engines, APIs and workers as children that come up again, and every way to hurt them."""

import random
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from mainspring.entry.supervisor import Supervisor, answers, stop_together
from mainspring.foundation.engines import ChildProcess, ChildSpec, EmbeddedEngines, EngineUrls, find_free_port
from mainspring.foundation.valkey import open_valkey
from mainspring.migrations import migrate

LEASE_SECONDS = 1.5
_START_SECONDS = 90
_CLOCKS = (0, 7, 0)  # minutes by which each worker's clock is off


class Fleet:
    """3 workers, 2 APIs, Postgres, Valkey. Start, hurt, deploy, stop."""

    def __init__(self, folder: Path, outside_url: str) -> None:
        self._folder = folder
        self._outside_url = outside_url
        self._engines = EmbeddedEngines(folder / "data")
        self._supervisor = Supervisor()
        self._stop = threading.Event()
        self._watcher = threading.Thread(target=self._supervisor.watch, args=(self._stop, _say_nothing))
        self._version = 1
        self._started = 0
        self.workers: list[ChildProcess] = []
        self.apis: list[ChildProcess] = []
        self.api_urls: list[str] = []
        self.urls: EngineUrls | None = None

    def start(self) -> EngineUrls:
        """Bring everything up; answers where the engines are."""
        self.urls = urls = self._engines.start()
        migrate(urls.database_admin_url, login=urls.login)
        self._supervisor.adopt(self._engines.children)
        ports = [find_free_port() for _ in range(2)]
        self.api_urls = [f"http://127.0.0.1:{port}" for port in ports]
        self.apis = [self._api(port) for port in ports]
        self.workers = [self._worker(minutes) for minutes in _CLOCKS]
        self._supervisor.launch([*self.apis, *self.workers])
        for child in (*self.apis, *self.workers):
            child.await_ready()
        self._watcher.start()
        return urls

    def stop(self) -> None:
        """End everything in good order."""
        self._stop.set()
        if self._watcher.is_alive():
            self._watcher.join()
        stop_together([*self.apis, *self.workers])
        self._engines.stop()

    def ways(self) -> dict[str, Callable[[random.Random], None]]:
        """Name to what it does."""
        postgres, valkey = self._engines.children
        return {
            "kill a worker": lambda chance: chance.choice(self.workers).kill(),
            "kill an API": lambda chance: chance.choice(self.apis).kill(),
            "kill Valkey, which comes back empty": lambda _: valkey.kill(),
            "kill Postgres": lambda _: postgres.kill(),
            "restart Postgres": lambda _: postgres.ask_to_stop(),
        }

    async def wipe_valkey(self) -> None:
        """Everything in it is gone, and it runs on."""
        assert self.urls is not None
        valkey = open_valkey(self.urls.valkey_url)
        try:
            await valkey.execute_command("FLUSHALL")
        finally:
            await valkey.aclose()

    def deploy(self) -> None:
        """Version 2: one worker after the other gives way to a new one, then the APIs."""
        self._version = 2
        for old in list(self.workers):
            new = self._worker(0)
            self._supervisor.launch([new])
            self.workers.append(new)
            self._retire(old, self.workers)
        for place, url in enumerate(list(self.api_urls)):
            old, port = self.apis[0], find_free_port()
            new = self._api(port)
            self._supervisor.launch([new])
            self.apis.append(new)
            _await_ready(new)
            self.api_urls[place] = url.rpartition(":")[0] + f":{port}"
            self._retire(old, self.apis)

    def _retire(self, child: ChildProcess, group: list[ChildProcess]) -> None:
        self._supervisor.release(child)
        group.remove(child)
        child.stop()

    def _api(self, port: int) -> ChildProcess:
        return self._child(f"api-{port}", ("api", str(port), "0"), lambda: answers(f"http://127.0.0.1:{port}/readyz"))

    def _worker(self, clock_minutes: int) -> ChildProcess:
        self._started += 1
        ready = self._folder / f"worker-{self._started}.ready"
        return self._child(f"worker-{self._started}", ("worker", "0", str(clock_minutes)), ready.exists, ready)

    def _child(
        self, name: str, role: tuple[str, str, str], is_ready: Callable[[], bool], ready: Path | None = None
    ) -> ChildProcess:
        assert self.urls is not None
        kind, port, clock = role
        return ChildProcess(
            ChildSpec(
                name=name,
                command=(sys.executable, "-m", "bench.chaos.cast", kind, str(self._version), port, clock),
                log_path=self._folder / f"logs/{name}.log",
                is_ready=is_ready,
                ready_file=ready,
                environment={
                    "MAINSPRING_DATA_DIR": str(self._folder / name),
                    "MAINSPRING_DATABASE_URL": self.urls.database_url,
                    "MAINSPRING_VALKEY_URL": self.urls.valkey_url,
                    "MAINSPRING_MODELS_URL": "http://127.0.0.1:1/v1",
                    "MAINSPRING_MASTER_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
                    "MAINSPRING_LEASE_SECONDS": str(LEASE_SECONDS),
                    "MAINSPRING_READY_FILE": str(ready) if ready else "",
                    "CHAOS_OUTSIDE_URL": self._outside_url,
                },
            )
        )


def _await_ready(child: ChildProcess) -> None:
    """Wait for a child that may be hurt while it starts, and is then started again by the supervisor."""
    until = time.monotonic() + _START_SECONDS
    while not child.spec.is_ready():
        assert time.monotonic() < until, f"{child.spec.name} did not come up in {_START_SECONDS} s"
        time.sleep(0.1)


def _say_nothing(ended: str) -> None:
    """Processes are killed here all the time."""
