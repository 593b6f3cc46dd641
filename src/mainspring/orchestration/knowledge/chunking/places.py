"""Where a chunk stands: its clause number, the headings above it, its page.

The open headings are kept as a stack while blocks go by: unnumbered ones by their level,
numbered ones by the outline. A list item is numbered with the clause that holds it, as one
would cite it: 4.2(b).
"""

from bisect import bisect_right
from dataclasses import dataclass, field

from mainspring.orchestration.knowledge.parsing import run_in_heading, without_number
from mainspring.orchestration.knowledge.types import Block, BlockKind, ParsedDocument

_HEADING_LENGTH = 120


@dataclass(frozen=True, slots=True)
class Place:
    """What a reader is told about where a chunk stands."""

    number: str | None
    heading_path: tuple[str, ...]
    page: int | None


@dataclass(frozen=True, slots=True)
class _Open:
    level: int
    heading: str | None
    number: str | None
    cited: str | None


@dataclass(slots=True)
class _Trail:
    """The headings and numbers that are open at a place of the document."""

    title: str | None
    plain: list[_Open] = field(default_factory=list[_Open])
    numbered: list[_Open] = field(default_factory=list[_Open])
    bare: bool = False  # the last block was a number alone, whose heading may follow in a line of its own

    def enter(self, text: str, block: Block) -> None:
        """Go on past `block`."""
        shown = " ".join(text[block.start : block.end].split())
        if block.kind is BlockKind.FURNITURE:
            return
        if block.number is not None:
            self._enter_number(text, block, shown)
        elif block.kind is BlockKind.HEADING:
            self._enter_heading(block, shown[:_HEADING_LENGTH])
            self.bare = False
        else:
            self.bare = False

    def path(self) -> tuple[str, ...]:
        """The open headings, outermost first."""
        return tuple(entry.heading for entry in [*self.plain, *self.numbered] if entry.heading is not None)

    def number(self) -> str | None:
        """The innermost open number, as cited."""
        return self.numbered[-1].cited if self.numbered else None

    def _enter_number(self, text: str, block: Block, shown: str) -> None:
        level, number = block.level or 0, block.number or ""
        while self.numbered and self.numbered[-1].level >= level:
            self.numbered.pop()
        if level == 0 and _is_annex(number):
            self.plain.clear()
        if block.kind is BlockKind.HEADING:
            heading = shown[:_HEADING_LENGTH]
        else:
            run_in = run_in_heading(without_number(text[block.start : block.end]))
            heading = shown[: shown.find(run_in) + len(run_in)] if run_in and run_in in shown else None
        above = self.numbered[-1].cited if self.numbered else None
        self.numbered.append(_Open(level, heading, number, _cited(number, above)))
        self.bare = len(shown) <= len(number) + 2

    def _enter_heading(self, block: Block, shown: str) -> None:
        if self.bare and self.numbered:
            last = self.numbered.pop()
            self.numbered.append(
                _Open(last.level, f"{last.heading} {shown}"[:_HEADING_LENGTH], last.number, last.cited)
            )
            return
        level = block.level or 0
        while self.plain and self.plain[-1].level >= level:
            self.plain.pop()
        self.numbered.clear()
        if shown.casefold() != (self.title or "").casefold():
            self.plain.append(_Open(level, shown, None, None))


def find_places(document: ParsedDocument, spans: list[tuple[int, int]]) -> list[Place]:
    """The place of each span, in order."""
    trail = _Trail(document.title)
    places: list[Place] = []
    text, blocks, index = document.text, document.blocks, 0
    page_starts = [page.start for page in document.pages]
    for start, end in spans:
        leads = False
        while index < len(blocks) and (blocks[index].start <= start or (leads and _is_led(blocks[index], end))):
            trail.enter(text, blocks[index])
            leads = blocks[index].kind is BlockKind.HEADING and blocks[index].start >= start
            index += 1
        page = document.pages[max(0, bisect_right(page_starts, start) - 1)].number if page_starts else None
        places.append(Place(trail.number(), trail.path(), page))
        while index < len(blocks) and blocks[index].start < end:
            trail.enter(text, blocks[index])
            index += 1
    return places


def _is_led(block: Block, end: int) -> bool:
    """Whether a heading at the start of a chunk is there for this block: the clause below, not an item of it."""
    is_clause = block.kind is BlockKind.PARAGRAPH and block.number is not None
    return block.start < end and (is_clause or block.kind is BlockKind.HEADING)


def _cited(number: str, above: str | None) -> str:
    """A list item with the number above it; other numbers are whole already."""
    is_item = number.startswith("(") or number.endswith(")") or (len(number) <= 4 and number.isalpha())
    if not is_item or above is None:
        return number
    return f"{above}{number}" if number.startswith("(") else f"{above} {number}"


def _is_annex(number: str) -> bool:
    return number[:1].isalpha() and " " in number and not number.lower().startswith(("section", "article", "clause"))
