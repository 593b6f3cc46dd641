"""What a parsing process is told and what it answers, as JSON."""

import msgspec

from mainspring.orchestration.knowledge.types import ParsedDocument

from .limits import ParseLimits


class Request(msgspec.Struct, frozen=True):
    """The child's one argument; the file itself comes on its standard input."""

    filename: str
    limits: ParseLimits
    recognise_scans: bool


class Parsed(msgspec.Struct, frozen=True, tag="parsed"):
    """It worked."""

    document: ParsedDocument


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """One of the room's errors, by its code."""

    code: str
    detail: str


Answer = Parsed | Failed
