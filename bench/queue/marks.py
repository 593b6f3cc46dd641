"""Marks that jobs leave: one short line each, appended in one write, which is atomic and survives kill -9."""

import asyncio
import os
import time
from collections import Counter
from pathlib import Path

_files: dict[Path, int] = {}


def mark(path: Path, kind: str, key: int) -> None:
    """Note that job `key` has started (`S`) or ended (`E`) now, by the clock that all processes share."""
    file = _files.get(path)
    if file is None:
        file = _files[path] = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.write(file, f"{kind} {key} {time.monotonic_ns()}\n".encode())


class Marks:
    """Reads a file of marks as it grows.

    started, ended  nanoseconds of the first mark of each job
    ends            how often each job ran to its end
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rest = b""
        self._offset = 0
        self.started: dict[int, int] = {}
        self.ended: dict[int, int] = {}
        self.ends: Counter[int] = Counter()

    def read(self) -> None:
        """Take in what was written since the last call."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._offset)
            fresh = file.read()
        self._offset += len(fresh)
        *lines, self._rest = (self._rest + fresh).split(b"\n")
        for line in lines:
            kind, key, at = line.split()
            if kind == b"S":
                self.started.setdefault(int(key), int(at))
            else:
                self.ended.setdefault(int(key), int(at))
                self.ends[int(key)] += 1

    async def wait(self, started: int = 0, *, key: int | None = None, ended: int = 0, seconds: float = 60.0) -> bool:
        """Whether that many jobs (or that one) started or ended in time."""
        until = time.monotonic() + seconds
        while True:
            self.read()
            if len(self.started) >= started and len(self.ended) >= ended and (key is None or key in self.started):
                return True
            if time.monotonic() > until:
                return False
            await asyncio.sleep(0.002)
