"""Children kept alive: one that dies is started again, one that keeps dying after a growing pause.

How each ended is in the log, and told to whoever looks on, in a line a second at most.
"""

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
_TELL_SECONDS = 1.0


@dataclass(slots=True)
class _Watched:
    child: ChildProcess
    failures: int = 0
    started_at: float = field(default_factory=time.monotonic)
    ended_at: float | None = None
    retry_at: float = 0.0

    def is_due(self) -> bool:
        """Whether it has ended, and waited its pause. Notes when it was first seen to have ended."""
        if self.child.is_running:
            return False
        self.ended_at = self.ended_at or time.monotonic()
        return time.monotonic() >= self.retry_at


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

    def watch(self, until: threading.Event, announce: Announce) -> None:
        """Keep every child alive until the event is set; `announce` hears which ended, and how."""
        teller = _Teller(announce)
        while not until.wait(0.2):
            for watched in list(self._watched):
                if watched.is_due():
                    teller.note(_restart(watched))
            teller.tell()


@dataclass(slots=True)
class _Teller:
    """Gathers what there is to tell into one line a second: children that die at once, and many, flood nobody."""

    announce: Announce
    told_at: float = float("-inf")
    untold: dict[str, int] = field(default_factory=dict[str, int])

    def note(self, said: str) -> None:
        self.untold[said] = self.untold.get(said, 0) + 1

    def tell(self) -> None:
        if self.untold and time.monotonic() - self.told_at >= _TELL_SECONDS:
            times = {said: f" ({count} times)" if count > 1 else "" for said, count in self.untold.items()}
            self.announce("; ".join(said + times[said] for said in times))
            self.untold, self.told_at = {}, time.monotonic()


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


def _restart(watched: _Watched) -> str:
    """Start it again; one that dies within seconds of its start waits longer each time. What to tell of it.

    Nobody waits until it is ready: it may need another child which is down as well, and is started next.
    """
    child, code, now = watched.child, watched.child.exit_code, time.monotonic()
    ended_at = watched.ended_at or now
    watched.failures = 0 if ended_at - watched.started_at > _SOUND_SECONDS else watched.failures + 1
    watched.started_at, watched.ended_at = now, None
    watched.retry_at = now + min(30.0, 0.25 * 2**watched.failures) if watched.failures else now
    ended = f"{child.spec.name} ended ({_how(code)})"
    try:
        child.launch()
    except OSError as failure:
        log.error("child_keeps_failing", child=child.spec.name, exit_code=code, error=type(failure).__name__)
        return f"{ended} and cannot be started again: {failure.strerror}"
    log.warning("child_restarted", child=child.spec.name, exit_code=code, failures=watched.failures)
    pause = f" after {now - ended_at:.0f} s" if now - ended_at >= _TELL_SECONDS else ""
    return f"{ended}, started again{pause}; see {child.spec.log_path}"


def _how(code: int | None) -> str:
    """In words: the number of the signal, or the code, that a process ended by."""
    if code is None:
        return "never started"
    return f"exit {code}" if code >= 0 else f"signal {-code}"
