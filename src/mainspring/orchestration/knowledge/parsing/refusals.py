"""Errors that several readers raise: each names the file, the value, the limit and what to do."""

from mainspring.orchestration.knowledge.errors import (
    BrokenDocument,
    FileTooLarge,
    ParseOutOfMemory,
    ParseTimedOut,
    TooComplex,
    UnsupportedType,
)

from .limits import ParseLimits, megabytes
from .media_types import READ


def shown(filename: str) -> str:
    """The bare, printable file name for messages."""
    name = "".join(letter for letter in filename.replace("\\", "/").rsplit("/", 1)[-1] if letter.isprintable())
    return name[:120] or "The file"


def unsupported(filename: str, looks: str, *, advice: str = "save it as PDF or DOCX and send that") -> UnsupportedType:
    """The refusal of a known but unread type: what it looks like, what is read, what to do."""
    return UnsupportedType(f"{shown(filename)} looks like {looks}; {READ}: {advice}.")


def too_large(name: str, size: int, limits: ParseLimits) -> FileTooLarge:
    """The file has more bytes than may be sent."""
    return FileTooLarge(
        f"{name} has {megabytes(size)}; the limit is {megabytes(limits.max_bytes)} "
        "(MAINSPRING_MAX_UPLOAD_MEGABYTES). Split the document, or shrink its pictures."
    )


def too_many_characters(name: str, count: int, limits: ParseLimits) -> FileTooLarge:
    """The text is longer than any document."""
    return FileTooLarge(
        f"{name} holds {count:,} characters of text; the limit is {limits.max_characters:,}. Split the document."
    )


def too_many_blocks(name: str, count: int, limits: ParseLimits) -> FileTooLarge:
    """The text falls into more pieces than any document."""
    return FileTooLarge(
        f"{name} holds {count:,} paragraphs, lines and rows; the limit is {limits.max_blocks:,}. Split the document."
    )


def too_many_cells(name: str, limits: ParseLimits) -> FileTooLarge:
    """The tables are larger than any that is read row by row."""
    return FileTooLarge(
        f"{name} holds more than {limits.max_cells:,} cells, the limit. "
        "Split it, or send only the sheets and columns that matter."
    )


def too_complex(name: str, what: str, *, advice: str = "Open it, save or export it again and send that") -> TooComplex:
    """The inside of the file is built like no honest document; `what` names what was met and its limit."""
    return TooComplex(f"{name} {what}. {advice}.")


def broken(name: str, looks: str, why: str) -> BrokenDocument:
    """The file is of a known type, but damaged."""
    return BrokenDocument(
        f"{name} is {looks} but cannot be read: {why}. Open it in its program, save it again and send that."
    )


def timed_out(name: str, limits: ParseLimits) -> ParseTimedOut:
    """Parsing took too long."""
    return ParseTimedOut(
        f"{name} was not read within {limits.timeout_seconds:g} s (MAINSPRING_PARSE_TIMEOUT_SECONDS); "
        "split it, or export it again."
    )


def out_of_memory(name: str, limits: ParseLimits) -> ParseOutOfMemory:
    """Parsing needs more memory than it may have."""
    return ParseOutOfMemory(
        f"{name} needs more than {megabytes(limits.memory_bytes)} of memory to be read; "
        "split it, or shrink its pictures."
    )
