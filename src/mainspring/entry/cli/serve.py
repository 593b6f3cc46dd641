"""`mainspring serve` runs everything of one machine; `mainspring worker` adds a worker to what runs."""

import asyncio
import signal
import threading
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from mainspring.entry.engines import running_engines
from mainspring.entry.stack import Stack, find_stack_models
from mainspring.entry.worker import run_worker
from mainspring.foundation.settings import load_settings
from mainspring.foundation.telemetry import configure_logs

from .output import JsonFlag, notes, show_json


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port of API and console; the next free one if taken.")] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Worker processes.")] = 1,
    json: JsonFlag = False,
) -> None:
    """Start engines, local models, API, console and workers, and keep them running until Ctrl-C."""
    overrides = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    settings = load_settings(**overrides)
    with (settings_folder(settings.data_dir) / "supervisor.log").open("a") as log_file:
        configure_logs(settings.log_level, log_file)
        stack = Stack(settings, workers=workers)
        try:
            end_on_sigterm()
            stack.start(lambda line: notes.print(f"[dim]·[/] {line}"))
            if stack.port_was_taken:
                notes.print(f"Port {settings.port} is taken; using another one.")
            notes.print(f"Ready: {stack.url}  (Ctrl-C stops everything)")
            if json:
                show_json({"url": stack.url, "data_dir": settings.data_dir.resolve()})
            stack.watch(stop_event())
        finally:
            notes.print("Stopping ...")
            stack.stop()


def worker(
    steps: Annotated[str | None, typer.Option(help="Claim only these steps, comma-separated: embed,classify.")] = None,
    concurrency: Annotated[int | None, typer.Option(min=1, max=1000, help="Steps at once.")] = None,
    json: JsonFlag = False,
) -> None:
    """Run one more worker against the running system; Ctrl-C or SIGTERM drains it."""
    chosen = {"worker_steps": steps, "worker_concurrency": concurrency}
    settings = load_settings(**{name: value for name, value in chosen.items() if value is not None})
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
