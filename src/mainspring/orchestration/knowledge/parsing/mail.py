"""EML: a message, the messages that it forwards, and the earlier ones that it repeats, as one thread.

Read with the standard library's parser in its oldest policy: it takes any bytes, and
leaves headers undecoded until they were bounded. (The newer policies parse the grammar of
each header, which takes quadratic time on hostile ones and has raised errors of its own.)
Of alternatives plain text is taken; attachments are only named.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.errors import HeaderParseError, MessageError
from email.header import decode_header
from email.message import Message
from email.utils import getaddresses
from typing import cast

from .characters import clean
from .charsets import decode
from .limits import ParseLimits
from .mail_dates import read_header_date
from .mail_threads import Header, read_thread
from .media_types import MediaType
from .pieces import Piece, PieceKind, Source, TextBuilder
from .refusals import broken, too_complex, too_many_characters
from .web_blocks import PageReader
from .web_page import read_html

_MAX_HEAD_BYTES = 512 * 1024
_MAX_HEAD_LINES = 5_000
_MAX_HEADER = 4_000  # characters of one header that are read
_MAX_COMMENTS = 50
_DEEPEST = 30  # parts within parts
_MAX_BOUNDARIES = 300
_BOUNDARY = re.compile(rb"boundary\s{0,9}=", re.IGNORECASE)
_ENDS_HEAD = re.compile(rb"\r?\n\r?\n|\r\r")
_SHOWN = (("author", "From"), ("sent_at", "Date"), ("to", "To"), ("cc", "Cc"), ("subject", "Subject"))
_BLANKS = re.compile(r"[ \t\r\n]+")


def read_mail(content: bytes, *, filename: str, limits: ParseLimits) -> Source:
    """The thread of a mail; raises TooComplex, BrokenDocument, FileTooLarge."""
    _check_head(content, filename)
    _check_parts(content, filename)
    try:
        message = cast("Message[str, object]", message_from_bytes(content, policy=policy.compat32))
    except RecursionError as error:
        raise too_complex(filename, f"nests its parts deeper than {_DEEPEST} levels, the limit") from error
    reader = _Reader(filename, limits)
    try:
        reader.read_message(message, 0)
    except (MessageError, LookupError, ValueError, TypeError, AttributeError) as error:
        raise broken(filename, MediaType.EML.looks, "its parts do not fit together") from error
    return Source(
        reader.builder.text(),
        tuple(reader.builder.pieces),
        warnings=reader.warnings(),
        title=_header(message, "Subject") or None,
    )


def _check_head(content: bytes, filename: str) -> None:
    found = _ENDS_HEAD.search(content, 0, _MAX_HEAD_BYTES + 4)
    head = content[: found.start()] if found else content
    if len(head) > _MAX_HEAD_BYTES:
        raise too_complex(filename, f"has a head of more than {_MAX_HEAD_BYTES // 1024:,} KB, the limit")
    if head.count(b"\n") > _MAX_HEAD_LINES:
        raise too_complex(filename, f"has more than {_MAX_HEAD_LINES:,} lines of headers, the limit")


def _check_parts(content: bytes, filename: str) -> None:
    """Bound what may nest before it is parsed: the parser compares each line with every boundary that is open."""
    count = len(_BOUNDARY.findall(content))
    if count > _MAX_BOUNDARIES:
        raise too_complex(filename, f"has parts within parts {count:,} times; the limit is {_MAX_BOUNDARIES}")


@dataclass(slots=True)
class _Reader:
    filename: str
    limits: ParseLimits
    builder: TextBuilder = field(default_factory=TextBuilder)
    attachments: list[str] = field(default_factory=list[str])
    noted: list[str] = field(default_factory=list[str])
    parts: int = 0

    def read_message(self, message: "Message[str, object]", depth: int) -> None:
        """The header of a message, its text, then the messages that it carries."""
        attributes, shown = _describe(message)
        self._add(shown, PieceKind.MESSAGE, attributes)
        self._read_part(message, depth)

    def warnings(self) -> tuple[str, ...]:
        """Attachments, which are named and not read, and what was noted on the way."""
        if not self.attachments:
            return tuple(dict.fromkeys(self.noted))
        shown = ", ".join(self.attachments[:20]) + (" and others" if len(self.attachments) > 20 else "")
        return (f"Attachments are not read here; send them on their own: {shown}.", *dict.fromkeys(self.noted))

    def _read_part(self, part: "Message[str, object]", depth: int) -> None:
        self.parts += 1
        if depth > _DEEPEST:
            raise too_complex(self.filename, f"nests its parts deeper than {_DEEPEST} levels, the limit")
        if self.parts > self.limits.max_archive_entries:
            raise too_complex(self.filename, f"has more than {self.limits.max_archive_entries:,} parts, the limit")
        kind, name = part.get_content_type(), _attachment_name(part)
        if kind == "message/rfc822":
            for carried in _children(part):
                self.read_message(carried, depth + 1)
        elif kind == "multipart/alternative":
            self._read_part(_preferred(part), depth + 1) if _children(part) else None
        elif part.is_multipart():
            for child in _children(part):
                self._read_part(child, depth + 1)
        elif name is not None or kind not in ("text/plain", "text/html"):
            self.attachments.append(name or f"a part of type {kind[:60]}")
        else:
            self._read_text(part, is_html=kind == "text/html")

    def _read_text(self, part: "Message[str, object]", *, is_html: bool) -> None:
        payload = part.get_payload(decode=True)
        text, warnings = decode(payload if isinstance(payload, bytes) else b"", part.get_content_charset())
        self.noted += warnings
        if is_html:
            text = _plain_text(text, self.filename)
        elif part.get_param("format") == "flowed":
            text = _unflowed(text)
        for item in read_thread(text.replace("\r\n", "\n").replace("\r", "\n")):
            if isinstance(item, Header):
                self._add(clean(item.text), PieceKind.MESSAGE, item.attributes)
            else:
                self._add(clean(item.text), PieceKind.QUOTE if item.is_quote else PieceKind.PROSE, item.attributes)

    def _add(self, text: str, kind: PieceKind, attributes: Mapping[str, str]) -> None:
        cleaned = {name: clean(value).replace("\n", " ") for name, value in attributes.items()}
        self.builder.add(text, Piece(0, 0, kind, settled=True, attributes=cleaned))
        if self.builder.length > self.limits.max_characters:
            raise too_many_characters(self.filename, self.builder.length, self.limits)


def _children(part: "Message[str, object]") -> "list[Message[str, object]]":
    payload = part.get_payload()
    return cast("list[Message[str, object]]", payload) if part.is_multipart() else []


def _preferred(part: "Message[str, object]") -> "Message[str, object]":
    """Plain text where it says something, else the last of the alternatives, which is the richest."""
    children = _children(part)
    for child in children:
        if child.get_content_type() == "text/plain" and str(child.get_payload()).strip():
            return child
    return next((child for child in reversed(children) if child.get_content_type() != "text/calendar"), children[-1])


def _attachment_name(part: "Message[str, object]") -> str | None:
    """The name of a part that is a file of its own, None for one that is text of the message."""
    name = part.get_filename()
    if name is None and part.get_content_disposition() != "attachment":
        return None
    return clean(_decoded(name or ""))[:120] or "a file without a name"


def _describe(message: "Message[str, object]") -> tuple[dict[str, str], str]:
    """What the headers say, as attributes and as the lines that a reader sees."""
    fields = {name: _header(message, header) for name, header in _SHOWN}
    fields["author"] = _people(fields["author"])
    fields["to"], fields["cc"] = _people(fields["to"]), _people(fields["cc"])
    sent_at = read_header_date(fields["sent_at"]) if fields["sent_at"] else None
    fields["sent_at"] = sent_at or ""
    shown = "\n".join(f"{header}: {fields[name]}" for name, header in _SHOWN if fields[name])
    attributes = {name: fields[name] for name in ("author", "sent_at", "subject") if fields[name]}
    return attributes, shown or "Message"


def _header(message: "Message[str, object]", name: str) -> str:
    value = message.get(name)
    return _BLANKS.sub(" ", clean(_decoded(_BLANKS.sub(" ", str(value)[:_MAX_HEADER])))) if value is not None else ""


def _decoded(value: str) -> str:
    """A header with its encoded words as text; undecodable ones stay as they are."""
    try:
        pieces = decode_header(value)
    except (HeaderParseError, ValueError):
        return value
    shown = (
        piece if isinstance(piece, str) else decode(piece, charset or "utf-8")[0] for piece, charset in _typed(pieces)
    )
    return "".join(shown)


def _typed(pieces: object) -> "Iterator[tuple[str | bytes, str | None]]":
    yield from cast("list[tuple[str | bytes, str | None]]", pieces)


def _people(value: str) -> str:
    """Names and addresses, at most twenty of them."""
    if value.count("(") > _MAX_COMMENTS:  # which nest, and are read by recursion
        return value
    pairs = [(name, address) for name, address in getaddresses([value])[:21] if name or address]
    shown = [f"{name} <{address}>" if name and address else name or address for name, address in pairs[:20]]
    return (", ".join(shown) + (" and others" if len(pairs) > 20 else "")) or value


def _plain_text(html: str, filename: str) -> str:
    """The text of a page with its quotations set off as in plain mail."""
    root = read_html(html, filename=filename)
    if root is None:
        return ""
    reader = PageReader(quotes=True)
    reader.read(root)
    return reader.builder.text()


def _unflowed(text: str) -> str:
    """Lines that end in a blank run on, as mail programs wrap them; the mark of a signature does not."""
    return re.sub(r"(?m)(?<!^--)(?<!^>--) \r?\n(?=[^\s>])", " ", text)
