"""The keeper of leases: a thread with a connection of its own, so that a busy event loop loses nothing.

Every third of a lease it prolongs all leases of the worker in one statement. Those that are no
longer valid (the run was cancelled, or the worker was thought dead and another one took over) are
reported, and their steps are stopped.
"""

import threading
from collections.abc import Callable, Sequence
from uuid import UUID

import psycopg

from mainspring.foundation.db import Database, DatabaseGone, Row, system_apart
from mainspring.foundation.telemetry import get_logger

from . import claiming_store
from .outcomes import Lease

log = get_logger(__name__)


class LeaseKeeper:
    """Holds the leases of one worker from `hold` to `drop`.

    on_lost  called in the keeper's thread with the tokens that are valid no more
    """

    def __init__(self, database: Database, lease_seconds: float, on_lost: Callable[[Sequence[UUID]], None]) -> None:
        self._database = database
        self._lease_seconds = lease_seconds
        self._on_lost = on_lost
        self._held: dict[UUID, Lease] = {}
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._is_stopped = False
        self._connection: psycopg.Connection[Row] | None = None
        self._thread = threading.Thread(target=self._keep, name="lease-keeper", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end; leases that are still held expire by themselves."""
        self._is_stopped = True
        self._wake.set()

    def join(self, seconds: float) -> None:
        """Wait for the thread's end."""
        self._thread.join(seconds)

    def hold(self, leases: Sequence[Lease]) -> None:
        """Prolong these from now on."""
        with self._lock:
            self._held.update((lease.token, lease) for lease in leases)

    def drop(self, tokens: Sequence[UUID]) -> None:
        """Let go of these."""
        with self._lock:
            for token in tokens:
                self._held.pop(token, None)

    def check_now(self) -> None:
        """Renew at once, to learn early of leases that were taken away."""
        self._wake.set()

    def _keep(self) -> None:
        pause = self._lease_seconds / 3
        while not self._is_stopped:
            self._wake.wait(pause)
            self._wake.clear()
            with self._lock:
                held = list(self._held.values())
            if not held or self._is_stopped:
                continue
            try:
                self._renew(held)
                pause = self._lease_seconds / 3
            except (psycopg.Error, *DatabaseGone) as away:  # whatever it is, this thread must not end
                log.warning("lease_renewal_failed", error=type(away).__name__, held=len(held))
                self._disconnect()
                pause = min(0.2, self._lease_seconds / 3)
        self._disconnect()

    def _renew(self, held: Sequence[Lease]) -> None:
        if self._connection is None:
            self._connection = self._database.connect_apart()
        ours = {
            "run_ids": [lease.run for lease in held],
            "names": [lease.name for lease in held],
            "map_keys": [lease.map_key for lease in held],
            "tokens": [lease.token for lease in held],
            "lease": self._lease_seconds,
        }
        with system_apart(self._connection):
            rows = self._connection.execute(claiming_store.RENEW, ours).fetchall()
        if rows:
            self._on_lost([row["token"] for row in rows])

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
