"""What moves left behind is taken away: rows of tenants that live elsewhere now, and schemas that nobody lives in.

Kept for a while, because it is what was there at the cut-over. Moving back does not need it, and copies everything
anew, so that nothing written since is lost.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from mainspring.foundation.ids import TenantId

from . import moves_store
from .clone_store import drop_schema, list_schemas
from .copy_store import delete_some, holds_any, list_present
from .move import Mover
from .places import SHARED, Home, Place, Tier

KEPT_FOR = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Left:
    """Rows of a tenant at a place that is not its home."""

    tenant: TenantId
    place: Place


class Cleaner:
    """Finds and removes what settled tenants left behind, in small transactions."""

    def __init__(self, mover: Mover, *, documents: int = 100) -> None:
        self._mover = mover
        self._documents = documents

    def list_left(self, *, kept_for: timedelta = KEPT_FOR) -> list[Left]:
        """What is left of moves that ended longer ago than this."""
        with self._mover.open_platform() as connection:
            rows = moves_store.list_settled(connection, datetime.now(UTC) - kept_for)
        homes = [Home.from_row(row) for row in rows]
        return [Left(home.tenant, place) for home in homes for place in self._elsewhere(home)]

    def clean(self, *, kept_for: timedelta = KEPT_FOR) -> list[Left]:
        """Remove it; returns what was removed. A tenant that began to move meanwhile is left alone."""
        cleaned: list[Left] = []
        for left in self.list_left(kept_for=kept_for):
            with self._mover.alone(left.tenant) as connection:
                home = self._mover.home_of(connection, left.tenant)
                if home.place != left.place and home.bound_for is None:
                    self._remove(left)
                    cleaned.append(left)
        return cleaned

    def _elsewhere(self, home: Home) -> Iterator[Place]:
        """Every place but its home that holds rows of the tenant, or is a schema made for it."""
        schema = Place.of_tenant(home.tenant, Tier.SCHEMA)
        own = [Place(Tier.DATABASE, database=name) for name in self._mover.databases]
        with self._mover.open_admin(SHARED) as admin:
            is_made = schema.schema in list_schemas(admin, str(schema.schema))
        for place in (SHARED, *([schema] if is_made else []), *own):
            if place != home.place and (place == schema or self._holds(home.tenant, place)):
                yield place

    def _holds(self, tenant: TenantId, place: Place) -> bool:
        with self._mover.open_session(tenant, place) as session, session.transaction():
            return holds_any(session)

    def _remove(self, left: Left) -> None:
        """Only after every transaction has ended that may have begun to read before the cut-over."""
        self._mover.wait_for_older(left.place)
        if left.place.schema:
            with self._mover.open_admin(left.place) as admin:
                drop_schema(admin, left.place.schema)
            return
        with self._mover.open_session(left.tenant, left.place) as session:
            with session.transaction():
                tables = list_present(session)
            is_left = True
            while is_left:
                with session.transaction():
                    is_left = delete_some(session, tables, self._documents)
