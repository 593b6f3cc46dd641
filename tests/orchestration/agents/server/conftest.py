"""A served test product, and LangGraph's own client for it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from langgraph_sdk import get_client

from mainspring.testing import engines

from .serve import Served, serve

Client = Any
"""LangGraph's client. Its own types are narrower than what servers answer, so tests take it as it comes."""


@pytest.fixture(scope="session")
async def served() -> AsyncIterator[Served]:
    """The server with a worker, on engines of its own, as it would take the runs of other tests' agents."""
    with engines() as urls:
        async with serve(urls) as running:
            yield running


@pytest.fixture
async def client(served: Served) -> AsyncIterator[Client]:
    """The client of an admin of a fresh tenant."""
    async with get_client(url=served.url, api_key=await served.key()) as opened:
        yield opened


@pytest.fixture
async def stranger(served: Served) -> AsyncIterator[Client]:
    """The client of an admin of another tenant."""
    async with get_client(url=served.url, api_key=await served.key()) as opened:
        yield opened


GIVEN: dict[str, Any] = {"messages": [], "value": "init", "items": []}
"""An input for the graph `agent`."""
