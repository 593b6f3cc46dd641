"""From ranked chunks to passages: repeats left out, neighbours added, all packed into a budget of tokens. Pure.

A hit never loses its place to a neighbour: neighbours are taken from what is no hit itself, nearest and from the
same section first, only where they touch what is there already, and only from tokens that no hit needed.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from .store import Key
from .types import Citation, Explanation, Passage, Span

_ALIKE = 0.8  # of the runs of five words of both, so many are common
_RUN = 5
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Found:
    """A chunk with its document, as a search read it."""

    key: Key
    start: int
    end: int
    text: str
    tokens: int
    document: str
    source: str
    uri: str | None = None
    number: str | None = None
    heading_path: tuple[str, ...] = ()
    page: int | None = None
    attributes: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk that was found, and the ones that say nearly the same and stand behind it."""

    found: Found
    score: float
    similar: tuple[Key, ...] = ()


def leave_out_repeats(ranked: Sequence[tuple[Found, float]]) -> list[Hit]:
    """Hits in their order, each standing for those behind it that repeat it.

    A repeat says nearly the same words, in whatever document; or it is, for half of the shorter of both, the same
    place of the same document, and then it is not counted.
    """
    kept: list[tuple[Found, float, list[Key], frozenset[str]]] = []
    for found, score in ranked:
        runs = _runs(found.text)
        if any(_is_same_place(found, other) for other, *_ in kept):
            continue
        twin = next((each for each in kept if _is_alike(runs, each[3])), None)
        if twin is None:
            kept.append((found, score, [], runs))
        else:
            twin[2].append(found.key)
    return [Hit(found, score, tuple(similar)) for found, score, similar, _ in kept]


def _runs(text: str) -> frozenset[str]:
    words = _WORD.findall(text.casefold())
    return frozenset(" ".join(words[place : place + _RUN]) for place in range(max(1, len(words) - _RUN + 1)))


def _is_alike(one: frozenset[str], other: frozenset[str]) -> bool:
    if one == other:
        return True
    smaller, larger = sorted((len(one), len(other)))
    return smaller >= _ALIKE * larger and len(one & other) >= _ALIKE * len(one | other)


def _is_same_place(one: Found, other: Found) -> bool:
    if one.key[0] != other.key[0]:
        return False
    shared = min(one.end, other.end) - max(one.start, other.start)
    return 2 * shared >= min(one.end - one.start, other.end - other.start)


@dataclass(frozen=True, slots=True)
class Packing:
    """What may be shown: passages, tokens of all of them, chunks on each side of a hit."""

    limit: int
    max_tokens: int
    neighbours: int


def pack(
    hits: Sequence[Hit],
    around: Mapping[Key, Found],
    packing: Packing,
    explanations: Mapping[Key, Explanation],
) -> tuple[Passage, ...]:
    """Passages in the order of the hits; the first hit is there whatever its size, a later one where it fits.

    around   chunks that may be neighbours, by key
    """
    chosen: list[Hit] = []
    left = packing.max_tokens
    for hit in hits:
        if len(chosen) == packing.limit:
            break
        if not chosen or hit.found.tokens <= left:
            chosen.append(hit)
            left -= hit.found.tokens
    taken = {hit.found.key for hit in chosen}
    passages: list[Passage] = []
    for hit in chosen:
        together = [hit.found]
        for neighbour in _neighbours(hit.found, around, packing.neighbours):
            is_free = neighbour.key not in taken and neighbour.tokens <= left
            if is_free and _touches(together, neighbour):
                together.append(neighbour)
                taken.add(neighbour.key)
                left -= neighbour.tokens
        together.sort(key=lambda each: each.key[1])
        passages.append(_passage(hit, together, explanations.get(hit.found.key)))
    return tuple(passages)


def _neighbours(hit: Found, around: Mapping[Key, Found], reach: int) -> list[Found]:
    """What stands around the hit: its own section first, then the nearest, then what follows."""
    document, place = hit.key
    keys = [(document, place + step * side) for step in range(1, reach + 1) for side in (1, -1)]
    found = [around[key] for key in keys if key in around]
    return sorted(found, key=lambda each: (not _is_same_section(hit, each), abs(each.key[1] - place)))


def _is_same_section(one: Found, other: Found) -> bool:
    return one.heading_path[:1] == other.heading_path[:1]


def _touches(together: Sequence[Found], neighbour: Found) -> bool:
    return any(abs(each.key[1] - neighbour.key[1]) == 1 for each in together)


def _passage(hit: Hit, together: Sequence[Found], explanation: Explanation | None) -> Passage:
    found = hit.found
    others = dict.fromkeys(document for document, _ in hit.similar if document != found.key[0])
    return Passage(
        document_id=found.key[0],
        document=found.document,
        source=found.source,
        uri=found.uri,
        span=Span(min(each.start for each in together), max(each.end for each in together)),
        hit=Span(found.start, found.end),
        text=_joined(together),
        score=hit.score,
        tokens=sum(each.tokens for each in together),
        citation=cite(found),
        page=found.page,
        number=found.number,
        heading_path=found.heading_path,
        attributes=found.attributes,
        similar=len(hit.similar),
        similar_in=tuple[UUID, ...](others),
        explanation=explanation,
    )


def _joined(together: Sequence[Found]) -> str:
    """The chunks as one text; what two of them share is not said twice."""
    text, end = together[0].text, together[0].end
    for each in together[1:]:
        if each.start >= end:
            text += ("" if each.start == end else "\n\n") + each.text
        elif _is_letter_for_letter(each):
            text += each.text[end - each.start :]
        else:
            text += "\n\n" + each.text
        end = max(end, each.end)
    return text


def _is_letter_for_letter(found: Found) -> bool:
    return len(found.text) == found.end - found.start


def cite(found: Found) -> Citation:
    """The hit's place, with as much of it as is surely the document's own text there.

    Mostly that is all of it. The text of a table's rows is headed by the names of their columns: those are left
    out. The text of a message leaves out what it quotes: then its first line is cited.
    """
    text, length = found.text, found.end - found.start
    if len(text) == length:
        return Citation(found.start, found.end, text, found.page)
    if len(text) < length:
        quote = text.partition("\n")[0].rstrip()
        return Citation(found.start, found.start + len(quote), quote, found.page)
    if text.find("\n") + 1 == len(text) - length:
        return Citation(found.start, found.end, text[-length:], found.page)
    quote = text.rpartition("\n")[2]
    return Citation(found.end - len(quote), found.end, quote, found.page)
