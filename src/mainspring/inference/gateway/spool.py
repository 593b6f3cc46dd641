"""The spool: a write-ahead file of inference records, on the local disk, one owner each.

A call writes an opening entry before its provider is asked and a closing entry before its result
is released. `write` hands the bytes to the kernel, so `kill -9` of the process loses nothing; an
fsync follows within 50 ms for the day the machine dies. An entry is its length, its CRC-32 and
its body; reading stops at the first one that is torn.

The owner holds a lock on the file for as long as it lives: who gets the lock of a file that is
not its own knows that the owner is dead, and ships what it left. An opening without a closing is
then a call that broke off.
"""

import fcntl
import os
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from struct import Struct
from typing import Self
from uuid import UUID, uuid4

import msgspec

from mainspring.foundation.telemetry import get_logger

from .types import InferenceRecord

log = get_logger(__name__)

_HEAD = Struct("<II")
_MAX_ENTRY = 64 * 1024 * 1024


class Entry(msgspec.Struct, frozen=True):
    """One entry: the record as it stood, and the input (opening) or output (closing) as JSON."""

    is_closing: bool
    record: InferenceRecord
    payload: bytes | None = None


@dataclass(frozen=True, slots=True)
class SpooledCall:
    """A call as the spool knows it, ready to be shipped."""

    record: InferenceRecord
    input: bytes | None
    output: bytes | None


@dataclass(frozen=True, slots=True)
class _Extent:
    offset: int
    length: int


class Segment:
    """One spool file. Calls are in it from their opening until they are shipped."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor
        self._size = 0
        self._open: dict[UUID, _Extent] = {}
        self._closed: dict[UUID, tuple[_Extent, _Extent | None]] = {}
        self.is_dirty = False

    @classmethod
    def create(cls, directory: Path) -> Self:
        """A new file that is locked before it can be seen under its final name."""
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{os.getpid()}-{uuid4().hex}"
        draft, path = directory / f"{name}.new", directory / f"{name}.spool"
        descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        draft.rename(path)
        return cls(path, descriptor)

    @classmethod
    def adopt(cls, path: Path) -> Self | None:
        """The file of a dead process with all its calls closed; None while its owner lives."""
        try:
            descriptor = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        segment = cls(path, descriptor)
        segment._index()
        return segment

    @property
    def size(self) -> int:
        """Bytes written."""
        return self._size

    @property
    def is_shipped(self) -> bool:
        """Whether no call is left in it, open or closed."""
        return not self._open and not self._closed

    def open(self, record: InferenceRecord, payload: bytes | None) -> None:
        """Write the opening entry of a call."""
        self._open[record.id] = self._append(Entry(False, record, payload))

    def close(self, record: InferenceRecord, payload: bytes | None) -> None:
        """Write the closing entry of a call; from now on it can be shipped."""
        extent = self._append(Entry(True, record, payload))
        self._closed[record.id] = (self._open.pop(record.id), extent)

    def closed(self, limit: int, *, besides: frozenset[UUID] = frozenset()) -> list[SpooledCall]:
        """Up to `limit` calls that are closed and not yet shipped, oldest first."""
        ids = islice((id_ for id_ in self._closed if id_ not in besides), limit)
        return [self._read_call(*self._closed[id_]) for id_ in ids]

    def forget(self, ids: Iterable[UUID]) -> None:
        """These calls were shipped; a file without calls is emptied."""
        for id_ in ids:
            self._closed.pop(id_, None)
        if self.is_shipped and self._size:
            os.ftruncate(self._descriptor, 0)
            self._size = 0

    def sync(self) -> None:
        """Wait until the disk has it; harmless on a file released meanwhile."""
        self.is_dirty = False
        try:
            os.fsync(self._descriptor)
        except OSError as failure:
            log.warning("spool_not_synced", error=failure.strerror)

    def release(self) -> None:
        """Give up the lock, and remove the file when all its calls are shipped."""
        if self.is_shipped:
            self.path.unlink(missing_ok=True)
        os.close(self._descriptor)

    def _append(self, entry: Entry) -> _Extent:
        body = msgspec.msgpack.encode(entry)
        data = _HEAD.pack(len(body), zlib.crc32(body)) + body
        try:
            written = os.pwrite(self._descriptor, data, self._size)
            while written < len(data):
                written += os.pwrite(self._descriptor, data[written:], self._size + written)
        except OSError:
            os.ftruncate(self._descriptor, self._size)
            raise
        extent = _Extent(self._size + _HEAD.size, len(body))
        self._size += len(data)
        self.is_dirty = True
        return extent

    def _index(self) -> None:
        end = os.fstat(self._descriptor).st_size
        while (found := self._entry_at(self._size, end)) is not None:
            entry, extent = found
            self._size = extent.offset + extent.length
            if entry.is_closing and entry.record.id in self._open:
                self._closed[entry.record.id] = (self._open.pop(entry.record.id), extent)
            elif not entry.is_closing:
                self._open[entry.record.id] = extent
        if self._size < end:
            log.warning("spool_tail_torn", file=self.path.name, bytes=end - self._size)
        self._closed |= {id_: (opening, None) for id_, opening in self._open.items()}
        self._open = {}

    def _entry_at(self, offset: int, end: int) -> tuple[Entry, _Extent] | None:
        if offset + _HEAD.size > end:
            return None
        length, checksum = _HEAD.unpack(os.pread(self._descriptor, _HEAD.size, offset))
        start = offset + _HEAD.size
        if length > min(_MAX_ENTRY, end - start):
            return None
        body = os.pread(self._descriptor, length, start)
        if zlib.crc32(body) != checksum:
            return None
        return msgspec.msgpack.decode(body, type=Entry), _Extent(start, length)

    def _read_call(self, opening: _Extent, closing: _Extent | None) -> SpooledCall:
        first = self._read(opening)
        if closing is None:
            return SpooledCall(first.record, first.payload, None)
        last = self._read(closing)
        return SpooledCall(last.record, first.payload, last.payload)

    def _read(self, extent: _Extent) -> Entry:
        return msgspec.msgpack.decode(os.pread(self._descriptor, extent.length, extent.offset), type=Entry)
