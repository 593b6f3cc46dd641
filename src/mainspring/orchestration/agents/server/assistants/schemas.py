"""Wire shapes of assistants."""

from typing import Literal

from pydantic import BaseModel, Field, JsonValue

from mainspring.orchestration.agents.server.words import Body, Limit, Offset, show_instant
from mainspring.orchestration.agents.types import Assistant, JsonObject

from .store import AssistantFilter, AssistantVersion


class AssistantCreate(Body):
    """A new assistant: a graph, with a configuration of its own."""

    graph_id: str = Field(min_length=1, max_length=200)
    assistant_id: str | None = None
    config: dict[str, JsonValue] | None = None
    context: dict[str, JsonValue] | None = None
    metadata: dict[str, JsonValue] | None = None
    if_exists: Literal["raise", "do_nothing"] = "raise"
    name: str | None = Field(None, max_length=200)
    description: str | None = Field(None, max_length=2_000)


class AssistantPatch(Body):
    """What changes in the next version; metadata is merged."""

    graph_id: str | None = Field(None, max_length=200)
    config: dict[str, JsonValue] | None = None
    context: dict[str, JsonValue] | None = None
    metadata: dict[str, JsonValue] | None = None
    name: str | None = Field(None, max_length=200)
    description: str | None = Field(None, max_length=2_000)


class AssistantCount(Body):
    """Which assistants to count."""

    metadata: dict[str, JsonValue] | None = None
    graph_id: str | None = None
    name: str | None = None

    def filter(self) -> AssistantFilter:
        """As the store reads it."""
        return AssistantFilter(metadata=self.metadata, graph=self.graph_id, name=self.name)


class AssistantSearch(AssistantCount):
    """Which assistants, in which order, and which fields of them."""

    limit: Limit = 10
    offset: Offset = 0
    sort_by: Literal["assistant_id", "graph_id", "name", "created_at", "updated_at"] = "created_at"
    sort_order: Literal["asc", "desc"] = "desc"
    select: list[str] | None = None

    def filter(self) -> AssistantFilter:
        """As the store reads it."""
        return AssistantFilter(
            metadata=self.metadata,
            graph=self.graph_id,
            name=self.name,
            sort_by=self.sort_by,
            is_descending=self.sort_order == "desc",
            limit=self.limit,
            offset=self.offset,
        )


class VersionSearch(Body):
    """Which versions of an assistant."""

    metadata: dict[str, JsonValue] | None = None
    limit: Limit = 10
    offset: Offset = 0


class VersionChoice(Body):
    """The version that is to be in force."""

    version: int = Field(ge=1, le=2_147_483_647)


class AssistantShape(BaseModel):
    """An assistant."""

    assistant_id: str
    graph_id: str
    name: str
    description: str | None
    config: dict[str, JsonValue]
    context: dict[str, JsonValue]
    metadata: dict[str, JsonValue]
    version: int
    created_at: str
    updated_at: str


class GraphSchemas(BaseModel):
    """The JSON Schemas of a graph; null where a type of its state has none."""

    graph_id: str
    input_schema: dict[str, JsonValue] | None
    output_schema: dict[str, JsonValue] | None
    state_schema: dict[str, JsonValue] | None
    config_schema: dict[str, JsonValue] | None
    context_schema: dict[str, JsonValue] | None


def show_assistant(assistant: Assistant) -> JsonObject:
    """As `AssistantShape`."""
    return {
        "assistant_id": str(assistant.id),
        "graph_id": assistant.graph,
        "name": assistant.name,
        "description": assistant.description,
        "config": assistant.config,
        "context": assistant.context,
        "metadata": assistant.metadata,
        "version": assistant.version,
        "created_at": show_instant(assistant.created_at),
        "updated_at": show_instant(assistant.updated_at),
    }


def show_version(version: AssistantVersion) -> JsonObject:
    """An assistant as it was at a version."""
    held = version.description
    return {
        "assistant_id": str(version.assistant),
        "graph_id": held.graph,
        "name": held.name,
        "description": held.description,
        "config": held.config,
        "context": held.context,
        "metadata": held.metadata,
        "version": version.version,
        "created_at": show_instant(version.created_at),
    }
