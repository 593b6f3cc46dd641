"""Messages in plain text: where each starts, who wrote it and when, told by how mail and ticket programs write it.

    From: Ana <ana@example.org>        On 3 June 2024 at 10:22, Ana wrote:
    Sent: 3 June 2024 10:22
    Subject: Invoice 17                [2024-06-03 10:22] Ana: ...        Ana (2024-06-03 10:22): ...

The first two are told from one, the last two from two on: a single dated note looks like one of them.
"""

import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass

from .dates import find_time

_NAMES = {
    "author": ("From", "Von", "De", "Da"),
    "sent_at": ("Sent", "Date", "Gesendet", "Datum", "Envoyé", "Enviado", "Fecha", "Inviato", "Data"),
    "subject": ("Subject", "Betreff", "Objet", "Asunto", "Oggetto"),
    "": ("To", "Cc", "Bcc", "Reply-To", "Importance", "Attachments", "An", "Kopie", "À", "Para", "A"),
}
_MEANINGS = {name.lower(): meaning for meaning, names in _NAMES.items() for name in names}
_FIELD = rf"[ \t]*\*{{0,2}}(?:{'|'.join(map(re.escape, _MEANINGS))})[ ]?:[^\n]*"
_HEADER = re.compile(
    rf"^(?:-{{2,20}}[^\n-]{{3,40}}-{{2,20}}[ \t]*\n)?(?P<fields>{_FIELD}(?:\n{_FIELD}){{1,9}})",
    re.MULTILINE | re.IGNORECASE,
)
_WROTE = re.compile(r"(?:wrote|writes|schrieb):[ \t]*$", re.MULTILINE)
_LONGEST_ATTRIBUTION = 300
_STAMPED = re.compile(
    r"^[ \t]*\[(?P<when>[^\]\n]{8,40})\][ \t]*[-–]?[ \t]*(?P<author>[^\W\d_][^:\n\[\]]{0,60}):(?=\s)", re.MULTILINE
)
_SIGNED = re.compile(r"^[ \t]*(?P<author>[^\W\d_][^:\n()\[\]]{0,60})\((?P<when>[^()\n]{8,40})\):(?=\s)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Opening:
    """Where a message starts, where its header ends, and what the header says."""

    start: int
    end: int
    attributes: Mapping[str, str]


def find_openings(text: str, quotes: Container[int] = ()) -> tuple[Opening, ...]:
    """The messages that start in the text, in order; none when it does not look like a thread.

    quotes   where quotations start that nothing in the text marks
    """
    told = [*_headers(text), *(each for each in _attributions(text) if not _is_quoted(text, each.end, quotes))]
    for pattern in (_STAMPED, _SIGNED):
        dated = [(found, time) for found in pattern.finditer(text) if (time := find_time(found["when"]))]
        if len(dated) > 1:
            told += [_opening(found.span(), found["author"], time.iso) for found, time in dated]
    openings: list[Opening] = []
    for opening in sorted(told, key=lambda each: each.start):
        if not openings or opening.start >= openings[-1].end:
            openings.append(opening)
    return tuple(openings)


def find_attributions(text: str, quotes: Container[int] = ()) -> tuple[Opening, ...]:
    """Lines that say who wrote what is quoted below them."""
    return tuple(each for each in _attributions(text) if _is_quoted(text, each.end, quotes))


def _headers(text: str) -> Iterator[Opening]:
    for found in _HEADER.finditer(text):
        said: dict[str, str] = {}
        for line in found["fields"].split("\n"):
            name, _, value = line.partition(":")
            said.setdefault(_MEANINGS[name.strip(" \t*").lower()], value.strip(" \t*\r"))
        time = find_time(said.get("sent_at", ""))
        if said.get("author") and said.get("sent_at"):
            yield _opening(found.span(), said["author"], time.iso if time else None, said.get("subject"))


def _attributions(text: str) -> Iterator[Opening]:
    """`On ..., ... wrote:`, in one line or two."""
    for found in _WROTE.finditer(text):
        line = text.rfind("\n", 0, found.start()) + 1
        for start in (line, text.rfind("\n", 0, max(0, line - 1)) + 1):
            said = text[start : found.start()].lstrip(" \t")
            if len(said) <= _LONGEST_ATTRIBUTION and said.startswith(("On ", "Am ")) and (time := find_time(said)):
                yield _opening((start, found.end()), said[time.end :], time.iso)
                break


def _is_quoted(text: str, place: int, quotes: Container[int]) -> bool:
    """Whether what comes next, blanks aside, is a quoted line or a quotation."""
    while place < len(text) and text[place].isspace():
        place += 1
    return place in quotes or text[place : place + 1] == ">"


def _opening(span: tuple[int, int], author: str, sent_at: str | None, subject: str | None = None) -> Opening:
    said = {"author": " ".join(author.split()).strip("*, "), "sent_at": sent_at, "subject": subject}
    return Opening(*span, {name: value for name, value in said.items() if value})
