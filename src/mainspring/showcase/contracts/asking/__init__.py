"""Asking contracts: an agent that answers with citations, with a capable model or without one."""

from dataclasses import dataclass

from fastapi import APIRouter

from mainspring.orchestration.agents import Agent
from mainspring.orchestration.products import Services
from mainspring.orchestration.tools import Tool
from mainspring.showcase.contracts.service import Contracts

from .agent import build_agent
from .amendments import Amendments
from .desk import Desk
from .routes import build_asking_router
from .shelf import ContractShelf, Shelf
from .tools import build_tools
from .types import AGENT

__all__ = ["AGENT", "Asking", "Desk", "Shelf", "build_asking", "build_tools"]


@dataclass(frozen=True, slots=True)
class Asking:
    """What asking brings to the platform."""

    agent: Agent
    tools: tuple[Tool, ...]
    router: APIRouter
    amendments: Amendments


def build_asking(services: Services, contracts: Contracts) -> Asking:
    """The agent, its tools and the routes of amendments, over the platform's services."""
    desk = Desk(ContractShelf(contracts, services.knowledge.search), services.clock)
    amendments = Amendments(services.database, contracts, desk, services.clock)
    tools = build_tools(desk, amendments)
    agent = build_agent(desk, tools, services.ai_switch)
    return Asking(agent, tools, build_asking_router(amendments), amendments)
