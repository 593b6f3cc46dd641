"""Other processes: what they cost, and how they are kept to their core and out of the way of others.

CPU time and memory are read from /proc for whole process trees: a database that forks a server for
each connection, or a gateway that starts helpers, is counted in full.
"""

import os
import re
import signal
import subprocess
import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PSS = re.compile(r"^Pss:\s+(\d+)", re.MULTILINE)
_PEAK = re.compile(r"^VmHWM:\s+(\d+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Memory:
    """Of a process tree, in MiB: proportional set size now, and the sum of the highest resident sizes."""

    pss: float
    peak: float


def cpu_seconds(roots: Iterable[int]) -> float:
    """User and system time of the trees so far, with that of their ended children."""
    return sum(sum(map(int, fields[11:15])) for pid in _trees(roots) if (fields := _stat(pid))) / _TICKS


def memory(roots: Iterable[int]) -> Memory:
    """What the trees hold now."""
    pids = _trees(roots)
    return Memory(
        pss=round(sum(_kibibytes(f"/proc/{pid}/smaps_rollup", _PSS) for pid in pids) / 1024, 1),
        peak=round(sum(_kibibytes(f"/proc/{pid}/status", _PEAK) for pid in pids) / 1024, 1),
    )


def drain(roots: Sequence[int], limit: float = 40.0) -> None:
    """Wait until the trees are idle: some gateways go on working for callers that have gone."""
    deadline, before = time.monotonic() + limit, cpu_seconds(roots)
    while roots and time.monotonic() < deadline:
        time.sleep(0.25)
        now = cpu_seconds(roots)
        if now - before <= 0.02:
            return
        before = now


def raise_priority(pid: int | None = None) -> None:
    """Let other work of the machine wait for this process and its future children; only root may."""
    with suppress(OSError):
        if pid is None:
            os.nice(-20)
        # Where the kernel groups processes by session, nice alone does not count across groups.
        Path(f"/proc/{pid or 'self'}/autogroup").write_text("-20")


@contextmanager
def on_core(core: int) -> Generator[None]:
    """Children that are started inside the block keep to the core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def running(
    command: Sequence[str], core: int, log: Path, environment: Mapping[str, str] | None = None
) -> Generator[subprocess.Popen[bytes]]:
    """A process on one core, in a session of its own that ends with the block."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            ("taskset", "-c", str(core), *command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=log.parent,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        )
    try:
        raise_priority(process.pid)
        yield process
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(8)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _trees(roots: Iterable[int]) -> list[int]:
    children: dict[int, list[int]] = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        if fields := _stat(int(name)):
            children.setdefault(int(fields[1]), []).append(int(name))
    found, waiting = list[int](), list(roots)
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting += children.get(pid, [])
    return found


def _stat(pid: int) -> list[str]:
    """The fields behind the name, which may hold anything; none for a process that has ended."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return []
    return text[text.rindex(")") + 2 :].split()


def _kibibytes(path: str, pattern: re.Pattern[str]) -> int:
    try:
        found = pattern.search(Path(path).read_text())
    except OSError:
        return 0
    return int(found[1]) if found else 0
