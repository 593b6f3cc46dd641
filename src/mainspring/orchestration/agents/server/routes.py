"""HTTP: LangGraph's agent-server API below /v1/agents, so that its clients work as they are."""

from importlib.metadata import version

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from mainspring import __version__
from mainspring.foundation.http import CurrentPrincipal

from .assistants import routes as assistant_routes
from .crons import routes as cron_routes
from .doorkeeper import keep_door
from .items import routes as item_routes
from .keys import KeyRoute
from .runs import routes as run_routes
from .serving import AgentServer
from .streams import routes as event_routes
from .threads import routes as thread_routes
from .words import PREFIX


class ServerInfo(BaseModel):
    """What this server is and can do."""

    version: str
    langgraph_py_version: str
    flags: dict[str, bool]
    metadata: dict[str, str]


def build_router(server: AgentServer) -> APIRouter:
    """Every route of the agent server."""
    router = APIRouter(prefix=PREFIX, dependencies=[Depends(keep_door(server.ownership))])
    _add_about(router)
    router.include_router(assistant_routes.build_router(server.assistants, server.shapes))
    router.include_router(thread_routes.build_router(server.threads, server.states))
    router.include_router(event_routes.build_router(server.commands, server.feed, server.joined, server.ownership))
    router.include_router(cron_routes.build_router(server.crons, server.assistants))
    router.include_router(run_routes.build_router(server.desk, server.streams))
    router.include_router(item_routes.build_router(server.items))
    return router


def _add_about(router: APIRouter) -> None:
    @router.get("/ok", tags=["agents: server"])
    async def is_ok() -> dict[str, bool]:
        """The process answers."""
        return {"ok": True}

    about = APIRouter(tags=["agents: server"], route_class=KeyRoute)

    @about.get("/info")
    async def get_info(principal: CurrentPrincipal) -> ServerInfo:
        """The server's version, and which parts of the protocol it has."""
        flags = {"assistants": True, "crons": True, "langsmith": False, "event_streaming": True, "strict_resume": False}
        return ServerInfo(
            version=__version__,
            langgraph_py_version=version("langgraph"),
            flags=flags,
            metadata={"server": "mainspring"},
        )

    router.include_router(about)
