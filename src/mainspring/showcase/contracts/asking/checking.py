"""A model's answer, brought down to what the contracts say.

The model cites as `[ctr_...#start-end "words"]`. The words are looked up in the contract; what is not there is dropped,
and so is a sentence that is left without a citation, or that says more than its quotes. Nothing is repaired, all is
counted. What comes out has the invariant of `Cited`: every quote stands in its contract, letter for letter.
"""

import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass

from mainspring.foundation.errors import MainspringError
from mainspring.showcase.contracts.citations import supported, verify
from mainspring.showcase.contracts.extraction.reading import flatten
from mainspring.showcase.contracts.quoting import cite
from mainspring.showcase.contracts.types import Citation

from .types import Cited, Opened, Sentence, make_cited

Open = Callable[[str], Awaitable[Opened]]
"""Opens a contract by its id for whoever asks; raises a MainspringError for what they may not read."""

_MARK = re.compile(r"\[\s*(ctr_[0-9a-z]{26})#(\d{1,9})-(\d{1,9})(?:\s*[:,]?\s*[\"“]([^\"”]{3,2000})[\"”])?\s*\]")
_END = re.compile(r"(?<=[.!?])[\"”')]*\s+(?=[\"“(A-Z0-9])|\n+")
_LEADING = " \t\n.,;:-*•)"
_MOST_QUOTED = 3_000


@dataclass(frozen=True, slots=True)
class Checked:
    """The sentences that hold, and how many sentences and quotes were dropped."""

    sentences: tuple[Sentence, ...]
    dropped: int


@dataclass(frozen=True, slots=True)
class _Claim:
    """What a model wrote: a sentence, and the marks that it ends with."""

    text: str
    marks: tuple[re.Match[str], ...]


async def check_answer(text: str, open_contract: Open, *, computed: Sequence[str] = ()) -> Checked:
    """What of the answer stands in the contracts.

    computed  lines of arithmetic that the tools gave; a sentence may say what they say, if it cites their sources
    """
    opened: dict[str, Opened | None] = {}
    kept: list[Sentence] = []
    dropped = 0
    for claim in _claims(text):
        cited: list[Cited] = []
        for mark in claim.marks:
            found = await _locate(mark, opened, open_contract)
            cited += [found] if found else []
            dropped += found is None
        if cited and _is_supported(claim.text, cited, opened, computed):
            kept.append(Sentence(claim.text, tuple(dict.fromkeys(cited))))
        else:
            dropped += 1
    return Checked(tuple(kept), dropped)


def _claims(text: str) -> Iterator[_Claim]:
    """Sentences in order; marks belong to the sentence that stands before them."""
    at = 0
    marks: list[re.Match[str]] = []
    pending = ""
    for mark in [*_MARK.finditer(text), None]:
        between = text[at : mark.start()] if mark else text[at:]
        at = mark.end() if mark else len(text)
        if between.strip(_LEADING):
            if pending:
                yield _Claim(pending, tuple(marks))
            *before, pending = _split(between)
            marks = []
            for each in before:
                yield _Claim(each, ())
        if mark:
            marks.append(mark)
    if pending:
        yield _Claim(pending, tuple(marks))


def _split(text: str) -> list[str]:
    """Sentences on one line each, at least one."""
    cleaned = [" ".join(each.split()).lstrip(_LEADING) for each in _END.split(text)]
    return [each for each in cleaned if each] or [" ".join(text.split())]


async def _locate(mark: re.Match[str], opened: dict[str, Opened | None], open_contract: Open) -> Cited | None:
    """The place that a mark means, with the contract's own words; None when they are not there."""
    contract, start, end, quote = mark[1], int(mark[2]), int(mark[3]), mark[4]
    if contract not in opened:
        try:
            opened[contract] = await open_contract(contract)
        except MainspringError:
            opened[contract] = None
    found = opened[contract]
    if found is None:
        return None
    span = _find(found.document.text, quote, start, end) if quote else (start, end)
    if span is None or span[1] - span[0] > _MOST_QUOTED:
        return None
    try:
        citation = cite(found.document, *span)
    except ValueError:
        return None
    return make_cited(found, citation) if verify(found.document, citation) else None


def _find(text: str, quote: str, start: int, end: int) -> tuple[int, int] | None:
    """Where the words stand: at the place, else anywhere; but for blanks, quotation marks and dashes."""
    words = [re.escape(word) for word in flatten(quote.strip(" .…")).split()]
    if not words:
        return None
    pattern, flat = re.compile(r"\s+".join(words)), flatten(text)
    found = pattern.search(flat, max(0, start - 5), min(len(flat), end + 5)) or pattern.search(flat)
    return found.span() if found else None


def _is_supported(text: str, cited: Sequence[Cited], opened: dict[str, Opened | None], computed: Sequence[str]) -> bool:
    """Whether the quotes carry the sentence. Names of contracts and of places are known without a quote."""
    known = [each.quote for each in cited]
    for each in cited:
        contract = opened[each.contract]
        title = contract.contract.title if contract else None
        known += [f"{each.where} {each.heading or ''} {title or ''}"]
    return supported(text, [Citation(0, len(words), words) for words in (*known, *computed) if words.strip()])
