"""Whose a thread is. It holds what an agent read with one person's rights, so it is not for the whole tenant.

A thread is seen, led and changed by the person who made it, with any key of theirs, and by those who manage knowledge:
they may open every document to themselves anyway. To everybody else it is not there. What a run of the pipeline that
leads it tells is kept back in the same way, see `ThreadPrivacy`.
"""

from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from mainspring.foundation.db import Database
from mainspring.foundation.principal import Principal

from . import store
from .errors import AgentUnknown

OVERSEE = "knowledge.manage"
SUBJECT = "thread:"
"""What the subject of a run of the pipeline begins with; the thread's id follows."""
_RUN = "agent.run"


def owner_of(principal: Principal) -> str | None:
    """The hand that a thread made by this principal belongs to: the person's, else the key's; None: the tenant's."""
    own = sorted(hand for hand in principal.hands if not hand.startswith("agent:"))
    people = [hand for hand in own if hand.startswith("user:")]
    return next(iter(people or own), None)


def seeing_hands(principal: Principal) -> list[str] | None:
    """Whose threads the caller sees, beside those of the tenant; None: everybody's."""
    return None if OVERSEE in principal.permissions else sorted(principal.hands)


@dataclass(frozen=True, slots=True)
class Ownership:
    """Asks whose threads are."""

    database: Database

    async def hidden(self, principal: Principal, threads: Iterable[UUID]) -> set[UUID]:
        """Those of the threads that are there and not for this caller."""
        wanted, hands = list(threads), seeing_hands(principal)
        if hands is None or not wanted:
            return set()
        async with self.database.tenant(principal.tenant) as transaction:
            return await store.hidden_threads(transaction, wanted, hands)

    async def require(self, principal: Principal, threads: Iterable[UUID]) -> None:
        """AgentUnknown when one of the threads is somebody else's; those that are not there are for others to miss."""
        for thread in await self.hidden(principal, threads):
            raise thread_unknown(thread)


@dataclass(frozen=True, slots=True)
class ThreadPrivacy:
    """Keeps back what runs of agents tell: from those who see no agents, and those whose thread it is not."""

    ownership: Ownership

    async def closed_to(self, principal: Principal, subjects: Collection[str]) -> Collection[str]:
        """Those of the subjects that are threads which the caller may not look into."""
        named: dict[UUID, str] = {}
        for subject in subjects:
            if subject.startswith(SUBJECT):
                with suppress(ValueError):
                    named[UUID(subject.removeprefix(SUBJECT))] = subject
        if _RUN not in principal.permissions:
            return set(named.values())
        return {named[each] for each in await self.ownership.hidden(principal, named)}


def thread_unknown(thread: UUID) -> AgentUnknown:
    """The answer for threads that are not there, and for somebody else's."""
    return AgentUnknown(f"There is no thread {thread}; create it, or search for those there are.")
