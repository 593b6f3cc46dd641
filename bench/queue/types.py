"""The words of the comparison: a job, a place to play in, and what each library must be able to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec


class Place(msgspec.Struct, frozen=True):
    """Where one part of the comparison runs.

    namespace    the queue's name: new for each part, so that no part sees another's jobs
    folder       where the marks are written
    concurrency  jobs at once in the worker; prefetch is how many more it may hold
    width        steps of each job, where jobs can have several
    redelivery   seconds after which a job of a killed worker is to be run again
    """

    namespace: str
    database_url: str
    valkey_url: str
    folder: str
    concurrency: int = 16
    prefetch: int = 16
    redelivery: int = 5
    width: int = 1

    @property
    def marks(self) -> Path:
        """The file of marks."""
        return Path(self.folder) / f"{self.namespace}.marks"


@dataclass(frozen=True, slots=True)
class Job:
    """What is enqueued.

    key      its number; also the idempotency key of its effect, which is the mark it writes at its end
    seconds  how long it sleeps
    tenant   whose it is: 0 or 1
    """

    key: int
    seconds: float = 0.0
    tenant: int = 0


class Library(Protocol):
    """One queue, used as its documentation recommends."""

    @property
    def burst(self) -> int:
        """How many jobs to measure the throughput with: some seconds' worth."""
        ...

    async def open(self) -> None:
        """Connect as one that enqueues, and create what is missing."""
        ...

    async def close(self) -> None:
        """Disconnect."""
        ...

    async def enqueue(self, job: Job) -> None:
        """Enqueue one job, stored when this returns."""
        ...

    async def enqueue_many(self, jobs: Sequence[Job]) -> None:
        """Enqueue many in the way that is fastest."""
        ...

    async def count_unsettled(self) -> int:
        """How many jobs the library itself has not yet recorded as done."""
        ...

    async def count_settled_twice(self) -> int | None:
        """How many jobs the library recorded as done more than once; None where it keeps no such record."""
        ...

    def work(self) -> None:
        """Be the worker, until killed."""
        ...
