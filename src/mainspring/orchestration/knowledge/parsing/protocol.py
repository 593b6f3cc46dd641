"""What a parsing process is told and what it answers, as JSON."""

import msgspec

from mainspring.orchestration.knowledge.types import ParsedDocument

from .limits import ParseLimits


class Request(msgspec.Struct, frozen=True):
    """The first line of the child's standard input; the file follows."""

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
