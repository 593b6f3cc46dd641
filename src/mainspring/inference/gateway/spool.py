"""The spool: a write-ahead file of inference records, on the local disk, one owner each.

A call writes an opening entry before its provider is asked and a closing entry before its result
is released. `write` hands the bytes to the kernel, so `kill -9` of the process loses nothing; an
fsync follows within 50 ms for the day the machine dies. An entry is its length, its CRC-32 and
its body; reading stops at the first one that is torn.

What is to be shipped next is in memory too. Only when it grows beyond a limit, because Postgres is
away, is it dropped there and read from the file: from front to back, in large pieces, as the file
of a dead process is.

The owner holds a lock on the file for as long as it lives: who gets the lock of a file that is
not its own knows that the owner is dead, and ships what it left. An opening without a closing is
then a call that broke off.
"""

import fcntl
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from struct import Struct
from typing import Self
from uuid import uuid4

import msgspec

from mainspring.foundation.telemetry import get_logger

log = get_logger(__name__)

_HEAD = Struct("<II")
_MAX_ENTRY = 64 * 1024 * 1024
_READ_BYTES = 1024 * 1024
_KEPT_BYTES = 8 * 1024
_MOST_KEPT_BYTES = 8 * 1024 * 1024
_MOST_READ_BYTES = 4 * 1024 * 1024


class Spend(msgspec.Struct, frozen=True, array_like=True):
    """What a call adds to its tenant's counters: for each scope and value, cost, tokens and one call, on one day.

    day   as a date's ordinal, of the instant at which the call began, in UTC
    """

    day: int
    cost_micros: int
    tokens: int
    scopes: tuple[tuple[str, str], ...]


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """One entry: the record as it stood as a COPY line, with the input (opening) or output (closing).

    hold    what the limits hold for the call, as `limits` wrote it
    input   in closing entries that are not kept in memory, the payload of the opening
    """

    is_closing: bool
    id: bytes
    tenant: bytes
    line: bytes
    payload: bytes | None = None
    dialect: str | None = None
    spend: Spend | None = None
    hold: bytes | None = None
    input: bytes | None = None


class SpooledCall(msgspec.Struct, frozen=True, gc=False):
    """A call as the spool knows it, ready to be shipped."""

    last: Entry
    input: bytes | None
    output: bytes | None
    dialect: str | None


_Opening = Entry | tuple[int, int]
"""A small opening is kept in memory until its closing comes; of a large one, only its place in the file."""

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Entry)


class Segment:
    """One spool file, written at its end.

    The calls of a living owner are shipped from memory, those beyond a limit from the file, where
    their closing entries then hold the input too. A dead owner's file is read whole.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor
        self._size = 0
        self._read_to = self._shipped_to = 0
        self._running = 0
        self._openings: dict[bytes, _Opening] = {}
        self._taken: dict[bytes, _Opening] = {}
        self._kept: list[SpooledCall] = []
        self._kept_bytes = self._kept_taken = 0
        self._is_spilling = self._has_lost = False
        self.is_dirty = self.is_adopted = False

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
        """The file of a dead process; None while its owner lives."""
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
        segment.is_adopted = segment._is_spilling = True
        segment._size = os.fstat(descriptor).st_size
        return segment

    @property
    def size(self) -> int:
        """Bytes written."""
        return self._size

    @property
    def is_shipped(self) -> bool:
        """Whether no call is left in it, running or ended. One whose end could not be written stays, for an heir."""
        is_read = not self._is_spilling or self._shipped_to >= self._size
        return is_read and not (self._running or self._kept or self._openings or self._has_lost)

    def open(self, entry: Entry) -> None:
        """Write the opening entry of a call; raises OSError."""
        self._append(entry)
        self._running += 1

    def close(self, entry: Entry, sealed_input: bytes | None = None) -> None:
        """Write the closing entry of a call; from now on it can be shipped. Raises OSError.

        sealed_input   the payload of its opening
        """
        if self._is_spilling:
            self._append(msgspec.structs.replace(entry, input=sealed_input))
            self._running -= 1
            return
        self._append(entry)
        self._running -= 1
        self._kept.append(SpooledCall(entry, sealed_input, entry.payload, entry.dialect))
        self._kept_bytes += len(sealed_input or b"") + len(entry.payload or b"") + len(entry.line) + 500
        if self._kept_bytes > _MOST_KEPT_BYTES:
            self._is_spilling, self._read_to, self._shipped_to = True, self._size, self._size

    def lose(self) -> None:
        """A call ended whose closing entry could not be written; its opening says that it broke off."""
        self._running -= 1
        self._has_lost = True

    def unshipped(self, limit: int) -> list[SpooledCall]:
        """Up to about `limit` calls that ended and were not forgotten, oldest first."""
        if self._kept:
            calls = self._kept[:limit]
            self._kept_taken = len(calls)
            return calls
        if not self._is_spilling:
            return []
        calls = []
        for extent, entry in self._entries(limit):
            if entry.is_closing:
                calls.append(self._pair(entry.id, entry))
            elif self.is_adopted:
                self._openings[entry.id] = entry if len(entry.payload or b"") <= _KEPT_BYTES else extent
        if self.is_adopted and self._read_to >= self._size and not calls:
            calls = [self._pair(identifier, None) for identifier in list(self._openings)]
        return calls

    def _pair(self, identifier: bytes, closing: Entry | None) -> SpooledCall:
        opening = self._openings.pop(identifier, None)
        if opening is not None:
            self._taken[identifier] = opening
        first = self._read(opening) if isinstance(opening, tuple) else opening
        last = closing or first
        assert last is not None, "an entry without a call"
        return SpooledCall(last, last.input or (first and first.payload), closing and closing.payload, last.dialect)

    def forget(self) -> None:
        """Everything that `unshipped` returned is in Postgres; a file without calls is emptied."""
        if self._kept_taken:
            del self._kept[: self._kept_taken]
            self._kept_taken = 0
            self._kept_bytes = self._kept_bytes if self._kept else 0
        elif self._is_spilling:
            self._shipped_to, self._taken = self._read_to, {}
            if not self.is_adopted and not self._kept and self._shipped_to >= self._size:
                self._is_spilling = False
        if self._size and self.is_shipped:
            os.ftruncate(self._descriptor, 0)
            self._size = self._read_to = self._shipped_to = 0

    def return_(self) -> None:
        """What `unshipped` returned last could not be shipped: it will be returned again."""
        self._kept_taken = 0
        self._read_to = self._shipped_to
        self._openings |= self._taken
        self._taken = {}

    def sync(self) -> None:
        """Wait until the disk has it; harmless on a file released meanwhile."""
        self.is_dirty = False
        try:
            os.fsync(self._descriptor)
        except OSError as failure:
            log.warning("spool_not_synced", error=failure.strerror)

    def set_aside(self) -> Path:
        """Give up the lock and keep the file, under a name that nobody adopts; returns it."""
        aside = self.path.with_name(f"{self.path.name}.refused")
        self.path.rename(aside)
        os.close(self._descriptor)
        return aside

    def release(self) -> None:
        """Give up the lock, and remove the file when all its calls are shipped."""
        if self.is_shipped:
            self.path.unlink(missing_ok=True)
        os.close(self._descriptor)

    def _append(self, entry: Entry) -> None:
        body = _encoder.encode(entry)
        parts = (_HEAD.pack(len(body), zlib.crc32(body)), body)
        length = _HEAD.size + len(body)
        try:
            written = os.pwritev(self._descriptor, parts, self._size)
            if written < length:  # the disk is filling up, or a signal came
                data = b"".join(parts)
                while written < length:
                    written += os.pwrite(self._descriptor, data[written:], self._size + written)
        except OSError:
            os.ftruncate(self._descriptor, self._size)
            raise
        self._size += length
        self.is_dirty = True

    def _entries(self, limit: int) -> Iterator[tuple[tuple[int, int], Entry]]:
        """Entries from where reading stopped, until `limit` closings or enough bytes were seen.

        The rest of a torn file is dropped.
        """
        buffer, start, closings, ends_at = b"", self._read_to, 0, self._read_to + _MOST_READ_BYTES
        while closings < limit and self._read_to < min(self._size, ends_at):
            place = self._read_to - start
            if len(buffer) - place < _HEAD.size or len(buffer) - place < self._length(buffer, place):
                start, place = self._read_to, 0
                buffer = os.pread(self._descriptor, min(_READ_BYTES, self._size - start), start)
                if _HEAD.size <= len(buffer) < (length := self._length(buffer, 0)) <= _MAX_ENTRY:
                    buffer = os.pread(self._descriptor, min(length, self._size - start), start)
            entry = self._decode(buffer, place)
            if entry is None:
                log.warning("spool_tail_torn", file=self.path.name, bytes=self._size - self._read_to)
                self._size = self._read_to
                return
            length = self._length(buffer, place)
            extent = (self._read_to + _HEAD.size, length - _HEAD.size)
            self._read_to += length
            closings += entry.is_closing
            yield extent, entry

    def _length(self, buffer: bytes, place: int) -> int:
        return _HEAD.unpack_from(buffer, place)[0] + _HEAD.size

    def _decode(self, buffer: bytes, place: int) -> Entry | None:
        if len(buffer) - place < _HEAD.size:
            return None
        length, checksum = _HEAD.unpack_from(buffer, place)
        body = buffer[place + _HEAD.size : place + _HEAD.size + length]
        if length > _MAX_ENTRY or len(body) < length or zlib.crc32(body) != checksum:
            return None
        return _decoder.decode(body)

    def _read(self, extent: tuple[int, int]) -> Entry:
        return _decoder.decode(os.pread(self._descriptor, extent[1], extent[0]))
