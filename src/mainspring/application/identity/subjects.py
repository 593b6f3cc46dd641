"""Whom a document may be opened to, and which of them a caller is.

A subject is a word such as `user:usr_...`, `team:team_...`, `role:admin` or `key:key_...`. A person is
themselves, each of their teams, and their role. An API key is itself and nothing else: it acts for a program,
so that a document which its creator may read stays closed to it until the key is named as a reader.
"""

from collections.abc import Iterable
from uuid import UUID

from mainspring.foundation.ids import UserId, show_id

from .types import Role


def subjects_of_member(user: UserId, role: Role, teams: Iterable[UUID]) -> frozenset[str]:
    """Who a signed-in person is."""
    return frozenset(
        {f"user:{show_id('usr', user)}", f"role:{role.value}"} | {f"team:{show_id('team', team)}" for team in teams}
    )


def subjects_of_key(key: UUID) -> frozenset[str]:
    """Who an API key is."""
    return frozenset({f"key:{show_id('key', key)}"})


def hands_of_member(user: UserId) -> frozenset[str]:
    """By whose hand a signed-in person acts: their own."""
    return frozenset({f"user:{show_id('usr', user)}"})


def hands_of_key(key: UUID, creator: UserId | None) -> frozenset[str]:
    """By whose hands a key acts: its own, and that of the person who made it; the operator's keys have no maker."""
    makers = hands_of_member(creator) if creator else frozenset[str]()
    return makers | {f"key:{show_id('key', key)}"}
