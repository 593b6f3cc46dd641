"""What a clause defines, and which other clauses of its document it names.

Numbers are compared by what they mean, so that "Article IV" is found under "ARTICLE 4". A reference counts
only when the document has that clause; "Section 12(b) of the Exchange Act" is another text's.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping

from mainspring.orchestration.knowledge.parsing.markers import roman_value
from mainspring.orchestration.knowledge.types import Chunk, ParsedDocument

from .places import find_places

_ARTICLE = "articles?|artikel[ns]?|artículos?|articolo|artigos?|chapters?|kapitel|parts?"
_ANNEX = "schedules?|exhibits?|annex(?:es)?|annexures?|appendix|appendices|attachments?|anlagen?|anhang|anexos?"
_SECTION = "sections?|secs?\\.|clauses?|paragraphs?|§§?|abschnitte?|ziffern?|cláusulas?|clausol[ae]"
_ITEMS = r"(?:\([a-zA-Z0-9]{1,4}\)){0,5}"
_NUMBER = rf"(?:\d{{1,3}}(?:\.\d{{1,3}}){{0,5}}|[IVXLC]{{1,7}}|[A-Z](?:-?\d{{1,2}})?){_ITEMS}(?![\w-])"
_REFERENCE = re.compile(
    rf"(?<!\w)(?P<word>(?i:{_ARTICLE}|{_ANNEX}|{_SECTION}))[ \t\n]{{0,3}}(?P<first>{_NUMBER})"
    rf"(?P<more>(?:\s?(?:,|and|or|&|to|through|und|et|y|bis)\s(?:(?:and|or)\s)?{_NUMBER}){{0,20}})"
)
_ONE = re.compile(rf"(?<![\w.(]){_NUMBER}")
_ELSEWHERE = re.compile(
    r"\s+(?:of|to|under)\s+(?:the|that|such|said)\s+(?:[A-Z\d][\w'’.&-]*\s+|of\s+){0,8}"
    r"(?:Act|Code|Law|Regulations?|Rules?|Directive|Statute|Treaty|Lease|GDPR|U\.S\.C)\b"
)
_LAST_ITEM = re.compile(r"\([^()]*\)\Z")
_SHOWN = re.compile(rf"(?P<word>{_ARTICLE}|{_ANNEX}|{_SECTION})?\s*(?:no\.\s*)?(?P<id>.*)", re.IGNORECASE | re.DOTALL)


class References:
    """The clause numbers and definitions of one document, to be looked up for each of its chunks."""

    def __init__(self, document: ParsedDocument) -> None:
        numbered = [block for block in document.blocks if block.number and block.start < block.end]
        places = find_places(document, [(block.start, block.end) for block in numbered])
        self._known: dict[str, str] = {}
        for place in places:
            if place.number:
                self._known.setdefault(_meaning(place.number), place.number)
        self._heads = {block.start for block in numbered}
        self._terms = sorted((each.start, each.term) for each in document.definitions)

    def attributes(self, chunk: Chunk) -> Mapping[str, str]:
        """`defines` and `refers_to`, each only when there is something to say."""
        terms = self._terms[bisect_left(self._terms, (chunk.start, "")) : bisect_left(self._terms, (chunk.end, ""))]
        said = {"defines": [term for _, term in terms], "refers_to": list(dict.fromkeys(self._references(chunk)))}
        return {name: "; ".join(values) for name, values in said.items() if values}

    def _references(self, chunk: Chunk) -> Iterator[str]:
        if not self._known:
            return
        for found in _REFERENCE.finditer(chunk.text):
            is_head = chunk.start + found.start() in self._heads
            if is_head or _ELSEWHERE.match(chunk.text, found.end()):
                continue
            for number in _numbers(found):
                known = self._find(found["word"], number)
                if known is not None and known != chunk.number:
                    yield known

    def _find(self, word: str, number: str) -> str | None:
        """The clause of that number, or the one that holds the item; None when there is neither."""
        while True:
            known = self._known.get(_meaning(f"{word} {number}"))
            shorter = _LAST_ITEM.sub("", number)
            if known is not None or shorter == number:
                return known
            number = shorter


def _numbers(found: re.Match[str]) -> Iterator[str]:
    """The numbers that one word stands for: of a singular, those after the first only where nothing else is meant."""
    yield found["first"]
    is_plural = found["word"].lower().endswith(("s", "§§", "es", "ices"))
    for each in _ONE.findall(found["more"]):
        if is_plural or "." in each or "(" in each:
            yield each


def _meaning(number: str) -> str:
    """A clause number without its spelling: "ARTICLE IV" and "Article 4" are one, as "Section 4.2" and "4.2" are."""
    shown = _SHOWN.fullmatch(number.strip())
    assert shown is not None
    word, rest = (shown["word"] or "").lower(), re.sub(r"\s+|\.$", "", shown["id"])
    head, bracket, items = rest.partition("(")
    value = roman_value(head.upper()) if word and not re.fullmatch(_ANNEX, word) else None
    kind = "article " if re.fullmatch(_ARTICLE, word) else "annex " if re.fullmatch(_ANNEX, word) else ""
    return f"{kind}{value or head}{bracket}{items}".casefold()
