"""The whole system on one machine: engines, local models, API and worker as children of one supervisor.

Every child is watched and started again when it dies; a child that keeps dying is retried with a
growing pause. Stopping goes the other way round: API and worker drain first, Postgres ends last.
"""

import json
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from mainspring.entry.engines import configured_engines
from mainspring.foundation.engines import ChildProcess, ChildSpec, EmbeddedEngines, EngineUrls, find_free_port
from mainspring.foundation.errors import Unavailable
from mainspring.foundation.settings import Settings
from mainspring.foundation.telemetry import get_logger
from mainspring.inference.gateway import local_models_command
from mainspring.migrations import migrate

log = get_logger(__name__)

Announce = Callable[[str], None]
_SOUND_SECONDS = 5.0


@dataclass(slots=True)
class _Watched:
    child: ChildProcess
    failures: int = 0
    started_at: float = field(default_factory=time.monotonic)
    retry_at: float = 0.0


class Stack:
    """Start, watch and stop everything. `url` is where API and console answer."""

    def __init__(self, settings: Settings, *, workers: int = 1) -> None:
        self._settings = settings
        self._workers = workers
        self._engines: EmbeddedEngines | None = None
        self._watched: list[_Watched] = []
        self.url = ""
        self.port_was_taken = False

    def start(self, announce: Announce) -> None:
        """Bring everything up; the parts that do not need each other come up together."""
        urls = self._start_engines(announce)
        models_port = find_free_port()
        models_url = self._settings.models_url or f"http://127.0.0.1:{models_port}/v1"
        models = [] if self._settings.models_url else [self._models(models_port)]
        self._launch(models)
        before, after = migrate(urls.database_admin_url, login=urls.login)
        announce(f"schema {after}" if before == after else f"schema migrated to {after}")
        port = find_free_port(self._settings.port)
        self.port_was_taken = bool(self._settings.port) and port != self._settings.port
        self.url = f"http://{self._settings.host}:{port}"
        environment = self._environment(urls, models_url, port)
        served = [self._python("api", environment, self.url), *self._worker_children(environment)]
        self._launch(served)
        for child in (*models, *served):
            child.await_ready()
            announce(f"{child.spec.name} is ready")
        _write_json(self._settings.data_dir / "stack.json", {"url": self.url, "models_url": models_url})

    def watch(self, until: threading.Event) -> None:
        """Keep every child alive until the event is set."""
        while not until.wait(0.2):
            for watched in self._watched:
                if not watched.child.is_running and time.monotonic() >= watched.retry_at:
                    _restart(watched)

    def stop(self) -> None:
        """Stop every child in good order."""
        others = [watched.child for watched in self._watched if watched.child not in self._engine_children()]
        for child in others:
            child.ask_to_stop()
        for child in reversed(others):
            child.stop()
        if self._engines:
            self._engines.stop()
        if self.url:  # a stack that found the folder taken must leave the other one's file alone
            (self._settings.data_dir / "stack.json").unlink(missing_ok=True)

    def children(self) -> dict[str, ChildProcess]:
        """The children by name, for whoever wants to look at them or kill them."""
        return {watched.child.spec.name: watched.child for watched in self._watched}

    def _launch(self, children: list[ChildProcess]) -> None:
        """Known before it is started, so that `stop` finds it whatever happens on the way up."""
        for child in children:
            self._watched.append(_Watched(child))
            child.launch()

    def _start_engines(self, announce: Announce) -> EngineUrls:
        if configured := configured_engines(self._settings):
            announce("using the configured Postgres and Valkey")
            return configured
        self._engines = EmbeddedEngines(self._settings.data_dir)
        urls = self._engines.start()
        self._watched += [_Watched(child) for child in self._engines.children]
        announce("Postgres and Valkey are ready")
        return urls

    def _engine_children(self) -> tuple[ChildProcess, ...]:
        return self._engines.children if self._engines else ()

    def _models(self, port: int) -> ChildProcess:
        settings = self._settings
        command = local_models_command(port, settings.local_model_path, settings.local_model_threads)
        return ChildProcess(
            ChildSpec(
                name="models",
                command=(sys.executable, *command),
                log_path=settings.data_dir / "logs/models.log",
                is_ready=lambda: _answers(f"http://127.0.0.1:{port}/health"),
            )
        )

    def _worker_children(self, environment: dict[str, str]) -> list[ChildProcess]:
        ready = [self._settings.data_dir.resolve() / f"worker-{number}.ready" for number in range(self._workers)]
        children: list[ChildProcess] = []
        for number, path in enumerate(ready):
            name = "worker" if number == 0 else f"worker-{number + 1}"
            children.append(self._python(name, {**environment, "MAINSPRING_READY_FILE": str(path)}, None, path))
        return children

    def _python(
        self, name: str, environment: dict[str, str], url: str | None, ready_file: Path | None = None
    ) -> ChildProcess:
        module = "mainspring.entry.api" if url else "mainspring.entry.worker"
        return ChildProcess(
            ChildSpec(
                name=name,
                command=(sys.executable, "-m", module),
                log_path=self._settings.data_dir / f"logs/{name}.log",
                environment=environment,
                is_ready=lambda: _answers(f"{url}/readyz") if url else bool(ready_file and ready_file.exists()),
                ready_file=ready_file,
                stop_seconds=40.0,
            )
        )

    def _environment(self, urls: EngineUrls, models_url: str, port: int) -> dict[str, str]:
        return {
            "MAINSPRING_DATABASE_URL": urls.database_url,
            "MAINSPRING_VALKEY_URL": urls.valkey_url,
            "MAINSPRING_MODELS_URL": models_url,
            "MAINSPRING_OBJECT_STORE_URL": self._settings.objects_url,
            "MAINSPRING_DATA_DIR": str(self._settings.data_dir.resolve()),
            "MAINSPRING_PORT": str(port),
            "MAINSPRING_HOST": self._settings.host,
            "PYTHONUNBUFFERED": "1",
        }


def find_stack_url(data_dir: Path) -> str | None:
    """Where the stack of this folder answers, or None when none runs."""
    url = _read_state(data_dir).get("url")
    return url if url and _answers(f"{url}/healthz") else None


def find_stack_models(data_dir: Path) -> str | None:
    """Where the local models of this folder's stack answer, or None."""
    return _read_state(data_dir).get("models_url")


def _read_state(data_dir: Path) -> dict[str, str]:
    try:
        return json.loads((data_dir / "stack.json").read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}


def _restart(watched: _Watched) -> None:
    """Start it again; one that dies within seconds of its start waits longer each time."""
    lived = time.monotonic() - watched.started_at
    watched.failures = 0 if lived > _SOUND_SECONDS else watched.failures + 1
    watched.started_at = time.monotonic()
    try:
        watched.child.start()
        log.warning("child_restarted", child=watched.child.spec.name)
    except (Unavailable, OSError) as failure:
        log.error("child_keeps_failing", child=watched.child.spec.name, error=type(failure).__name__)
    if watched.failures:
        watched.retry_at = time.monotonic() + min(30.0, 0.25 * 2**watched.failures)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2.0, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def _write_json(path: Path, content: dict[str, str]) -> None:
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(content))
    partial.replace(path)
