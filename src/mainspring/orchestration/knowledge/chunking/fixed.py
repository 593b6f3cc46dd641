"""The chunker for anything: as many whole sentences as fit, the last ones repeated at the head of the next chunk."""

from mainspring.orchestration.knowledge.types import Chunk, ParsedDocument

from .making import make_chunks
from .protocol import Chunker, Cutter
from .settings import FixedChunking
from .spans import ANY_SENTENCE, BLANK, ENUMERATION, LINE, PARAGRAPH, Span, after, cut_to_size, trimmed

SENTENCE_WAYS = (after(PARAGRAPH), after(ANY_SENTENCE), after(LINE), after(ENUMERATION), after(BLANK))
"""From the best place to cut plain prose to the worst."""


def cut_by_size(document: ParsedDocument, settings: FixedChunking) -> tuple[Chunk, ...]:
    """Chunks that end where a sentence does, wherever one fits.

    Each text is `document.text[start:end]`. A chunk overlaps the one before by at most `overlap_chars`, in
    whole sentences: by nothing where the last sentence is longer than that.
    """
    return make_chunks(document, _packed(_sentences(document.text, settings.max_chars), settings))


def _sentences(text: str, limit: int) -> list[Span]:
    """Every sentence, without the blanks around it; longer ones than `limit` in pieces."""
    borders = {found.end() for pattern in (PARAGRAPH, ANY_SENTENCE) for found in pattern.finditer(text)}
    ends = sorted(borders | {len(text)})
    whole = [(start, end) for start, end in zip([0, *ends], ends, strict=False) if start < end]
    return trimmed(text, cut_to_size(text, whole, SENTENCE_WAYS[2:], limit))


def _packed(sentences: list[Span], settings: FixedChunking) -> list[Span]:
    """Sentences that follow each other, together as long as the limit allows."""
    spans: list[Span] = []
    first = done = 0  # where the next chunk starts, and the first sentence that no chunk holds
    while done < len(sentences):
        start = sentences[first][0]
        while done < len(sentences) and sentences[done][1] - start <= settings.max_chars:
            done += 1
        end = sentences[done - 1][1]
        spans.append((start, end))
        if done < len(sentences):
            first = _repeated_from(sentences, first, done, settings)
    return spans


def _repeated_from(sentences: list[Span], first: int, done: int, settings: FixedChunking) -> int:
    """The sentence to start again from: as far back as the overlap allows and the next sentence still fits."""
    end, new_end = sentences[done - 1][1], sentences[done][1]
    place = done
    while place - 1 > first:
        start = sentences[place - 1][0]
        if end - start > settings.overlap_chars or new_end - start > settings.max_chars:
            break
        place -= 1
    return place


FIXED: Chunker[FixedChunking] = Cutter("fixed", "1", cut_by_size)
"""The chunker for texts of any kind."""
