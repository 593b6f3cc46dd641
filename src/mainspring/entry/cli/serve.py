"""`mainspring serve` runs everything of one machine; `mainspring worker` and `gateway` add to what runs."""

import asyncio
import signal
import threading
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from rich.markup import escape

from mainspring.entry.engines import running_engines
from mainspring.entry.gateways import HeldPort, engine_environment, forget_ready, gateway_children, gateway_url
from mainspring.entry.stack import Stack, find_stack_models
from mainspring.entry.supervisor import Supervisor, await_all, stop_together
from mainspring.entry.worker import run_worker
from mainspring.foundation.errors import Unavailable
from mainspring.foundation.settings import load_settings
from mainspring.foundation.telemetry import configure_logs

from .output import JsonFlag, notes, show_json


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port of API and console; the next free one if taken.")] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Worker processes.")] = 1,
    gateway_port: Annotated[int | None, typer.Option(help="Port of the gateway; the next free one if taken.")] = None,
    gateway_workers: Annotated[int | None, typer.Option(min=1, max=64, help="Gateway processes.")] = None,
    json: JsonFlag = False,
) -> None:
    """Start engines, local models, API, console, gateway and workers, and keep them running until Ctrl-C."""
    chosen = {"host": host, "port": port, "gateway_port": gateway_port, "gateway_workers": gateway_workers}
    settings = load_settings(**_given(chosen))
    with (settings_folder(settings.data_dir) / "supervisor.log").open("a") as log_file:
        configure_logs(settings.log_level, log_file)
        stack = Stack(settings, workers=workers)
        try:
            end_on_sigterm()
            stack.start(tell)
            for taken in stack.taken_ports:
                notes.print(f"Port {taken} is taken; using another one.")
            notes.print(f"Ready: {stack.url}  gateway: {stack.gateway_url}  (Ctrl-C stops everything)", soft_wrap=True)
            if json:
                found = {"url": stack.url, "gateway_url": stack.gateway_url, "data_dir": settings.data_dir.resolve()}
                show_json(found)
            stack.watch(stop_event(), tell)
        finally:
            notes.print("Stopping ...")
            stack.stop()


def worker(
    steps: Annotated[str | None, typer.Option(help="Claim only these steps, comma-separated: embed,classify.")] = None,
    concurrency: Annotated[int | None, typer.Option(min=1, max=1000, help="Steps at once.")] = None,
    json: JsonFlag = False,
) -> None:
    """Run one more worker against the running system; Ctrl-C or SIGTERM drains it."""
    settings = load_settings(**_given({"worker_steps": steps, "worker_concurrency": concurrency}))
    urls = running_engines(settings)
    found = {
        "database_url": urls.database_url,
        "valkey_url": urls.valkey_url,
        "models_url": settings.models_url or find_stack_models(settings.data_dir),
    }
    configure_logs(settings.log_level)
    notes.print("Worker started; Ctrl-C drains and stops it.")
    if json:
        show_json({"steps": steps or "all", "concurrency": settings.worker_concurrency})
    asyncio.run(run_worker(load_settings(**settings.model_dump(exclude_none=True) | found)))


def gateway(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 picks a free one.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, max=64, help="Processes that share the port.")] = None,
    json: JsonFlag = False,
) -> None:
    """Run the gateway alone, beside engines that run: starts again what dies; Ctrl-C or SIGTERM drains it."""
    settings = load_settings(**_given({"host": host, "gateway_port": port, "gateway_workers": workers}))
    urls = running_engines(settings)
    models_url = settings.models_url or find_stack_models(settings.data_dir)
    with (
        (settings_folder(settings.data_dir) / "gateway-supervisor.log").open("a") as log_file,
        HeldPort.hold(settings.host, settings.gateway_port) as held,
    ):
        configure_logs(settings.log_level, log_file)
        if held.was_taken:  # here nobody is told of another port, so that callers would find whoever has this one
            raise Unavailable(f"Port {settings.gateway_port} is taken: stop what has it, or choose another by --port.")
        environment = engine_environment(settings, urls) | ({"MAINSPRING_MODELS_URL": models_url} if models_url else {})
        children = gateway_children(settings, held.number, environment, alone=True)
        supervisor = Supervisor()
        try:
            end_on_sigterm()
            supervisor.launch(children)
            await_all(children, tell)
            url = gateway_url(settings, held.number)
            notes.print(f"Ready: {url}  (Ctrl-C drains and stops it)", soft_wrap=True)
            if json:
                show_json({"gateway_url": url, "workers": len(children)})
            supervisor.watch(stop_event(), tell)
        finally:
            notes.print("Draining ...")
            stop_together(children)
            forget_ready(children)


def tell(line: str) -> None:
    """A line about what goes on, for whoever started it."""
    notes.print(f"[dim]·[/] {escape(line)}", soft_wrap=True)


def _given(options: Mapping[str, object]) -> dict[str, object]:
    """The options that were given; the others are for environment, file and defaults."""
    return {name: value for name, value in options.items() if value is not None}


def end_on_sigterm() -> None:
    """Until there is something to watch, SIGTERM ends the command as Ctrl-C does: by an exception."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)


def stop_event() -> threading.Event:
    """Set by Ctrl-C and SIGTERM."""
    stop = threading.Event()

    def ask(number: int, frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGINT, ask)
    signal.signal(signal.SIGTERM, ask)
    return stop


def settings_folder(data_dir: Path) -> Path:
    """The folder for logs, made when absent; it and the data folder are the owner's alone."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = data_dir / "logs"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder
