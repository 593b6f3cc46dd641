"""Plain text: every character keeps its place, so that offsets into the file hold.

Line ends become \\n; control characters become blanks, one for one.
"""

import codecs
import re

from mainspring.orchestration.knowledge.errors import BinaryContent, EmptyFile

from .characters import blank_out
from .limits import ParseLimits
from .pieces import Piece, Source
from .refusals import too_many_characters

_PARAGRAPH_END = re.compile(r"\n[ \t]*\n\s*")
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_UNDEFINED_IN_1252 = bytes((0x81, 0x8D, 0x8F, 0x90, 0x9D))


def decode_text(content: bytes, *, filename: str, limits: ParseLimits) -> tuple[str, tuple[str, ...]]:
    """The characters of a text file, and warnings about how they were read.

    UTF-8, UTF-16 with a byte order mark, else Windows-1252.
    raises  BinaryContent, FileTooLarge, EmptyFile
    """
    text, warnings = _decode(content, filename)
    text = blank_out(text.replace("\r\n", "\n"))
    if len(text) > limits.max_characters:
        raise too_many_characters(filename, len(text), limits)
    if not text.strip():
        raise EmptyFile(f"{filename} holds no text, only blanks; send the file again.")
    return text, warnings


def read_plain(text: str, warnings: tuple[str, ...] = ()) -> Source:
    """Paragraphs between blank lines, as pieces of the text as it stands."""
    pieces: list[Piece] = []
    start = len(text) - len(text.lstrip())
    for found in _PARAGRAPH_END.finditer(text, start):
        _add(pieces, text, start, found.start())
        start = found.end()
    _add(pieces, text, start, len(text))
    return Source(text, tuple(pieces), warnings=warnings)


def _add(pieces: list[Piece], text: str, start: int, end: int) -> None:
    end = start + len(text[start:end].rstrip())
    if end > start:
        pieces.append(Piece(start, end, verbatim=True))


def _decode(content: bytes, filename: str) -> tuple[str, tuple[str, ...]]:
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            body = content[len(mark) :]
            text = body.decode(encoding, errors="replace")
            return _checked(text, filename), _replaced(text)
    if b"\x00" in content:
        raise BinaryContent(
            f"{filename} holds NUL bytes, which text does not; "
            "send it as UTF-8 text (or UTF-16 with a byte order mark), PDF or DOCX."
        )
    try:
        return content.decode("utf-8"), ()
    except UnicodeDecodeError:
        pass
    strange = len(content) - len(content.translate(None, _UNDEFINED_IN_1252))
    if strange * 200 > len(content):
        raise BinaryContent(f"{filename} is not text in UTF-8, UTF-16 or Windows-1252; save it as UTF-8, PDF or DOCX.")
    text = content.decode("cp1252", errors="replace")
    return text, ("The text is not UTF-8; it was read as Windows-1252, so some characters may be wrong.",)


def _checked(text: str, filename: str) -> str:
    if text.count("\x00") or text.count("\ufffd") * 50 > len(text):
        raise BinaryContent(
            f"{filename} starts as Unicode text but holds binary data; check that the file is complete."
        )
    return text


def _replaced(text: str) -> tuple[str, ...]:
    count = text.count("\ufffd")
    return (f"{count} characters could not be read and stand as \ufffd.",) if count else ()
