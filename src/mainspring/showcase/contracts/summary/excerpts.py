"""Excerpts that read well: a part of a quote, from its start or from a telling word, cut between words."""

import re

from mainspring.showcase.contracts.extraction.reading import flatten

_NUMBERING = re.compile(
    r"^(?:(?:section|article|clause) +)?"
    r"(?:\d+(?:\.\d+)+[.)]?|\d+[.)]|[(\[](?:\d+|[a-z]|[ivx]{1,4})[)\]]|[a-z][.)]) +(?=\S)",
    re.IGNORECASE,
)
_STOP = re.compile(r"[.;](?=\s)")
_LONGEST = 230


def excerpt(quote: str, longest: int = _LONGEST) -> str:
    """The first sentence or so of a quote, letter for letter but for its blanks, without its number.

    Cut at a word's end with "…" when longer than `longest` characters.
    """
    text = " ".join(flatten(" ".join(quote.split())).split()).replace('"', "'")
    text = _NUMBERING.sub("", text).strip()
    if len(text) <= longest:
        return text
    stops = [stop.end() for stop in _STOP.finditer(text, 60, longest)]
    if stops:
        return text[: stops[0]].rstrip(" ;")
    cut = text.rfind(" ", 0, longest)
    return text[: cut if cut > 0 else longest].rstrip(" ,;:") + "…"


def quoted(quote: str, longest: int = _LONGEST) -> str:
    """The excerpt in quotation marks."""
    return f"“{excerpt(quote, longest)}”"
