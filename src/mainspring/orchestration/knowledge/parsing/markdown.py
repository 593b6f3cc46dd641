"""Markdown as a reader sees it: markup taken off, list numbers counted up as they are rendered.

Only what contracts use is understood: headings, ordered and nested lists, bullets, tables,
quotes, emphasis, links, inline HTML. Nested ordered lists read as 1., 1.1., 1.1.1. when the
source says so in its ids, else as written.
"""

import re
from dataclasses import dataclass, field

from .characters import clean
from .markers import read_marker
from .pieces import Piece, PieceKind, Source, TextBuilder

_HEADING = re.compile(r"(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*\Z")
_UNDERLINE = re.compile(r"(?:=+|-{2,})[ \t]*\Z")
_RULE = re.compile(r"(?:[-*_][ \t]*){3,}\Z")
_ORDERED = re.compile(r"(?P<number>\d{1,4})(?P<close>[.)])[ \t]+(?P<text>.*)\Z")
_LETTERED = re.compile(r"(?P<number>[A-Za-z]|[ivx]{2,5})(?P<close>[.)])[ \t]+(?P<text>\S.*)\Z")
_BULLET = re.compile(r"[-*+][ \t]+(?P<text>.*)\Z")
_TABLE_RULE = re.compile(r"\|?[ \t]*:?-{2,}:?[ \t]*(?:\|[ \t]*:?-{2,}:?[ \t]*)*\|?\Z")
_SPAN_ID = re.compile(r"<span\b[^>]*\bid=\"(?P<id>\d{1,3}(?:\.\d{1,3})*)\"[^>]*>", re.IGNORECASE)
_INLINE = (
    (re.compile(r"<!--.{0,5000}?-->", re.DOTALL), ""),
    (re.compile(r"<br\s*/?>", re.IGNORECASE), " "),
    (re.compile(r"</?[A-Za-z][^<>]{0,2000}>"), ""),
    (re.compile(r"!\[([^\[\]]{0,500})\]\([^()\s]{0,2000}\)"), r"\1"),
    (re.compile(r"\[([^\[\]]{1,500})\]\([^()\s]{0,2000}(?:[ \t]+\"[^\"]{0,500}\")?\)"), r"\1"),
    (re.compile(r"(\*\*\*|\*\*|__)(?=\S)(.{1,2000}?)(?<=\S)\1"), r"\2"),
    (re.compile(r"(?<![\w*])\*(?=[^\s*])([^*\n]+?)(?<=[^\s*])\*(?![\w*])"), r"\1"),
    (re.compile(r"(?<![\w_])_(?=[^\s_])([^_\n]+?)(?<=[^\s_])_(?![\w_])"), r"\1"),
    (re.compile(r"`([^`\n]+)`"), r"\1"),
    (re.compile(r"\\([\\`*_{}\[\]()#+\-.!|>~])"), r"\1"),
)
_ENTITIES = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&nbsp;": " "}


def read_markdown(text: str, warnings: tuple[str, ...] = ()) -> Source:
    """The paragraphs of Markdown text, with headings and numbers."""
    reader = _Reader()
    for line in text.split("\n"):
        reader.take(line)
    reader.flush()
    return Source(reader.builder.text(), tuple(reader.builder.pieces), warnings=warnings)


@dataclass(slots=True)
class _Reader:
    builder: TextBuilder = field(default_factory=TextBuilder)
    counters: list[tuple[int, int]] = field(
        default_factory=list[tuple[int, int]]
    )  # (indent, last number) of open lists
    lines: list[str] = field(default_factory=list[str])
    like: Piece = field(default_factory=lambda: Piece(0, 0))
    fenced: bool = False

    def take(self, line: str) -> None:
        """One line of the source."""
        stripped = line.strip()
        if stripped.startswith(("```", "~~~")):
            self.flush()
            self.fenced = not self.fenced
        elif self.fenced:
            self.lines.append(stripped)
        elif not stripped:
            self.flush()
        else:
            self._take_markup(
                line.expandtabs(4), stripped.lstrip("> ").strip() if stripped.startswith(">") else stripped
            )

    def flush(self) -> None:
        """End the paragraph that is open."""
        text = _plain(" ".join(self.lines))
        self.builder.add(text, self.like)
        self.lines, self.like = [], Piece(0, 0)

    def _take_markup(self, line: str, stripped: str) -> None:
        indent = len(line) - len(line.lstrip())
        if heading := _HEADING.match(stripped):
            self._single(heading[2], Piece(0, 0, heading_level=len(heading[1]) - 1))
            self.counters.clear()
        elif self.lines and _UNDERLINE.match(stripped) and self.like == Piece(0, 0):
            self._single(" ".join(self.lines), Piece(0, 0, heading_level=0 if stripped[0] == "=" else 1))
        elif _RULE.match(stripped):
            self.flush()
        elif stripped.startswith("|"):
            self._table_row(stripped)
        elif ordered := _ORDERED.match(stripped):
            self._ordered(ordered, indent)
        elif (lettered := _LETTERED.match(stripped)) and (indent or not self.lines):
            self.flush()
            self.lines = [lettered.group()]
        elif bullet := _BULLET.match(stripped):
            self.flush()
            self._bullet(bullet["text"])
        else:
            self.lines.append(stripped)

    def _single(self, text: str, like: Piece) -> None:
        if like.heading_level is not None and self.lines and text != " ".join(self.lines):
            self.flush()
        self.lines, self.like = [text], like
        self.flush()

    def _table_row(self, row: str) -> None:
        self.flush()
        if _TABLE_RULE.match(row):
            return
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", row.strip("|"))]
        self.lines, self.like = [" | ".join(cell for cell in cells if cell)], Piece(0, 0, PieceKind.TABLE_ROW)
        self.flush()

    def _bullet(self, text: str) -> None:
        if read_marker(text.lstrip("*_ ")) is not None:
            self.lines = [text]
        else:
            self.lines, self.like = ["• " + text], Piece(0, 0, PieceKind.BULLET)

    def _ordered(self, found: re.Match[str], indent: int) -> None:
        self.flush()
        while self.counters and self.counters[-1][0] > indent:
            self.counters.pop()
        written = int(found["number"])
        if self.counters and self.counters[-1][0] == indent:
            last = self.counters.pop()[1]
            written = last + 1 if written <= last else written
        self.counters.append((indent, written))
        named = _SPAN_ID.search(found["text"][:80])
        shown = named["id"] if named else str(written)
        number = shown + ("" if "." in shown else found["close"])
        self.lines, self.like = [f"{number} {found['text']}"], Piece(0, 0, number=shown)


def _plain(text: str) -> str:
    for pattern, replacement in _INLINE:
        text = pattern.sub(replacement, text)
    for entity, letter in _ENTITIES.items():
        text = text.replace(entity, letter)
    return clean(text)
