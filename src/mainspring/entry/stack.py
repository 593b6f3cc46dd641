"""The whole system on one machine: engines, local models, API, gateways and workers as children of one supervisor.

Stopping goes the other way round: API, gateways and workers drain first, then the local models that
they may still wait for end, Postgres last.
"""

import json
import sys
import threading
from pathlib import Path

from mainspring.entry.engines import configured_engines
from mainspring.entry.gateways import HeldPort, engine_environment, gateway_children, gateway_url
from mainspring.entry.supervisor import Announce, Supervisor, answers, await_all, stop_together
from mainspring.foundation.engines import ChildProcess, ChildSpec, EmbeddedEngines, EngineUrls, find_free_port
from mainspring.foundation.settings import Settings
from mainspring.inference.gateway import local_models_command
from mainspring.migrations import migrate


class Stack:
    """Start, watch and stop everything. `url` is where API and console answer, `gateway_url` where the gateway does."""

    def __init__(self, settings: Settings, *, workers: int = 1) -> None:
        self._settings = settings
        self._workers = workers
        self._engines: EmbeddedEngines | None = None
        self._supervisor = Supervisor()
        self._gateway_port: HeldPort | None = None
        self._models: list[ChildProcess] = []
        self._served: list[ChildProcess] = []
        self.url = ""
        self.gateway_url = ""
        self.taken_ports: tuple[int, ...] = ()  # those of the settings that others have

    def start(self, announce: Announce) -> None:
        """Bring everything up; the parts that do not need each other come up together."""
        settings, urls = self._settings, self._start_engines(announce)
        models_port = find_free_port()
        models_url = settings.models_url or f"http://127.0.0.1:{models_port}/v1"
        self._models = [] if settings.models_url else [self._model_server(models_port)]
        self._supervisor.launch(self._models)
        before, after = migrate(urls.database_admin_url, login=urls.login)
        announce(f"schema {after}" if before == after else f"schema migrated to {after}")
        port, gateway_port = self._choose_ports()
        environment = self._environment(urls, models_url, port)
        self._served = [
            self._api(environment),
            *gateway_children(settings, gateway_port, environment),
            *self._worker_children(environment),
        ]
        self._supervisor.launch(self._served)
        await_all([*self._models, *self._served], announce)
        found = {"url": self.url, "gateway_url": self.gateway_url, "models_url": models_url}
        _write_json(settings.data_dir / "stack.json", found)

    def watch(self, until: threading.Event, announce: Announce) -> None:
        """Keep every child alive until the event is set; `announce` hears which ended, and how."""
        self._supervisor.watch(until, announce)

    def stop(self) -> None:
        """Stop every child in good order."""
        stop_together(self._served)
        stop_together(self._models)
        if self._gateway_port:
            self._gateway_port.release()
        if self._engines:
            self._engines.stop()
        if self.url:  # a stack that found the folder taken must leave the other one's file alone
            (self._settings.data_dir / "stack.json").unlink(missing_ok=True)

    def children(self) -> dict[str, ChildProcess]:
        """The children by name, for whoever wants to look at them or kill them."""
        return {child.spec.name: child for child in self._supervisor.children}

    def _choose_ports(self) -> tuple[int, int]:
        """Those of the settings, or others where they are taken; the gateway's is held from here on."""
        settings = self._settings
        port = find_free_port(settings.port)
        wished = settings.gateway_port if settings.gateway_port != port else 0
        self._gateway_port = held = HeldPort.hold(settings.host, wished)
        got = {settings.port: port, settings.gateway_port: held.number}
        self.taken_ports = tuple(asked for asked, number in got.items() if asked not in (0, number))
        self.url = f"http://{settings.host}:{port}"
        self.gateway_url = gateway_url(settings, held.number)
        return port, held.number

    def _start_engines(self, announce: Announce) -> EngineUrls:
        if configured := configured_engines(self._settings):
            announce("using the configured Postgres and Valkey")
            return configured
        self._engines = EmbeddedEngines(self._settings.data_dir)
        urls = self._engines.start()
        self._supervisor.adopt(self._engines.children)
        announce("Postgres and Valkey are ready")
        return urls

    def _model_server(self, port: int) -> ChildProcess:
        settings = self._settings
        command = local_models_command(port, settings.local_model_path, settings.local_model_threads)
        return ChildProcess(
            ChildSpec(
                name="models",
                command=(sys.executable, *command),
                log_path=settings.data_dir / "logs/models.log",
                is_ready=lambda: answers(f"http://127.0.0.1:{port}/health"),
            )
        )

    def _worker_children(self, environment: dict[str, str]) -> list[ChildProcess]:
        ready = [self._settings.data_dir.resolve() / f"worker-{number}.ready" for number in range(self._workers)]
        children: list[ChildProcess] = []
        for number, path in enumerate(ready):
            name = "worker" if number == 0 else f"worker-{number + 1}"
            child = self._python(name, {**environment, "MAINSPRING_READY_FILE": str(path)}, path)
            children.append(child)
        return children

    def _api(self, environment: dict[str, str]) -> ChildProcess:
        return self._python("api", environment, None)

    def _python(self, name: str, environment: dict[str, str], ready_file: Path | None) -> ChildProcess:
        """The API, which answers at its address, or a worker, which touches its file."""
        module, url = "mainspring.entry.worker" if ready_file else "mainspring.entry.api", self.url
        return ChildProcess(
            ChildSpec(
                name=name,
                command=(sys.executable, "-m", module),
                log_path=self._settings.data_dir / f"logs/{name}.log",
                environment=environment,
                is_ready=lambda: ready_file.exists() if ready_file else answers(f"{url}/readyz"),
                ready_file=ready_file,
                stop_seconds=40.0,
            )
        )

    def _environment(self, urls: EngineUrls, models_url: str, port: int) -> dict[str, str]:
        return engine_environment(self._settings, urls) | {
            "MAINSPRING_MODELS_URL": models_url,
            "MAINSPRING_OBJECT_STORE_URL": self._settings.objects_url,
            "MAINSPRING_PORT": str(port),
        }


def find_stack_url(data_dir: Path) -> str | None:
    """Where the stack of this folder answers, or None when none runs."""
    url = _read_state(data_dir).get("url")
    return url if url and answers(f"{url}/healthz") else None


def find_stack_gateway(data_dir: Path) -> str | None:
    """Where the gateway of this folder's stack answers, or None when none runs."""
    url = _read_state(data_dir).get("gateway_url")
    # Over TLS the certificate need not name this machine, so that the stack's word has to do.
    return url if url and (url.startswith("https") or answers(f"{url}/healthz")) else None


def find_stack_models(data_dir: Path) -> str | None:
    """Where the local models of this folder's stack answer, or None."""
    return _read_state(data_dir).get("models_url")


def _read_state(data_dir: Path) -> dict[str, str]:
    try:
        return json.loads((data_dir / "stack.json").read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}


def _write_json(path: Path, content: dict[str, str]) -> None:
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(content))
    partial.replace(path)
