"""Children kept alive: one that dies is started again, one that keeps dying after a growing pause."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import httpx

from mainspring.foundation.engines import ChildProcess
from mainspring.foundation.telemetry import get_logger

log = get_logger(__name__)

Announce = Callable[[str], None]
_SOUND_SECONDS = 5.0


@dataclass(slots=True)
class _Watched:
    child: ChildProcess
    failures: int = 0
    started_at: float = field(default_factory=time.monotonic)
    retry_at: float = 0.0


class Supervisor:
    """Starts and watches children."""

    def __init__(self) -> None:
        self._watched: list[_Watched] = []

    @property
    def children(self) -> tuple[ChildProcess, ...]:
        """Every child, in the order of its start."""
        return tuple(watched.child for watched in self._watched)

    def adopt(self, children: Sequence[ChildProcess]) -> None:
        """Watch children that run already."""
        self._watched += [_Watched(child) for child in children]

    def launch(self, children: Sequence[ChildProcess]) -> None:
        """Start without waiting. Known before it is started, so that it is stopped whatever happens on the way up."""
        for child in children:
            self._watched.append(_Watched(child))
            child.launch()

    def release(self, child: ChildProcess) -> None:
        """Watch it no more; it may be stopped and stays so."""
        self._watched = [watched for watched in self._watched if watched.child is not child]

    def watch(self, until: threading.Event) -> None:
        """Keep every child alive until the event is set."""
        while not until.wait(0.2):
            for watched in list(self._watched):
                if not watched.child.is_running and time.monotonic() >= watched.retry_at:
                    _restart(watched)


def await_all(children: Sequence[ChildProcess], announce: Announce) -> None:
    """Wait until every child is ready; Unavailable shows the end of the log of one that is not."""
    for child in children:
        child.await_ready()
        announce(f"{child.spec.name} is ready")


def stop_together(children: Sequence[ChildProcess]) -> None:
    """Let children drain at the same time, and wait until all have ended."""
    for child in children:
        child.ask_to_stop()
    for child in reversed(children):
        child.stop()


def answers(url: str) -> bool:
    """Whether a GET of the URL is answered with 200 within two seconds."""
    try:
        return httpx.get(url, timeout=2.0, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def _restart(watched: _Watched) -> None:
    """Start it again; one that dies within seconds of its start waits longer each time.

    Nobody waits until it is ready: it may need another child which is down as well, and is started next.
    """
    lived = time.monotonic() - watched.started_at
    watched.failures = 0 if lived > _SOUND_SECONDS else watched.failures + 1
    watched.started_at = time.monotonic()
    try:
        watched.child.launch()
        log.warning("child_restarted", child=watched.child.spec.name)
    except OSError as failure:
        log.error("child_keeps_failing", child=watched.child.spec.name, error=type(failure).__name__)
    if watched.failures:
        watched.retry_at = time.monotonic() + min(30.0, 0.25 * 2**watched.failures)
