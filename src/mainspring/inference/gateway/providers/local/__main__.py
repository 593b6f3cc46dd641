"""`python -m mainspring.inference.gateway.providers.local --port N [--model FILE] [--threads N]`.

Serves the local models on loopback; it listens only when both are loaded, so a 200 from /health
means ready. It ends on SIGTERM, and within a second of its parent's end.
"""

import argparse
import asyncio
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import uvicorn

from mainspring.foundation.errors import Unavailable
from mainspring.foundation.telemetry import configure_logs

from .assets import CHAT_MODEL, CHAT_NAME, HOW_TO_INSTALL


def main() -> None:
    """Load both models at once and serve until told to stop."""
    options = _read_options()
    configure_logs("warning")
    try:
        server = uvicorn.Server(_load(options))
    except ModuleNotFoundError as missing:
        sys.exit(f"The local models need the package {missing.name}: {HOW_TO_INSTALL}")
    except (Unavailable, RuntimeError, ValueError) as refusal:
        sys.exit(f"The local models cannot be loaded: {refusal}")
    try:
        asyncio.run(_serve(server))
    finally:
        sys.stderr.flush()
        os._exit(0 if server.started else 1)  # llama.cpp's threads would hold up an ordinary end


def _read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="local models", description="Serve the local models on loopback.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--model", type=Path, default=None, help="a GGUF file instead of the bundled model")
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


def _load(options: argparse.Namespace) -> uvicorn.Config:
    model: Path = options.model or CHAT_MODEL.get()
    if not model.is_file():
        raise Unavailable(f"There is no model file {model}.")
    # Here and not at the top: these import the wheels of an optional extra.
    from .app import LocalModels
    from .chat import start_chat
    from .embedder import Embedder

    name = model.stem.lower() if options.model else CHAT_NAME
    with ThreadPoolExecutor(1) as beside:
        embedder = beside.submit(Embedder, options.threads)
        chat = start_chat(model, name, options.threads)
        models = LocalModels(embedder.result(), chat.listening_address, name)
    app = models.app()
    app.state.chat = chat  # it serves for as long as it is referred to
    return uvicorn.Config(
        app, host="127.0.0.1", port=options.port, log_config=None, access_log=False, timeout_graceful_shutdown=1
    )


async def _serve(server: uvicorn.Server) -> None:
    async with asyncio.TaskGroup() as tasks:
        watch = tasks.create_task(_end_with_parent(server))
        await server.serve()
        watch.cancel()


async def _end_with_parent(server: uvicorn.Server) -> None:
    parent = os.getppid()
    while os.getppid() == parent:  # noqa: ASYNC110 - no event tells of it; the kernel's signal may be absent
        await asyncio.sleep(0.5)
    server.should_exit = True


if __name__ == "__main__":
    main()
