"""The chunker for tickets and mail threads: a message is a chunk, with its author, time and subject, unquoted.

Messages start at blocks of kind message; in plain text, where programs are known to start them. What repeats an
earlier message (blocks of kind quote, lines that start with ">", what follows "Original Message") is left out
of the text, unless the message holds nothing else, as when it was forwarded without a word.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, replace

from mainspring.orchestration.knowledge.types import BlockKind, Chunk, ParsedDocument

from .fixed import SENTENCE_WAYS, cut_by_size
from .making import make_chunks
from .protocol import Chunker, Cutter
from .settings import FixedChunking, MessageChunking
from .spans import Span, cut_to_size, trimmed
from .threads import find_attributions, find_openings
from .tokens import estimate_tokens

_OVERLAP = 150  # of texts that turn out to be no thread
_QUOTED_LINES = re.compile(r"^[ \t]*>[^\n]*(?:\n[ \t]*>[^\n]*)*", re.MULTILINE)
_ORIGINAL = re.compile(
    r"^[ \t]*-{2,}[ \t]*(?:Original Message|Forwarded message|Ursprüngliche Nachricht|Message d'origine)[ \t]*-{2,}",
    re.MULTILINE | re.IGNORECASE,
)
_MARKED = (BlockKind.MESSAGE, BlockKind.QUOTE)
_APART = "\n\n"


@dataclass(frozen=True, slots=True)
class _Message:
    """A message at [start, end) of the text, whose header ends at `body`."""

    start: int
    end: int
    body: int
    attributes: Mapping[str, str]


def cut_by_message(document: ParsedDocument, settings: MessageChunking) -> tuple[Chunk, ...]:
    """Chunks that do not overlap, each of one message or of a part of a long one.

    The text is what the message says itself: `document.text[start:end]` without the quotations in it. The span
    runs from its first to its last own word. Attributes `author`, `sent_at` and `subject` are the message's; a
    subject is its heading where there is none. What holds no message is cut as `fixed` does.
    """
    text = document.text
    messages = _messages(document)
    if not messages:
        limit = settings.max_chars
        return cut_by_size(document, FixedChunking(limit, min(_OVERLAP, limit // 2)))
    quotations = _quotations(document, messages)
    parts = [(each, part) for each in messages for part in _parts(text, each, quotations, settings)]
    chunks = make_chunks(document, [(part[0][0], part[-1][1]) for _, part in parts])
    return tuple(_finish(text, chunk, message, part) for chunk, (message, part) in zip(chunks, parts, strict=True))


def _finish(document_text: str, chunk: Chunk, message: _Message, part: list[Span]) -> Chunk:
    text = _APART.join(document_text[start:end] for start, end in part)
    subject = message.attributes.get("subject")
    return replace(
        chunk,
        text=text,
        number=None,
        heading_path=(subject,) if subject else chunk.heading_path,
        tokens=estimate_tokens(text),
        attributes=message.attributes,
    )


def _messages(document: ParsedDocument) -> list[_Message]:
    """Every message up to the next; what is before the first is one without a header."""
    text, blocks = document.text, [each for each in document.blocks if each.kind in _MARKED]
    found = [(each.start, each.end, each.attributes) for each in blocks if each.kind is BlockKind.MESSAGE]
    starts = [block.start for block in blocks]
    for opening in find_openings(text, {each.start for each in blocks if each.kind is BlockKind.QUOTE}):
        index = bisect_right(starts, opening.start) - 1
        if index < 0 or blocks[index].end <= opening.start:
            found.append((opening.start, opening.end, opening.attributes))
    if not found:
        return []
    found.sort(key=lambda each: each[0])
    if text[: found[0][0]].strip():
        found.insert(0, (0, 0, {}))
    ends = [*(start for start, _, _ in found[1:]), len(text)]
    return [_Message(start, end, min(body, end), said) for (start, body, said), end in zip(found, ends, strict=True)]


def _quotations(document: ParsedDocument, messages: list[_Message]) -> list[Span]:
    """What repeats earlier messages, in order: blocks, lines with the line that says whose they are, originals."""
    text = document.text
    blocks = [(block.start, block.end) for block in document.blocks if block.kind is BlockKind.QUOTE]
    found = [*blocks, *(each.span() for each in _QUOTED_LINES.finditer(text))]
    found += [(each.start, each.end) for each in find_attributions(text, {start for start, _ in blocks})]
    starts = [message.start for message in messages]
    for original in _ORIGINAL.finditer(text):
        message = messages[max(0, bisect_right(starts, original.start()) - 1)]
        if original.start() >= message.body:
            found.append((original.start(), message.end))
    return sorted(found)


def _parts(text: str, message: _Message, quotations: list[Span], settings: MessageChunking) -> list[list[Span]]:
    """What the message says itself, in groups of spans that make one chunk each."""
    own = trimmed(text, _own_words(text, message, quotations))
    parts: list[list[Span]] = []
    held = 0
    for start, end in trimmed(text, cut_to_size(text, own, SENTENCE_WAYS, settings.max_chars)):
        last = parts[-1][-1] if parts else None
        goes_on = last is not None and not text[last[1] : start].strip()
        gap = start - last[1] if last is not None and goes_on else len(_APART)
        if last is None or held + gap + end - start > settings.max_chars:
            parts.append([(start, end)])
            held = end - start
            continue
        parts[-1][-1:] = [(last[0], end)] if goes_on else [last, (start, end)]
        held += gap + end - start
    return parts


def _own_words(text: str, message: _Message, quotations: list[Span]) -> list[Span]:
    """The message without its quotations; with them where it would say nothing."""
    kept: list[Span] = []
    place = message.start
    within = slice(bisect_left(quotations, (message.body, 0)), bisect_left(quotations, (message.end, 0)))
    for start, end in quotations[within]:
        if start > place:
            kept.append((place, start))
        place = max(place, min(end, message.end))
    kept.append((place, message.end))
    says = any(text[max(start, message.body) : end].strip() for start, end in kept if end > message.body)
    return kept if says else [(message.start, message.end)]


MESSAGES: Chunker[MessageChunking] = Cutter("message", "1", cut_by_message)
"""The chunker for tickets and mail threads."""
