"""The API process: control plane and application routes, live events, and the console's files.

Run as `python -m mainspring.entry.api`; `mainspring serve` does so.
"""

import asyncio
import socket
from pathlib import Path

import uvicorn
import uvloop
from fastapi import APIRouter, FastAPI, Response
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles

from mainspring import __version__
from mainspring.application.identity import routes as identity_routes
from mainspring.entry.agents_slice import mcp_hosts
from mainspring.entry.orchestration_slice import Orchestration
from mainspring.entry.reference_page import add_reference_page
from mainspring.entry.wiring import Platform, build
from mainspring.foundation.collector import calm_collector
from mainspring.foundation.db import DatabaseGone
from mainspring.foundation.errors import NotFound
from mainspring.foundation.http import create_app
from mainspring.foundation.settings import Settings, load_settings
from mainspring.foundation.telemetry import configure_logs
from mainspring.foundation.valkey import ValkeyGone
from mainspring.inference.gateway import routes as record_routes
from mainspring.orchestration.agents.server import routes as agent_routes
from mainspring.orchestration.approvals import routes as approval_routes
from mainspring.orchestration.delivery import routes as delivery_routes
from mainspring.orchestration.knowledge import routes as knowledge_routes
from mainspring.orchestration.pipelines import operating as operating_routes
from mainspring.orchestration.pipelines import routes as run_routes
from mainspring.orchestration.pipelines.dialects import build_dialect_router
from mainspring.orchestration.products import routes as product_routes
from mainspring.orchestration.tools import routes as tool_routes
from mainspring.orchestration.tools.mcp import McpEndpoint, build_mcp_router, mcp_route

_DESCRIPTION = """
Everything is asynchronous: a submission answers with a run at once; follow it live at its `stream_url`,
or poll it. Send `Authorization: Bearer ms_...`. Errors are RFC 9457 problem+json with a stable `code`.
"""
_MULTIPART_OVERHEAD = 1_000_000
_UPLOADS = ("/v1/knowledge/documents", "/v1/knowledge/sources/")


def make_app(platform: Platform, *, has_console: bool = True) -> FastAPI:
    """The application over a built platform."""
    settings = platform.settings
    uploads = [*_UPLOADS, *(path for product, _ in platform.orchestration.products for path in product.upload_paths)]
    app = create_app(
        platform.identity,
        title="Mainspring",
        version=__version__,
        description=_DESCRIPTION,
        body_limits=dict.fromkeys(uploads, settings.max_upload_bytes + _MULTIPART_OVERHEAD),
        docs_url=None,
        redoc_url=None,
    )
    app.include_router(identity_routes.build_router(platform.identity, is_secure=settings.secure_cookies))
    _add_orchestration(app, platform.orchestration, max_upload_bytes=settings.max_upload_bytes)
    _add_inference(app, platform)
    _add_health(app, platform)
    app.include_router(_metrics_router(platform))
    toolbox = platform.orchestration.agents.tools.toolbox
    app.router.routes.append(mcp_route(McpEndpoint(toolbox, platform.identity, mcp_hosts(settings))))
    add_reference_page(app)
    if has_console:
        _add_console(app)
    return app


def _add_orchestration(app: FastAPI, parts: Orchestration, *, max_upload_bytes: int) -> None:
    """Products, knowledge and runs."""
    for router in parts.brought.routers:
        app.include_router(router)
    app.include_router(knowledge_routes.build_router(parts.knowledge.services, max_upload_bytes=max_upload_bytes))
    app.include_router(product_routes.build_router(parts.products))
    app.include_router(operating_routes.build_router(parts.operating))
    app.include_router(run_routes.build_router(parts.pipelines, parts.live, privacy=parts.privacy))
    app.include_router(build_dialect_router(parts.pipelines, parts.live, privacy=parts.privacy))
    app.include_router(delivery_routes.build_router(parts.delivery))
    app.include_router(approval_routes.build_router(parts.approvals))
    tools = parts.agents.tools
    app.include_router(tool_routes.build_router(tools.overview, tools.policies, tools.secrets))
    app.include_router(build_mcp_router(tools.servers))
    app.include_router(agent_routes.build_router(parts.agents.server))


def _add_inference(app: FastAPI, platform: Platform) -> None:
    """The gateway's control plane."""
    app.include_router(record_routes.build_router(platform.records))
    app.include_router(record_routes.build_outcome_router(platform.gateway))
    app.include_router(
        record_routes.build_settings_router(platform.policies, platform.provider_keys, platform.spending)
    )
    app.include_router(record_routes.build_models_router(platform.models))
    app.include_router(record_routes.build_cache_router(platform.kept_replies))


def _metrics_router(platform: Platform) -> APIRouter:
    """Figures of the fleet, for who watches it."""
    settings = platform.settings
    return operating_routes.build_metrics_router(
        platform.database,
        platform.valkey,
        token=settings.metrics_token.get_secret_value() if settings.metrics_token else None,
        places_per_worker=settings.worker_concurrency,
    )


def _add_health(app: FastAPI, platform: Platform) -> None:
    @app.get("/healthz", tags=["operations"])
    async def is_alive() -> dict[str, str]:
        """The process answers."""
        return {"status": "ok"}

    @app.get("/readyz", tags=["operations"])
    async def is_ready(response: Response) -> dict[str, str]:
        """Whether the engines answer: 503 names the one that does not."""
        engines = {"database": "ok", "valkey": "ok"}
        try:
            await platform.database.ping()
        except DatabaseGone:
            engines["database"] = "away"
        try:
            await platform.valkey.execute_command("PING")
        except ValkeyGone:
            engines["valkey"] = "away"
        response.status_code = 200 if engines["database"] == "ok" else 503
        return engines


def _add_console(app: FastAPI) -> None:
    """The single-page console under `/`; every path that is no file is answered by its index."""
    folder = find_console()
    if folder is None:
        return
    app.mount("/assets", StaticFiles(directory=folder / "assets", check_dir=False), name="assets")

    @app.get("/{path:path}", include_in_schema=False)
    async def show_console(path: str) -> FileResponse:
        if path.startswith(("v1/", "assets/")):
            raise NotFound(f"There is nothing at /{path[:100]}. See /docs for what exists.")
        file = _find_file(folder, path)
        return FileResponse(file or folder / "index.html", headers={} if file else {"cache-control": "no-cache"})


def _find_file(folder: Path, path: str) -> Path | None:
    """The file at a path that anyone may have made up: inside the folder, or None."""
    try:
        file = (folder / path).resolve()
        return file if file.is_relative_to(folder) and file.is_file() else None
    except (ValueError, OSError):  # a NUL, or a name longer than the file system has
        return None


def find_console() -> Path | None:
    """The console's built files: in the wheel, or in the checkout; None when it was not built."""
    here = Path(__file__).resolve().parent
    for folder in (here / "console", here.parents[2] / "console" / "dist"):
        if (folder / "index.html").is_file():
            return folder
    return None


class _Server(uvicorn.Server):
    """Ends the event streams first: they would otherwise hold the shutdown up until its time is over."""

    def __init__(self, config: uvicorn.Config, streams: Orchestration) -> None:
        super().__init__(config)
        self._streams = streams

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._streams.agents.server.close()
        await self._streams.live.close()
        await super().shutdown(sockets)


async def run_api(settings: Settings) -> None:
    """Serve until SIGTERM or Ctrl-C; open streams are ended, and clients resume elsewhere."""
    async with build(settings) as platform:
        config = uvicorn.Config(
            make_app(platform),
            host=settings.host,
            port=settings.port,
            loop="none",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=5,
            server_header=False,
            proxy_headers=settings.trusted_proxies is not None,
            forwarded_allow_ips=settings.trusted_proxies,
        )
        server = _Server(config, platform.orchestration)
        calm_collector()  # a full collection held up a thousand open streams for a third of a second
        await server.serve()


def main() -> None:
    """Entry point of the process."""
    settings = load_settings()
    configure_logs(settings.log_level)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run_api(settings))


if __name__ == "__main__":
    main()
