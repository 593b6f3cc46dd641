"""Which kind of text a text is: a web page, an email, a table, Markdown, or plain.

Markup and headers are told by how the text begins, whatever the name says; what the text
leaves open (a page without its head, a table of two columns) is told by the name.
"""

import re
from collections import Counter

from .media_types import MediaType

_HTML = re.compile(
    r"\s*(?:<\?xml[^>]{0,500}>\s*)?(?:<!--(?:[^-]|-(?!->)){0,20000}-->\s*)*<(?:!doctype\s+html|html|head|body|script)\b",
    re.IGNORECASE,
)
_XML = re.compile(r"\s*<\?xml\b")
_HEADER = re.compile(r"([A-Za-z][A-Za-z0-9\-]{0,60}):(?:[ \t]|\r?$)")
_TRANSPORT = frozenset(["message-id", "mime-version", "received", "return-path", "delivered-to", "x-mailer"])
_MARKDOWN = re.compile(r"(?m)^#{1,6}[ \t]+\S|^\S.*\n(?:={3,}|-{3,})[ \t]*$|^```|\*\*\S[^*\n]*\*\*|\]\((?:https?:|#)")
_SEPARATORS = (("\t", MediaType.TSV), (",", MediaType.CSV), (";", MediaType.CSV))
_LEAST_ROWS = 4
_LEAST_COLUMNS = 3
_LONGEST_CELL = 60  # characters, on the average of what is taken for a table without being called one


def find_text_type(sample: str, *, filename: str) -> MediaType | None:
    """The type of a text by its beginning and its name; None for XML that is no web page."""
    promised = promised_type(filename)
    if _HTML.match(sample):
        return MediaType.HTML
    if _XML.match(sample):
        return None
    if _is_mail(sample, promised):
        return MediaType.EML
    if promised in _BY_NAME:
        return promised
    if len(_MARKDOWN.findall(sample)) >= 3:
        return MediaType.MARKDOWN
    return _table_type(sample) or MediaType.TEXT


_BY_NAME = (MediaType.MARKDOWN, MediaType.TEXT, MediaType.CSV, MediaType.TSV, MediaType.HTML)


def promised_type(filename: str) -> MediaType | None:
    """The type that the end of the name promises, None where it promises none of ours."""
    name = filename.lower()
    return next((media_type for media_type in MediaType if name.endswith(media_type.endings)), None)


def _is_mail(sample: str, promised: MediaType | None) -> bool:
    """Headers to begin with, a sender among them, and a mark of mail programs unless the name says mail."""
    names = _header_names(sample)
    if promised is MediaType.EML:
        return bool(names)
    return "from" in names and len(names) >= 3 and not _TRANSPORT.isdisjoint(names)


def _header_names(sample: str) -> set[str]:
    names = set[str]()
    for number, line in enumerate(sample.splitlines()):
        if number == 0 and line.startswith("From "):
            continue  # how a mailbox marks the start of a message
        if not line.strip():
            break
        if line[0] in " \t":
            continue
        found = _HEADER.match(line)
        if found is None:
            return set()
        names.add(found[1].lower())
    return names


def _table_type(sample: str) -> MediaType | None:
    lines = [line for line in sample.splitlines()[:50] if line.strip()]
    if len(lines) < _LEAST_ROWS:
        return None
    for separator, media_type in _SEPARATORS:
        counts = Counter(_bare(line).count(separator) for line in lines[: len(lines) - (len(lines) > _LEAST_ROWS)])
        count, times = counts.most_common(1)[0]
        is_even = times == counts.total() and count + 1 >= _LEAST_COLUMNS
        if is_even and sum(map(len, lines)) <= _LONGEST_CELL * len(lines) * (count + 1):
            return media_type
    return None


def _bare(line: str) -> str:
    """The line without what stands in quotation marks, in which a separator separates nothing."""
    return re.sub(r'"[^"]*"', "", line)
