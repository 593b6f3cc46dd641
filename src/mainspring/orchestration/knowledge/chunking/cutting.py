"""`cut`: a document cut by the chunker that its settings name."""

from typing import assert_never

from mainspring.orchestration.knowledge.types import Chunk, ParsedDocument

from .clauses import CLAUSES
from .fixed import FIXED
from .messages import MESSAGES
from .rows import ROWS
from .sections import SECTIONS
from .settings import Chunking, ClauseChunking, FixedChunking, MessageChunking, RowChunking, SectionChunking

CHUNKERS = {each.name: each for each in (CLAUSES, MESSAGES, SECTIONS, ROWS, FIXED)}
"""Every chunker by its name."""


def cut(document: ParsedDocument, settings: Chunking) -> tuple[Chunk, ...]:
    """The document's chunks, as `Chunker.cut` promises them."""
    match settings:
        case ClauseChunking():
            return CLAUSES.cut(document, settings)
        case MessageChunking():
            return MESSAGES.cut(document, settings)
        case SectionChunking():
            return SECTIONS.cut(document, settings)
        case RowChunking():
            return ROWS.cut(document, settings)
        case FixedChunking():
            return FIXED.cut(document, settings)
        case _:
            assert_never(settings)


def chunker_version(settings: Chunking) -> str:
    """Name and version of the chunker that these settings are for."""
    chunker = CHUNKERS[str(settings.__struct_config__.tag)]
    return f"{chunker.name}-{chunker.version}"
