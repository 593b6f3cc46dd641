"""What of a chunk is embedded, and the hash that its vector is found by."""

from hashlib import sha256

from mainspring.orchestration.knowledge.types import Chunk

_BEFORE_HEADING = 16  # characters that a number may take before the heading that a text opens with


def embedded_text(chunk: Chunk) -> str:
    """The headings above the chunk, joined by " > ", then its text.

    Headings that the text itself opens with are not said twice.
    """
    opening = chunk.text[: max(map(len, chunk.heading_path), default=0) + _BEFORE_HEADING]
    above: list[str] = []
    for heading in chunk.heading_path:
        if heading in opening[: len(heading) + _BEFORE_HEADING]:
            break
        above.append(heading)
    return f"{' > '.join(above)}\n{chunk.text}" if above else chunk.text


def content_hash(text: str) -> bytes:
    """32 bytes; the same embedded text has the same vector."""
    return sha256(text.encode()).digest()
