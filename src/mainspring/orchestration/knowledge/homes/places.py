"""Where knowledge can live: in the shared tables, in a schema of the tenant's own, or in a database of its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from mainspring.foundation.ids import TenantId

SCHEMA_PREFIX = "knowledge_"


class Tier(StrEnum):
    """How far apart a tenant's rows are kept; row-level security is forced in each."""

    SHARED = "shared"
    SCHEMA = "schema"
    DATABASE = "database"


@dataclass(frozen=True, slots=True)
class Place:
    """One set of knowledge tables.

    schema    None for `public`
    database  a name of MAINSPRING_KNOWLEDGE_DATABASES; None for the platform's own database
    """

    tier: Tier
    schema: str | None = None
    database: str | None = None

    @classmethod
    def of_tenant(cls, tenant: TenantId, tier: Tier, database: str | None = None) -> Self:
        """Where a tenant's knowledge would live in this tier."""
        schema = f"{SCHEMA_PREFIX}{tenant.hex}" if tier == Tier.SCHEMA else None
        return cls(tier, schema, database if tier == Tier.DATABASE else None)

    @property
    def search_path(self) -> str:
        """Its tables first, then the vector types; what a session made for itself last."""
        return f'"{self.schema}", public, pg_temp' if self.schema else "public, pg_temp"

    def __str__(self) -> str:
        """As an operator reads it."""
        if self.tier == Tier.SHARED:
            return "the shared tables"
        return f"schema {self.schema}" if self.tier == Tier.SCHEMA else f"database {self.database}"


SHARED = Place(Tier.SHARED)


@dataclass(frozen=True, slots=True)
class Home:
    """A tenant's home; `bound_for` is where a move that was begun and not ended leads."""

    tenant: TenantId
    place: Place
    bound_for: Place | None = None

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """From `knowledge_home`. One that is moving names the other place in the columns its own tier leaves free."""
        tier, schema, database = Tier(row["tier"]), row["schema_name"], row["database_name"]
        place = Place(tier, schema if tier == Tier.SCHEMA else None, database if tier == Tier.DATABASE else None)
        bound_for = None
        if row["status"] == "moving":
            bound_for = SHARED
            if schema and tier != Tier.SCHEMA:
                bound_for = Place(Tier.SCHEMA, schema=schema)
            elif database and tier != Tier.DATABASE:
                bound_for = Place(Tier.DATABASE, database=database)
        return cls(TenantId(row["tenant_id"]), place, bound_for)
