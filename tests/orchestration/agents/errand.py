"""A worker in a process of its own, to be killed: an agent whose nodes write down when they begin and end.

    python -m tests.orchestration.agents.errand <database url> <valkey url> <folder>

Nodes append to `<folder>/log`; `right` and `last` go on when `<folder>/go-right` or `<folder>/go-last` is there.
"""

import asyncio
import operator
import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated, TypedDict

from langgraph.graph import END, START, StateGraph

from mainspring.foundation.db import Database
from mainspring.foundation.valkey import open_valkey
from mainspring.orchestration.agents import (
    Agent,
    AgentGraph,
    AgentParts,
    Agents,
    AgentTools,
    Graphs,
    build_agent_runtime,
)
from mainspring.orchestration.pipelines import Pipelines, Worker

LEASE = timedelta(seconds=1)


class Errand(TypedDict, total=False):
    trail: Annotated[list[str], operator.add]


def errand(folder: Path) -> Agent:
    """first -> (left, right) -> last"""

    def note(text: str) -> None:
        with (folder / "log").open("a") as log:
            log.write(text + "\n")

    async def wait_for(name: str) -> None:
        while not (folder / name).exists():  # noqa: ASYNC110 - a file of another process
            await asyncio.sleep(0.01)

    def build(kit: AgentTools) -> AgentGraph:
        async def first(state: Errand) -> Errand:
            note("first")
            return {"trail": ["first"]}

        async def left(state: Errand) -> Errand:
            note("left")
            return {"trail": ["left"]}

        async def right(state: Errand) -> Errand:
            note("right begins")
            await wait_for("go-right")
            note("right")
            return {"trail": ["right"]}

        async def last(state: Errand) -> Errand:
            note("last begins")
            await wait_for("go-last")
            note("last")
            return {"trail": ["last"]}

        graph = StateGraph(Errand)
        graph.add_node("first", first)
        graph.add_node("left", left)
        graph.add_node("right", right)
        graph.add_node("last", last)
        graph.add_edge(START, "first")
        graph.add_edge("first", "left")
        graph.add_edge("first", "right")
        graph.add_edge(["left", "right"], "last")
        graph.add_edge("last", END)
        return graph

    return Agent("errand", "Errand", build)


async def main(database_url: str, valkey_url: str, folder: Path) -> None:
    """Run errands until killed."""
    database, valkey = await Database.open(database_url), open_valkey(valkey_url)
    pipelines = Pipelines(database, valkey)
    runtime = build_agent_runtime(AgentParts(database, pipelines, Graphs(database, Agents([errand(folder)]))))
    worker = Worker(database, valkey, pipelines=[runtime.pipeline], lease=LEASE)
    await worker.run(asyncio.Event())


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
