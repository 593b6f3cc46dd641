"""Assistants: a graph each, with a configuration, in versions. Every graph has a standard one from the start."""

from dataclasses import replace
from uuid import UUID

from mainspring.foundation.db import Database
from mainspring.foundation.errors import NotFound
from mainspring.foundation.ids import TenantId, new_id
from mainspring.orchestration.agents.agent import Agents
from mainspring.orchestration.agents.assistants import standard_assistant
from mainspring.orchestration.agents.errors import AgentUnknown
from mainspring.orchestration.agents.server.errors import AssistantExists, AssistantStandard
from mainspring.orchestration.agents.types import Assistant, AssistantId

from . import store
from .schemas import AssistantCreate, AssistantPatch
from .store import AssistantFilter, AssistantVersion, Description, Standard


class Assistants:
    """The assistants of every tenant, over the agents that this process knows."""

    def __init__(self, database: Database, agents: Agents) -> None:
        self._database = database
        self._agents = agents

    async def create(self, tenant: TenantId, wanted: AssistantCreate) -> Assistant:
        """A new assistant, at version 1.

        raises   AgentUnknown for a graph there is none of, AssistantExists unless `if_exists` is "do_nothing"
        """
        self._require_graph(wanted.graph_id)
        description = Description(
            graph=wanted.graph_id,
            name=wanted.name or "Untitled",
            description=wanted.description,
            config=wanted.config or {},
            context=wanted.context or {},
            metadata=wanted.metadata or {},
        )
        identifier = AssistantId(_read_id(wanted.assistant_id) if wanted.assistant_id else new_id())
        async with self._database.tenant(tenant) as transaction:
            await store.ensure_standard(transaction, self._standard())
            made = await store.insert_assistant(transaction, identifier, description)
            if made is not None:
                await store.insert_version(transaction, identifier, description)
                return made
            there = await store.find_assistant(transaction, identifier)
        if wanted.if_exists == "raise" or there is None:
            raise AssistantExists(
                f"There is an assistant {identifier} already; send another id, or if_exists: do_nothing."
            )
        return there

    async def get(self, tenant: TenantId, assistant: str) -> Assistant:
        """The assistant of this id, or a graph's standard one by the graph's name; AgentUnknown."""
        identifier = self.identify(assistant)
        async with self._database.tenant(tenant) as transaction:
            await store.ensure_standard(transaction, self._standard())
            found = await store.find_assistant(transaction, identifier)
        if found is None:
            raise _unknown(assistant)
        return found

    async def search(self, tenant: TenantId, wanted: AssistantFilter) -> list[Assistant]:
        """Assistants that fit, one page."""
        async with self._database.tenant(tenant) as transaction:
            await store.ensure_standard(transaction, self._standard())
            return await store.search_assistants(transaction, wanted)

    async def count(self, tenant: TenantId, wanted: AssistantFilter) -> int:
        """How many fit, up to 10,000."""
        async with self._database.tenant(tenant) as transaction:
            await store.ensure_standard(transaction, self._standard())
            return await store.count_assistants(transaction, wanted)

    async def update(self, tenant: TenantId, assistant: str, change: AssistantPatch) -> Assistant:
        """A new version, in force at once. AgentUnknown."""
        if change.graph_id is not None:
            self._require_graph(change.graph_id)
        identifier = self.identify(assistant)
        async with self._database.tenant(tenant) as transaction:
            await store.ensure_standard(transaction, self._standard())
            before = await store.find_assistant(transaction, identifier, lock=True)
            if before is None:
                raise _unknown(assistant)
            description = _change(before, change)
            version = await store.insert_version(transaction, identifier, description)
            return await store.update_assistant(transaction, identifier, version, description)

    async def delete(self, tenant: TenantId, assistant: str, *, delete_threads: bool) -> None:
        """Delete the assistant with its versions and crons; AssistantStandard for one that a graph has by itself."""
        identifier = self.identify(assistant)
        if any(each.id == identifier for each in self._standard()):
            raise AssistantStandard(f"{assistant} is the standard assistant of its graph; it stays.")
        async with self._database.tenant(tenant) as transaction:
            if delete_threads:
                await store.delete_threads_of(transaction, identifier)
            if not await store.delete_assistant(transaction, identifier):
                raise _unknown(assistant)

    async def list_versions(self, tenant: TenantId, assistant: str, wanted: AssistantFilter) -> list[AssistantVersion]:
        """The assistant's versions, newest first. AgentUnknown."""
        identifier = (await self.get(tenant, assistant)).id
        async with self._database.tenant(tenant) as transaction:
            return await store.list_versions(
                transaction, identifier, metadata=wanted.metadata, limit=wanted.limit, offset=wanted.offset
            )

    async def set_latest(self, tenant: TenantId, assistant: str, version: int) -> Assistant:
        """Put an older version in force again; later changes go on counting from the newest. NotFound, AgentUnknown."""
        identifier = (await self.get(tenant, assistant)).id
        async with self._database.tenant(tenant) as transaction:
            held = await store.find_version(transaction, identifier, version)
            if held is None:
                raise NotFound(f"The assistant {assistant} has no version {version}; list its versions.")
            return await store.update_assistant(transaction, identifier, version, held.description)

    def identify(self, assistant: str) -> AssistantId:
        """The id in a path or body: a UUID, or a graph's name for its standard assistant. AgentUnknown."""
        if assistant in self._agents:
            return standard_assistant(assistant)
        return AssistantId(_read_id(assistant))

    def _standard(self) -> list[Standard]:
        return [Standard(standard_assistant(each.name), each.name, each.description or None) for each in self._agents]

    def _require_graph(self, graph: str) -> None:
        self._agents.get(graph)


def _change(before: Assistant, change: AssistantPatch) -> Description:
    held = Description(before.graph, before.name, before.description, before.config, before.context, before.metadata)
    return replace(
        held,
        graph=change.graph_id or held.graph,
        name=change.name or held.name,
        description=held.description if change.description is None else change.description,
        config=held.config if change.config is None else change.config,
        context=held.context if change.context is None else change.context,
        metadata={**held.metadata, **(change.metadata or {})},
    )


def _read_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise _unknown(text) from None


def _unknown(assistant: str) -> AgentUnknown:
    return AgentUnknown(f"There is no assistant {assistant[:60]!r}; search for those there are.")
