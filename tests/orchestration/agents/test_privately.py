"""Nothing of a tenant's leaves by LangSmith's tracing, however the process is set up."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import langsmith
import pytest
from langchain_core.runnables import RunnableLambda
from langgraph.graph import END, START, MessagesState, StateGraph
from langsmith import run_trees
from langsmith.utils import get_env_var

from mainspring.foundation.db import Database
from mainspring.foundation.ids import TenantId
from mainspring.foundation.valkey import Valkey
from mainspring.orchestration.agents import Agent, AgentGraph, AgentTools
from mainspring.orchestration.agents.runtime import privately
from mainspring.orchestration.agents.server.threads.states import Edit, States
from mainspring.orchestration.agents.server.threads.store import find_thread
from mainspring.orchestration.agents.types import AgentRunStatus, IfNotExists, RunOrder, ThreadId
from tests.orchestration.agents.acting import new_thread, open_house, principal_of


class Listener:
    """Stands where LangSmith would."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def _hear(self) -> None:
                listener.heard.append(self.path)
                self.rfile.read(int(self.headers.get("content-length", 0)))
                self.send_response(202)
                self.end_headers()
                self.wfile.write(b"{}")

            do_GET = do_POST = do_PATCH = _hear  # noqa: N815 - as the standard library has them

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as above
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Iterator[Listener]:
    """A process that is told, in every way there is, to send its traces away."""
    listening = Listener()
    serving = threading.Thread(target=listening.server.serve_forever)
    serving.start()
    for prefix in ("LANGSMITH", "LANGCHAIN"):
        for name in ("TRACING", "TRACING_V2"):
            if (prefix, name) != ("LANGCHAIN", "TRACING"):  # LangChain's first tracing is gone, and that name an error
                monkeypatch.setenv(f"{prefix}_{name}", "true")
        monkeypatch.setenv(f"{prefix}_ENDPOINT", f"http://127.0.0.1:{listening.server.server_port}")
        monkeypatch.setenv(f"{prefix}_API_KEY", "key-of-another-program")
    monkeypatch.setattr(run_trees, "_CLIENT", None)
    _forget()
    yield listening
    monkeypatch.undo()
    _forget()
    listening.server.shutdown()
    serving.join()
    listening.server.server_close()


def _forget() -> None:
    """LangSmith reads each variable once."""
    get_env_var.cache_clear()  # pyright: ignore[reportFunctionMemberAccess] - its decorator is not typed


def _agent() -> Agent:
    def build(kit: AgentTools) -> AgentGraph:
        @langsmith.traceable
        async def look(words: str) -> str:
            return words

        async def answer(state: MessagesState) -> MessagesState:
            said = await RunnableLambda(lambda words: words).ainvoke("canary-1")
            return {"messages": [("ai", await look(said))]}  # pyright: ignore[reportReturnType] - LangChain's short form

        graph = StateGraph(MessagesState)
        graph.add_node("answer", answer)
        graph.add_edge(START, "answer")
        graph.add_edge("answer", END)
        return graph

    return Agent("talker", "Talker", build)


async def test_a_run_and_every_look_at_its_states_are_sent_nowhere(
    database: Database, valkey: Valkey, tenant: TenantId, listener: Listener
):
    house = open_house(database, valkey, _agent())
    thread = ThreadId(new_thread())
    order = RunOrder(
        assistant="talker",
        thread=thread,
        input={"messages": [{"role": "user", "content": "canary-0"}]},
        if_not_exists=IfNotExists.CREATE,
    )
    async with house.worker():
        run = await house.run(principal_of(tenant), order)
    assert run.status is AgentRunStatus.SUCCESS
    async with database.tenant(tenant) as transaction:
        found = await find_thread(transaction, thread)
    assert found is not None
    states = States(database, house.runtime.graphs)
    await states.edit(found, [[Edit({"messages": []}, as_node="answer")]])
    assert "canary-1" in repr(await states.get(found))
    run_trees.get_cached_client().flush()
    assert [path for path in listener.heard if path != "/info"] == []


async def test_outside_of_the_block_the_process_traces_as_it_was_told(listener: Listener):
    """Else the test above would prove nothing."""
    client = run_trees.get_cached_client()
    step = RunnableLambda(lambda words: words)
    with privately():
        await step.ainvoke("canary-2")
    client.flush()
    assert [path for path in listener.heard if path != "/info"] == []
    await step.ainvoke("not of a tenant")
    client.flush()
    assert [path for path in listener.heard if path != "/info"] != []
