"""Errors about size, which several readers raise: each names the value, the limit and what to do."""

from mainspring.orchestration.knowledge.errors import FileTooLarge, ParseOutOfMemory, ParseTimedOut

from .limits import ParseLimits, megabytes


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
