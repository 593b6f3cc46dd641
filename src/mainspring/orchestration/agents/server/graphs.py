"""What the graphs of agents look like: drawn and described.

LangGraph's types are wide; what leaves this module is JSON.
"""

from collections.abc import Callable, Iterator
from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from pydantic import TypeAdapter, create_model
from pydantic.errors import PydanticSchemaGenerationError, PydanticUserError

from mainspring.orchestration.agents.runtime import Graphs
from mainspring.orchestration.agents.runtime.frames import to_json
from mainspring.orchestration.agents.runtime.graphs import Graph
from mainspring.orchestration.agents.types import Assistant, Json, JsonObject


class Shapes:
    """What the graphs of assistants look like."""

    def __init__(self, graphs: Graphs) -> None:
        self._graphs = graphs

    def draw(self, assistant: Assistant, xray: bool | int) -> JsonObject:
        """Nodes and edges; with `xray` those of the graphs inside as well."""
        drawn = self._open(assistant).get_graph(xray=xray, config=_config(assistant.config))
        return cast("JsonObject", to_json(drawn.to_json()))

    def describe(self, assistant: Assistant) -> JsonObject:
        """The JSON Schemas of the graph."""
        return _describe(assistant.graph, self._open(assistant))

    def describe_inner(self, assistant: Assistant, namespace: str | None, *, recurse: bool) -> JsonObject:
        """The JSON Schemas of the graphs inside the graph, by name space."""
        found = self._open(assistant).get_subgraphs(namespace=namespace, recurse=recurse)
        inner = cast("Iterator[tuple[str, Graph]]", found)
        return {name: _describe(assistant.graph, each) for name, each in inner}

    def _open(self, assistant: Assistant) -> Graph:
        configurable = assistant.config.get("configurable")
        config = configurable if isinstance(configurable, dict) else None
        return self._graphs.open(assistant.tenant, assistant.graph, config=config)


def _config(config: JsonObject) -> RunnableConfig:
    return cast("RunnableConfig", config)


def _describe(name: str, graph: Graph) -> JsonObject:
    return {
        "graph_id": name,
        "input_schema": _attempt(graph.get_input_jsonschema),
        "output_schema": _attempt(graph.get_output_jsonschema),
        "state_schema": _attempt(lambda: _state_schema(graph)),
        "config_schema": None,
        "context_schema": _attempt(graph.get_context_jsonschema),
    }


def _attempt(make: Callable[[], dict[str, Any] | None]) -> Json:
    """The schema, or None where a type has none."""
    try:
        return to_json(make())
    except (PydanticUserError, PydanticSchemaGenerationError, TypeError, NameError):
        return None


def _state_schema(graph: Graph) -> dict[str, Any]:
    """All that the graph's state holds; values of types without a schema are anything."""
    fields: dict[str, Any] = {}
    for name in graph.stream_channels_list:
        kind: Any = getattr(graph.channels[name], "UpdateType", Any)
        try:
            TypeAdapter(kind).json_schema()
        except (PydanticUserError, PydanticSchemaGenerationError, TypeError, NameError):
            kind = Any
        fields[name] = (kind, None)
    return create_model(f"{graph.get_name()}State", **fields).model_json_schema()
