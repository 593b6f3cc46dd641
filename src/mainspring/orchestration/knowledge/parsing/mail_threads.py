"""One mail's text as the thread that it carries: its own words, and the earlier messages below or between them.

Programs repeat an earlier message in three ways: lines set off with ">" below a line such
as "On ... wrote:"; everything below a rule such as "-----Original Message-----"; and, in
Outlook, a block of From, Sent, To, Subject. An earlier message that ends the mail becomes
a message of the thread. One that is answered line by line, or names no author, stays a
quotation, so that the answers between its lines are not taken for its author's.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from .mail_dates import read_loose_date

_DEEPEST = 20  # messages within messages; deeper ones are quotations
_MARK = re.compile(r"\s{0,3}>[ ]?")
_MARKS = re.compile(r"(?:\s{0,3}>)+[ ]?")
_WROTE = re.compile(
    r"(?P<head>\S.{1,380}?)\s+(?:wrote|writes|schrieb|a\s+écrit|escribió|ha\s+scritto|scrive|escreveu|schreef)"
    r"(?:\s+(?P<tail>\S.{0,120}?))?\s*:\s*\Z",
    re.IGNORECASE,
)
_RULE = re.compile(
    r"\s*(?:[-_*]{2,}\s*(?:original(?:\s+message|nachricht)?|ursprüngliche\s+nachricht|forwarded\s+message|"
    r"weitergeleitete\s+nachricht|message\s+(?:d'origine|transféré)|mensaje\s+(?:original|reenviado)|"
    r"messaggio\s+(?:originale|inoltrato)|mensagem\s+original|oorspronkelijk\s+bericht|doorgestuurd\s+bericht)"
    r"\s*[-_*]{2,}|begin\s+forwarded\s+message:|_{20,})\s*\Z",
    re.IGNORECASE,
)
_FIELD = re.compile(r"\*?(?P<name>[^\W\d_][\w \-]{0,14}?)\s?\*?:\*?[ \t]*(?P<value>.*)\Z")
_FIELDS = {
    **dict.fromkeys(("from", "von", "de", "da", "van"), "author"),
    **dict.fromkeys(
        (
            "sent",
            "date",
            "gesendet",
            "datum",
            "envoyé",
            "enviado",
            "enviado el",
            "fecha",
            "data",
            "inviato",
            "verzonden",
        ),
        "sent_at",
    ),
    **dict.fromkeys(("to", "an", "à", "para", "a", "aan"), "to"),
    **dict.fromkeys(("subject", "betreff", "objet", "asunto", "oggetto", "assunto", "onderwerp"), "subject"),
    **dict.fromkeys(("cc", "kopie", "bcc", "reply-to", "importance", "attachments"), "other"),
}
_HEADER_LINES = 12
_LEAD = re.compile(r"\s*(?:on|am|le|el|il|em|op)\s+(?=.*\d)", re.IGNORECASE)
_TIME = re.compile(
    r"\b\d{1,2}[:h]\d{2}(?::\d{2})?(?:\s*[AP]\.?M\b\.?)?(?:\s*\(?(?:[+\-]\d{4}|UTC|GMT|[A-Z]{2,4}T)\)?)?(?:\s*Uhr)?",
    re.IGNORECASE,
)
_YEAR = re.compile(r"\b(?:19|20)\d{2}\b")


@dataclass(frozen=True, slots=True)
class Header:
    """Where a message of the thread begins: what its header says, and the lines that said so."""

    text: str
    attributes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Words:
    """A paragraph of the message that began last; a quotation when it repeats another."""

    text: str
    is_quote: bool = False
    attributes: Mapping[str, str] = field(default_factory=dict[str, str])


def read_thread(text: str) -> Iterator[Header | Words]:
    """What the text of a mail holds, in its order."""
    yield from _read(text.split("\n"), 0)


def _read(lines: Sequence[str], depth: int) -> Iterator[Header | Words]:
    """The words up to the first earlier message, then that message, which reaches to the end."""
    index, open_lines = 0, list[str]()
    last = max((number for number, line in enumerate(lines) if line.strip()), default=-1)
    while index < len(lines):
        found = _header_at(lines, index) if depth < _DEEPEST else None
        if found is not None:
            header, index = found
            yield from _paragraphs(open_lines)
            yield header
            open_lines = []
            continue
        attributed = _attribution_at(lines, index)
        start = attributed[1] if attributed is not None else index
        end = _quotation_end(lines, start)
        if end == start:
            open_lines.append(lines[index])
            index += 1
            continue
        yield from _paragraphs(open_lines)
        open_lines = []
        nests = end > last and depth < _DEEPEST
        yield from _quotation(lines[start:end], attributed[0] if attributed else None, depth if nests else None)
        index = end
    yield from _paragraphs(open_lines)


def _quotation(lines: Sequence[str], header: Header | None, depth: int | None) -> Iterator[Header | Words]:
    """Lines set off with ">": a message of its own where it is attributed and may nest at this depth."""
    if header is not None and depth is not None:
        yield header
        yield from _read([_MARK.sub("", line, count=1) for line in lines], depth + 1)
        return
    if header is not None:
        yield Words(header.text, is_quote=True, attributes=header.attributes)
    attributes = header.attributes if header is not None else {}
    for words in _paragraphs([_MARKS.sub("", line, count=1) for line in lines]):
        yield Words(words.text, is_quote=True, attributes=attributes)


def _paragraphs(lines: Sequence[str]) -> Iterator[Words]:
    paragraph: list[str] = []
    for line in [*lines, ""]:
        if line.strip():
            paragraph.append(line.strip())
        elif paragraph:
            yield Words("\n".join(paragraph))
            paragraph = []


def _quotation_end(lines: Sequence[str], start: int) -> int:
    """Where the lines set off with ">" that begin at `start` end; blank ones between them count."""
    end = start
    if start >= len(lines) or not _MARK.match(lines[start]):
        return end
    for index in range(start, len(lines)):
        if _MARK.match(lines[index]):
            end = index + 1
        elif lines[index].strip():
            break
    return end


def _attribution_at(lines: Sequence[str], index: int) -> tuple[Header, int] | None:
    """A line such as "On ... wrote:", wrapped up to three times, that a quotation follows; and where that starts."""
    if not lines[index].strip() or _MARK.match(lines[index]):
        return None
    is_opened = bool(_LEAD.match(lines[index])) or read_loose_date(lines[index]) is not None
    for count in range(1, 4 if is_opened else 2):
        text = " ".join(line.strip() for line in lines[index : index + count])
        found = _WROTE.match(text) if len(text) <= 500 and text.endswith(":") else None
        if found is None:
            continue
        after = index + count
        while after < len(lines) and not lines[after].strip():
            after += 1
        if after < len(lines) and _MARK.match(lines[after]):
            return Header(text, _attributed(text)), after
    return None


def _attributed(text: str) -> dict[str, str]:
    """Who and when, in "On 3 May 2024 at 10:00, Anna Smith <anna@example.com> wrote:" and its like."""
    found = _WROTE.match(text)
    if found is None:
        return {}
    tail = found["tail"] or ""
    author = _behind_date(found["head"]) if not tail or _LEAD.match(tail) else tail
    sent_at = read_loose_date(text)
    attributes = {"author": author.strip(" ,;:-")} if any(letter.isalpha() for letter in author) else {}
    return {**attributes, "sent_at": sent_at} if sent_at is not None else attributes


def _behind_date(head: str) -> str:
    """The name that follows the time of day, else the year; all of it where there is neither."""
    if not _LEAD.match(head) and read_loose_date(head) is None:
        return head
    for pattern in (_TIME, _YEAR):
        found = list(pattern.finditer(head))
        if found:
            return head[found[-1].end() :]
    return ""


def _header_at(lines: Sequence[str], index: int) -> tuple[Header, int] | None:
    """A block of From, Sent, To, Subject at `index`, with the rule above it; and the line after it."""
    start = index
    has_rule = bool(_RULE.match(lines[index]))
    if has_rule:
        start += 1
        while start < len(lines) and not lines[start].strip():
            start += 1
    fields, end = _fields(lines, start)
    is_header = "author" in fields and ("sent_at" in fields or has_rule) and ("to" in fields or "subject" in fields)
    if not is_header and not (has_rule and "author" in fields):
        return None
    attributes = {name: fields[name] for name in ("author", "subject") if fields.get(name)}
    sent_at = read_loose_date(fields.get("sent_at", ""))
    if sent_at is not None:
        attributes["sent_at"] = sent_at
    text = "\n".join(line.strip() for line in lines[start:end] if line.strip())
    return Header(text, attributes), end


def _fields(lines: Sequence[str], start: int) -> tuple[dict[str, str], int]:
    """The fields of the block that begins at `start`, and where it ends; a value may run on over a line."""
    fields, end = dict[str, str](), start
    for index in range(start, min(len(lines), start + _HEADER_LINES)):
        found = _FIELD.match(lines[index].strip())
        name = _FIELDS.get(found["name"].strip().lower()) if found else None
        if name is None or found is None:
            if not fields or not lines[index].startswith((" ", "\t")):
                break
        else:
            if not fields and name != "author":
                break
            fields.setdefault(name, found["value"].strip())
        end = index + 1
    return fields, end
