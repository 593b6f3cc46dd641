"""What the whole server shares: ids and pages as clients send them, and how instants are shown.

Ids are plain UUIDs here. Text that is none is treated as an id that does not exist, so probing learns nothing.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import AfterValidator, BaseModel, ConfigDict

from mainspring.foundation.errors import InvalidInput, NotFound
from mainspring.orchestration.agents.types import Json, JsonObject

PREFIX = "/v1/agents"
RUN = "agent.run"
EDIT = "agent.edit"
MAX_PAGE = 1_000


class Body(BaseModel):
    """A request's body. Fields that are not known are ignored: clients are newer or older than this server."""

    model_config = ConfigDict(extra="ignore", protected_namespaces=())


def read_uuid(text: str, what: str) -> UUID:
    """The UUID in a path; NotFound for text that is none."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFound(f"There is no {what} with the id {text[:40]!r}.") from None


def show_instant(at: datetime | None) -> str | None:
    """ISO 8601 in UTC with microseconds, as the protocol has it."""
    return at.astimezone(UTC).isoformat() if at else None


def select(shown: Mapping[str, Json], fields: Iterable[str] | None) -> JsonObject:
    """Only the fields asked for; all without a choice."""
    wanted = set(fields or ())
    return {name: value for name, value in shown.items() if not wanted or name in wanted}


def _within_page(limit: int) -> int:
    if not 1 <= limit <= MAX_PAGE:
        raise InvalidInput(f"limit is {limit}; it must be between 1 and {MAX_PAGE}. Read on with offset.")
    return limit


def _from_start(offset: int) -> int:
    if not 0 <= offset <= 100_000:
        raise InvalidInput(f"offset is {offset}; it must be between 0 and 100,000. Narrow the search instead.")
    return offset


Limit = Annotated[int, AfterValidator(_within_page)]
"""How many; the protocol's default is 10."""

Offset = Annotated[int, AfterValidator(_from_start)]
"""How many to pass over: the protocol pages by number."""

QueryLimit = Annotated[int, Query(ge=1, le=MAX_PAGE)]
QueryOffset = Annotated[int, Query(ge=0, le=100_000)]
