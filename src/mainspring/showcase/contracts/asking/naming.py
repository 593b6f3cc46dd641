"""Which contract and which clause somebody means: people write "the Acme MSA" and "section 14.2".

Nothing is guessed: what fits two contracts is refused with the names of both.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import pairwise

from mainspring.foundation.errors import InvalidInput, NotFound
from mainspring.foundation.ids import read_id
from mainspring.orchestration.knowledge.types import Chunk
from mainspring.orchestration.tools import ToolError
from mainspring.showcase.contracts.quoting import cite

from .types import Cited, Opened, Shelved, make_cited

_WORD = re.compile(r"[^\W_]+")
_PLACE = re.compile(r"(?:.*#)?\s*(\d{1,9})\s*-\s*(\d{1,9})\s*$")
_PREFIX = re.compile(r"^(?:clause|section|sec\.?|article|art\.?|paragraph|§+)\s*", re.IGNORECASE)
_GENERAL_WORDS = (
    "agreement contract contracts signed final draft copy executed version the of and for with a an between doc pdf "
    "docx txt services service master license licence supply general terms conditions"
)
_GENERAL = frozenset(_GENERAL_WORDS.split())
_MOST_QUOTED = 8_000
_DEEPEST = 99


def find_contract(named: str, shelf: Sequence[Shelved]) -> Shelved:
    """The contract that an id or a name means; ToolError when it is none or more than one."""
    with suppress(InvalidInput, NotFound):
        wanted = read_id("ctr", named.strip())
        found = [each for each in shelf if each.id == wanted]
        if found:
            return found[0]
    text = _plain(named)
    for fits in (
        [each for each in shelf if text in (_plain(each.name), _plain(each.shown))],
        [each for each in shelf if text and text == _plain(each.title or "")],
        [each for each in shelf if text and set(text.split()) - _GENERAL and _is_within(text, each)],
    ):
        if len(fits) == 1:
            return fits[0]
        if len(fits) > 1:
            raise ToolError(f"{named!r} may be any of {_listed(fits)}; name one of them, or its id.")
    raise ToolError(f"There is no contract {named[:100]!r} that you may read; there are {_listed(shelf) or 'none'}.")


def contracts_in(question: str, shelf: Sequence[Shelved]) -> tuple[Shelved, ...]:
    """The contracts that a question names: by id, by name, or by a word of a name that only they have.

    A word alone counts where it is written as a name, with a capital or a digit, so that "what services" is none.
    """
    plain = f" {_plain(question)} "
    written = {word.casefold() for word in _WORD.findall(question) if word[0].isupper() or any(map(str.isdigit, word))}
    counted = Counter(word for each in shelf for word in _words_of(each))
    named: list[tuple[int, Shelved]] = []
    for each in shelf:
        places = [question.find(each.public_id)] if each.public_id in question else []
        places += [plain.find(f" {_plain(name)} ") for name in (each.shown, each.name) if _is_telling(name, plain)]
        own = {word for word in _words_of(each) - _GENERAL if counted[word] == 1 and len(word) > 1}
        places += [plain.find(f" {word} ") for word in own & written]
        if places:
            named.append((min(places), each))
    return tuple(each for _, each in sorted(named, key=lambda pair: pair[0]))


def find_clause(named: str, opened: Opened) -> Cited:
    """The clause with a number, under a heading, or at a place `start-end`; ToolError says what there is."""
    place = _PLACE.fullmatch(named)
    if place:
        return _at(opened, int(place.group(1)), int(place.group(2)))
    wanted = _number(named)
    chunks = [each.chunk for each in opened.chunks]
    spans = list(_numbered_blocks(opened, wanted))
    if len(spans) > 1:
        places = ", ".join(f"{start}-{end}" for start, end in spans[:10])
        raise ToolError(
            f"{opened.contract.shown} has clause {named!r} {len(spans)} times; name one by its place: {places}."
        )
    if spans:
        return _at(opened, *spans[0])
    numbered = [chunk for chunk in chunks if chunk.number and _number(chunk.number) == wanted]
    if numbered:
        return _whole(opened, numbered)
    text = _plain(named)
    headed = [chunk for chunk in chunks if text and any(text in _plain(heading) for heading in chunk.heading_path)]
    if headed:
        return _whole(opened, [each for each in headed if each.heading_path == headed[0].heading_path])
    numbers = ", ".join(dict.fromkeys(chunk.number for chunk in chunks if chunk.number))
    raise ToolError(
        f"{opened.contract.shown} has no clause {named[:80]!r}. Its clauses are {numbers[:1_500] or 'not numbered'}; "
        "a place such as `1200-1800` works too."
    )


def _at(opened: Opened, start: int, end: int) -> Cited:
    try:
        return make_cited(opened, cite(opened.document, start, min(end, start + _MOST_QUOTED)))
    except ValueError as outside:
        raise ToolError(f"{opened.contract.shown}: {outside}.") from outside


def _whole(opened: Opened, chunks: Sequence[Chunk]) -> Cited:
    """A clause that was cut into several chunks, as far as they follow each other."""
    start, end = chunks[0].start, chunks[0].end
    for before, after in pairwise(chunks):
        if after.index != before.index + 1:
            break
        end = after.end
    return _at(opened, start, end)


def _numbered_blocks(opened: Opened, wanted: str) -> Iterator[tuple[int, int]]:
    """Each paragraph or heading with that number, with what stands below it."""
    blocks = opened.document.blocks
    for place, block in enumerate(blocks):
        if block.number and _number(block.number) == wanted:
            level = block.level if block.level is not None else _DEEPEST
            after = (each.start for each in blocks[place + 1 :] if each.level is not None and each.level <= level)
            yield block.start, max(block.end, next(after, block.end))


def _is_within(text: str, contract: Shelved) -> bool:
    return set(text.split()) <= _words_of(contract) | {"the"}


def _is_telling(name: str, plain: str) -> bool:
    words = set(_plain(name).split())
    return bool(words - _GENERAL) and f" {_plain(name)} " in plain


def _words_of(contract: Shelved) -> set[str]:
    return set(_plain(f"{contract.shown} {contract.title or ''}").split())


def _plain(text: str) -> str:
    return " ".join(_WORD.findall(text.casefold()))


def _number(text: str) -> str:
    return _PREFIX.sub("", text.strip()).strip(" .:").casefold()


def _listed(contracts: Sequence[Shelved]) -> str:
    shown = [f"{each.shown} ({each.public_id})" for each in contracts[:20]]
    rest = f" and {len(contracts) - 20} more" if len(contracts) > 20 else ""
    return ", ".join(shown) + rest
