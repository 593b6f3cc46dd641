"""A route as the walk knows it."""

from dataclasses import dataclass, field
from typing import Any

JSON = "json"


@dataclass(frozen=True, slots=True)
class Route:
    """A route, what it needs, and a request that is right in form.

    permission   None: open to every credential
    changes      the walk by roles sends it only where it must be refused
    names_new    its path may name what is not there yet, so that nobody's is answered like a new one
    """

    method: str
    path: str
    permission: str | None
    body: dict[str, Any] = field(default_factory=dict[str, Any])
    changes: bool = False
    names_new: bool = False
