"""The body of an answer, never more of it than was agreed: counted as it comes in, and again as it unpacks."""

import zlib
from collections.abc import AsyncIterable

from mainspring.orchestration.knowledge.errors import FileTooLarge, SourceUnreachable

_PIECE = 65_536
_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32


async def read_body(pieces: AsyncIterable[bytes], *, encoding: str, max_bytes: int, where: str) -> bytes:
    """All bytes, unpacked; reading stops with the first byte too many.

    encoding  of the header `Content-Encoding`; only what was asked for (gzip, deflate, identity) is read
    raises    FileTooLarge, SourceUnreachable when the packed bytes are damaged
    """
    unpack = _unpacker(encoding, where)
    received, content = 0, bytearray()
    async for piece in pieces:
        received += len(piece)
        if received > max_bytes:
            raise _too_large(where, max_bytes)
        if unpack is None:
            content += piece
            continue
        try:
            unpack.feed(piece, content, max_bytes)
        except zlib.error:
            raise SourceUnreachable(f"{where} answered with compressed bytes that cannot be unpacked.") from None
        if len(content) > max_bytes:
            raise _too_large(where, max_bytes)
    return bytes(content)


class _Unpacker:
    def __init__(self) -> None:
        self._stream = zlib.decompressobj(_GZIP_OR_ZLIB)

    def feed(self, piece: bytes, content: bytearray, max_bytes: int) -> None:
        """Append what `piece` unpacks to, stopping soon after `max_bytes`."""
        waiting = piece
        while waiting and len(content) <= max_bytes:
            if self._stream.eof:  # a file may be several packed ones in a row
                self._stream = zlib.decompressobj(_GZIP_OR_ZLIB)
            content += self._stream.decompress(waiting, _PIECE)
            waiting = self._stream.unconsumed_tail or self._stream.unused_data


def _unpacker(encoding: str, where: str) -> _Unpacker | None:
    match encoding.strip().lower():
        case "" | "identity":
            return None
        case "gzip" | "x-gzip" | "deflate":
            return _Unpacker()
        case other:
            raise SourceUnreachable(f"{where} answered in the encoding {other[:40]!r}, which was not asked for.")


def _too_large(where: str, max_bytes: int) -> FileTooLarge:
    return FileTooLarge(f"{where} answered with more than the {max_bytes:,} bytes that a document may have.")
