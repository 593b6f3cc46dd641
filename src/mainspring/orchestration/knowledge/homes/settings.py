"""The databases that tenants may have for their own, as the operator names them."""

import re
from collections.abc import Mapping

from mainspring.foundation.errors import InvalidInput

from .move import Server

_PAIR = re.compile(r"(?P<name>[a-z][a-z0-9_-]{0,39})=(?P<url>postgres(?:ql)?://\S+)")


def read_databases(pairs: str | None, setting: str = "MAINSPRING_KNOWLEDGE_DATABASES") -> dict[str, str]:
    """URLs by name from `name=postgresql://... name=postgresql://...`; None and blanks are none.

    raises   InvalidInput naming the setting and the position, never the text, which holds passwords
    """
    databases: dict[str, str] = {}
    for position, pair in enumerate((pairs or "").split(), 1):
        match = _PAIR.fullmatch(pair)
        if match is None or match["name"] in databases:
            raise InvalidInput(
                f"{setting}: entry {position} is not of the form name=postgresql://..., or its name is there twice. "
                "Names are small letters, digits, - and _; entries are set apart by blanks."
            )
        databases[match["name"]] = match["url"]
    return databases


def read_servers(platform: Server, databases: str | None, admin_databases: str | None) -> Mapping[str | None, Server]:
    """For a move: the platform's database under None, and the others with their owners' logins (default: the same)."""
    urls = read_databases(databases)
    owners = read_databases(admin_databases, "MAINSPRING_KNOWLEDGE_ADMIN_DATABASES")
    if unknown := sorted(owners.keys() - urls.keys()):
        raise InvalidInput(
            f"MAINSPRING_KNOWLEDGE_ADMIN_DATABASES names {', '.join(unknown)}, which "
            "MAINSPRING_KNOWLEDGE_DATABASES does not."
        )
    return {None: platform, **{name: Server(url, owners.get(name, url)) for name, url in urls.items()}}
