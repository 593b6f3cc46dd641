"""What the contract calls itself: "Distributor Agreement", with the place where it says so."""

import re

from mainspring.showcase.contracts.extraction.reading import flatten
from mainspring.showcase.contracts.quoting import cite
from mainspring.showcase.contracts.types import Analysis, Citation

_KINDS = (
    r"Agreement|AGREEMENT|Contract|CONTRACT|Lease|LEASE|Amendment|AMENDMENT|Addendum|ADDENDUM"
    r"|Memorandum of Understanding"
    r"|Statement of Work|STATEMENT OF WORK|Terms of Service|TERMS OF SERVICE|Deed|DEED|Order Form|ORDER FORM"
)
_WORD = r"(?:[A-Z][\w'&/.-]*|and|of|for|to|the|with|on|in|AND|OF|FOR|[(][A-Z][\w ]*[)]|&|-|,)"
_CALLED = re.compile(rf"\b(?:This|THIS) +(?P<title>(?:{_WORD} +){{1,9}}?(?:{_KINDS}))\b")
_HEADING = re.compile(
    rf"(?:^|\n)[^\S\n]*(?P<title>(?:[A-Z][\w'&/.-]*[ ,]+)(?:{_WORD}[ ]+){{0,8}}?(?:{_KINDS}))[^\S\n]*(?=\n|$)"
)
_SEARCHED = 20_000
_SMALL = {"and", "of", "for", "to", "the", "with", "on", "in", "a", "an", "as", "by"}


def find_title(analysis: Analysis) -> tuple[str, Citation] | None:
    """The title in title case with its citation; None when the contract only says "this Agreement"."""
    head = flatten(analysis.document.text[:_SEARCHED])
    raw = analysis.document.text[:_SEARCHED]
    for found in (_CALLED.search(head), _HEADING.search(raw)):
        if found is None or found.group("title").startswith(("Entire", "ENTIRE", "Foregoing")):
            continue
        words = " ".join(flatten(found.group("title")).split())
        return _title_case(words), cite(analysis.document, found.start("title"), found.end("title"))
    return None


def _title_case(title: str) -> str:
    if not title.isupper():
        return title
    words = [word if any(sign in word for sign in "&.") else word.capitalize() for word in title.split()]
    return " ".join(word.lower() if word.lower() in _SMALL and place else word for place, word in enumerate(words))
