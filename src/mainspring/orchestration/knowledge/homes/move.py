"""Moving a tenant's knowledge to another place while it is read and written.

Triggers note what changes from now on; all is copied, then what was noted, again and again, until little is left; then
writers are locked out, the last notes are copied, and one row is changed: the tenant lives elsewhere. Until that row
is committed nothing has happened that anybody sees; afterwards everything has. Killed in between and run again, a move
goes on where it was. The old rows stay until `Cleaner` takes them away.
"""

import time
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import psycopg
from psycopg.rows import dict_row

from mainspring.foundation.errors import Conflict, InvalidInput, Unavailable
from mainspring.foundation.ids import TenantId

from . import moves_store
from .changes_store import add_triggers, drop_triggers, forget_changes, prepare_notes, read_changes
from .clone_store import Admin, analyze, clone_tables, list_tables
from .copy_store import Copier
from .layout import LAYOUT
from .places import SHARED, Home, Place, Tier
from .session import Session


@dataclass(frozen=True, slots=True)
class Server:
    """One database: how the application's login and the schema's owner reach it."""

    url: str = field(repr=False)
    admin_url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Pace:
    """How a move goes about it.

    documents  copied in one transaction
    notes      read at a time
    brief      when copying what changed takes no longer than this, writers are locked out for the last of it
    passes     over the notes before it says that writers are faster than it
    patience   how long the cut-over waits for writers that are at it; others wait behind it so long
    """

    documents: int = 50
    notes: int = 5_000
    brief: timedelta = timedelta(seconds=0.4)
    passes: int = 100
    patience: timedelta = timedelta(seconds=2)
    attempts: int = 30


@dataclass(frozen=True, slots=True)
class Moved:
    """What a move did; `locked_seconds` is how long writers of this tenant waited at most, `rows` is by table."""

    source: Place
    target: Place
    documents: int
    locked_seconds: float
    rows: Mapping[str, int]


class Mover:
    """The operator's hand: moves tenants between the platform's database (None) and those of the servers."""

    def __init__(
        self,
        servers: Mapping[str | None, Server],
        *,
        pace: Pace | None = None,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._servers = servers
        self._pace = pace or Pace()
        self._tell = tell

    def move(self, tenant: TenantId, target: Place) -> Moved | None:
        """Move the tenant's knowledge; None when it lives there already.

        raises   Conflict while another move of this tenant runs; Unavailable when writers do not let it finish
        """
        self._server(target)
        with self.alone(tenant) as connection:
            home = self.home_of(connection, tenant)
            if home.place == target:
                self.stop_noting(tenant)
                return None
            if home.place.database and target.database:
                raise InvalidInput(f"It lives in {home.place}: move it to the shared tables first, then to {target}.")
            with ExitStack() as opened:
                source = opened.enter_context(self.open_session(tenant, home.place))
                copier = self._prepare(connection, home, target, source, opened)
                copied = self._fill(copier)
                self._learn_sizes(target)
                self._catch_up(copier, source)
                moved = self._cut_over(connection, source, target, copier)
            self.stop_noting(tenant)
            return Moved(home.place, target, copied, *moved)

    @property
    def databases(self) -> list[str]:
        """Names of the databases that tenants may have for their own."""
        return [name for name in self._servers if name is not None]

    @contextmanager
    def open_platform(self) -> Generator[moves_store.Login]:
        """A connection of the application's login to the platform's own database."""
        with psycopg.Connection[moves_store.Row].connect(
            self._servers[None].url, row_factory=dict_row, connect_timeout=5, autocommit=True
        ) as connection:
            yield connection

    @contextmanager
    def alone(self, tenant: TenantId) -> Generator[moves_store.Login]:
        """Such a connection, and nobody else moves or cleans up after the tenant; raises Conflict when one does."""
        with self.open_platform() as connection:
            if not moves_store.try_alone(connection, tenant):
                raise Conflict("Another move of this tenant is running; let it end.")
            yield connection

    @contextmanager
    def open_admin(self, place: Place) -> Generator[Admin]:
        """A connection of the schema's owner."""
        with psycopg.connect(self._server(place).admin_url, connect_timeout=5, autocommit=True) as connection:
            yield connection

    @contextmanager
    def open_session(self, tenant: TenantId, place: Place) -> Generator[Session]:
        """A connection for the tenant's rows."""
        with Session.open(self._server(place).url, tenant, place) as session:
            yield session

    def home_of(self, connection: moves_store.Login, tenant: TenantId) -> Home:
        """Where the tenant lives, and where an unfinished move leads."""
        row = moves_store.find_home(connection, tenant)
        return Home.from_row(row) if row else Home(tenant, SHARED)

    def stop_noting(self, tenant: TenantId) -> None:
        """Drop the triggers of a move of this tenant and its notes, in every database."""
        for name in self._servers:
            place = Place(Tier.DATABASE, database=name) if name else SHARED
            try:
                self._stop_noting_at(tenant, place)
            except psycopg.OperationalError as away:
                if name is None or isinstance(away, psycopg.errors.LockNotAvailable):
                    raise
                self._tell(f"The database {name} does not answer; if a move left it, run this again when it does.")

    def _stop_noting_at(self, tenant: TenantId, place: Place) -> None:
        by_name = {table.name: table for table in LAYOUT}
        with self.open_admin(place) as admin:
            triggers = moves_store.list_triggers(admin, tenant)
            for schema, table in triggers:
                self._patiently(admin, lambda s=schema, t=table: drop_triggers(admin, s, by_name[t], tenant))
        if triggers:
            with self.open_session(tenant, place) as session, session.transaction():
                forget_changes(session)

    def wait_for_older(self, place: Place) -> None:
        """Return when every transaction that is open in the place's database now has ended."""
        with self.open_admin(place) as admin:
            older = moves_store.list_open_transactions(admin)
            deadline = time.monotonic() + 60
            while older := older & moves_store.list_open_transactions(admin):
                if time.monotonic() > deadline:
                    raise Unavailable(
                        f"{len(older)} transactions have been open in {place} for a minute; end them (see "
                        "pg_stat_activity), then run the command again."
                    )
                time.sleep(0.01)

    def _prepare(
        self, connection: moves_store.Login, home: Home, target: Place, source: Session, opened: ExitStack
    ) -> Copier:
        """Tables at the target, notes at the source, and a row that says so: what a second run builds on."""
        tenant = home.tenant
        self._make_tables(target)
        copier = Copier(source, opened.enter_context(self.open_session(tenant, target)))
        with self.open_admin(home.place) as admin:
            tables = set(list_tables(admin))
            noting = {table for _, table in moves_store.list_triggers(admin, tenant)}
            if home.bound_for != target or noting != tables:
                self._tell(f"Preparing {target}")
                while copier.clear(self._pace.documents):
                    pass
                with admin.transaction():
                    prepare_notes(admin)
                for table in (each for each in LAYOUT if each.name in tables):
                    self._patiently(admin, lambda t=table: add_triggers(admin, home.place.schema, t, tenant))
                moves_store.note_bound(connection, tenant, home.place, target)
        self.wait_for_older(SHARED)
        return copier

    def _make_tables(self, target: Place) -> None:
        if target.database:
            from mainspring.migrations import migrate  # Alembic is not for every process that reads knowledge

            migrate(self._server(target).admin_url)
        elif target.schema:
            with self.open_admin(target) as admin:
                self._patiently(admin, lambda: clone_tables(admin, str(target.schema)))

    def _fill(self, copier: Copier) -> int:
        """Everything once; how many documents were copied."""
        copier.copy_whole()
        copier.copy_terms()
        copied = 0
        for documents in copier.iter_documents(self._pace.documents):
            copier.copy_documents(documents)
            copied += len(documents)
            self._tell(f"Copied {copied} documents")
        return copied

    def _learn_sizes(self, target: Place) -> None:
        """Statistics of tables that were empty, without which they are read from end to end."""
        if target != SHARED:
            with self.open_admin(target) as admin:
                analyze(admin, target.schema)

    def _catch_up(self, copier: Copier, source: Session) -> None:
        """Copy what changed meanwhile, again and again, until that is quick."""
        for _ in range(self._pace.passes):
            began = time.monotonic()
            while self._copy_noted(copier, source) == self._pace.notes:
                pass
            self._tell(f"Copied what changed in {time.monotonic() - began:.1f} s")
            if time.monotonic() - began <= self._pace.brief.total_seconds():
                return
        raise Unavailable(
            "Writers change documents faster than they are copied; run the command again when it is calm."
        )

    def _copy_noted(self, copier: Copier, source: Session) -> int:
        with source.transaction():
            changes = read_changes(source, self._pace.notes)
        if changes.numbers:
            copier.copy_changes(changes, self._pace.documents)
            with source.transaction():
                forget_changes(source, changes.numbers)
        return len(changes.numbers)

    def _cut_over(
        self, connection: moves_store.Login, source: Session, target: Place, copier: Copier
    ) -> tuple[float, Mapping[str, int]]:
        """Lock the writers out, copy the last notes, change the home; then prove that both sides were the same."""
        for attempt in range(self._pace.attempts):
            with ExitStack() as snapshots:
                began = time.monotonic()
                try:
                    with connection.transaction():
                        moves_store.lock_writers_out(connection, source.tenant, self._pace.patience)
                        while self._copy_noted(copier, source):
                            pass
                        self._check_counts(copier)
                        snapshots.enter_context(source.transaction(is_snapshot=True))
                        snapshots.enter_context(copier.target.transaction(is_snapshot=True))
                        moves_store.settle(connection, source.tenant, target)
                except psycopg.errors.LockNotAvailable:
                    self._tell(f"A writer is at it for long; trying again ({attempt + 1})")
                    self._copy_noted(copier, source)
                    continue
                locked = time.monotonic() - began
                self._tell(f"The home is {target} now; comparing every row")
                return locked, copier.compare_all()
        raise Unavailable("A writer's transaction stays open for long; run the command again.")

    def _check_counts(self, copier: Copier) -> None:
        wrong = {table: counts for table, counts in copier.count().items() if counts[0] != counts[1]}
        if wrong:
            raise Conflict(f"Rows are missing at the target, so the tenant stays where it is: {wrong}. Run it again.")

    def _patiently(self, admin: Admin, change: Callable[[], None]) -> None:
        """Make a change of tables that waits for nobody longer than a second at a time: others wait behind it."""
        for _ in range(self._pace.attempts):
            try:
                with admin.transaction():
                    admin.execute("set local lock_timeout = '1s'")
                    change()
                return
            except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
                time.sleep(0.2)
        raise Unavailable("Long transactions hold the tables of knowledge; run the command again when they ended.")

    def _server(self, place: Place) -> Server:
        if place.database not in self._servers:
            raise InvalidInput(f"MAINSPRING_KNOWLEDGE_DATABASES names no database {place.database!r}.")
        return self._servers[place.database]
