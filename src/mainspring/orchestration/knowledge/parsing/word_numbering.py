"""Word's automatic numbers, which are nowhere in the text: worked out from numbering.xml as Word does it.

A list (`w:num`) points to an abstract list, which has nine levels, each with a start, a
format and a text such as "%1.%2". Lists of one abstract list count on together, unless a
list starts a level anew by an override, which takes hold the first time the list is used.
A number resets the levels below it, as far as their `w:lvlRestart` lets it.
"""

from dataclasses import dataclass, field, replace

from .word_formats import format_number
from .word_styles import Numbering, Styles
from .word_xml import W, flag_of, number_of, value_of
from .xml_tree import Element

_LEVELS = 9
_LONGEST_NUMBER = 80


@dataclass(frozen=True, slots=True)
class _Level:
    start: int = 1
    number_format: str = "decimal"
    text: str = ""
    is_legal: bool = False
    restarts_after: int | None = None  # 1-based level; 0 for never; None for any above
    separator: str = " "
    style: str | None = None


@dataclass(slots=True)
class _Abstract:
    levels: dict[int, _Level] = field(default_factory=dict[int, _Level])
    style_link: str | None = None
    counts: list[int | None] = field(default_factory=lambda: [None] * _LEVELS)


@dataclass(slots=True)
class _List:
    abstract: str
    levels: dict[int, _Level] = field(default_factory=dict[int, _Level])
    starts: dict[int, int] = field(default_factory=dict[int, int])
    pending: dict[int, int] = field(default_factory=dict[int, int])  # overrides not used yet


@dataclass(frozen=True, slots=True)
class Label:
    """What Word writes before a paragraph. `text` has the blank after it; `number` is None for bullets."""

    text: str
    number: str | None


class NumberedLists:
    """The lists of one document, counting as its paragraphs go by in reading order."""

    def __init__(self, root: Element | None, styles: Styles) -> None:
        self._styles = styles
        self._abstracts: dict[str, _Abstract] = {}
        self._lists: dict[str, _List] = {}
        if root is None:
            return
        for element in root.iterfind(f"{W}abstractNum"):
            self._abstracts[element.get(f"{W}abstractNumId", "")] = _read_abstract(element)
        for element in root.iterfind(f"{W}num"):
            self._lists[element.get(f"{W}numId", "")] = _read_list(element)

    def next_label(self, properties: Element | None) -> Label | None:
        """Count the paragraph with these `w:pPr` and give its label; None when it is not in a list."""
        numbering = self._styles.numbering(properties)
        entry = self._lists.get(numbering.list_id) if numbering else None
        if numbering is None or entry is None:
            return None
        abstract = self._abstract(entry.abstract)
        if abstract is None:
            return None
        index = self._level_index(numbering, abstract, properties)
        level = self._level(entry, abstract, index)
        if level is None:
            return None
        self._count(entry, abstract, index)
        return self._label(entry, abstract, index, level)

    def _abstract(self, identifier: str) -> _Abstract | None:
        """The abstract list, following a link to a numbering style's own list."""
        for _ in range(_LEVELS):
            abstract = self._abstracts.get(identifier)
            if abstract is None or abstract.style_link is None:
                return abstract
            linked = self._lists.get(self._styles.list_of_style(abstract.style_link) or "")
            if linked is None or linked.abstract == identifier:
                return abstract
            identifier = linked.abstract
        return None

    def _level_index(self, numbering: Numbering, abstract: _Abstract, properties: Element | None) -> int:
        """The level said; else the one that names the paragraph's style; else the first."""
        if numbering.level is not None:
            return min(max(numbering.level, 0), _LEVELS - 1)
        for style in self._styles.style_ids(properties):
            for index, level in abstract.levels.items():
                if level.style == style:
                    return index
        return 0

    def _level(self, entry: _List, abstract: _Abstract, index: int) -> _Level | None:
        level = entry.levels.get(index) or abstract.levels.get(index)
        start = entry.starts.get(index)
        return level if level is None or start is None else replace(level, start=start)

    def _start(self, entry: _List, abstract: _Abstract, index: int) -> int:
        level = self._level(entry, abstract, index)
        return level.start if level else 1

    def _count(self, entry: _List, abstract: _Abstract, index: int) -> None:
        counts = abstract.counts
        for above in range(index):
            if counts[above] is None:
                counts[above] = entry.pending.pop(above, self._start(entry, abstract, above))
        current = counts[index]
        if index in entry.pending:
            counts[index] = entry.pending.pop(index)
        else:
            counts[index] = self._start(entry, abstract, index) if current is None else current + 1
        for below in range(index + 1, _LEVELS):
            level = self._level(entry, abstract, below)
            if level is not None and level.restarts_after is not None and not 0 <= index < level.restarts_after:
                continue
            counts[below] = None

    def _label(self, entry: _List, abstract: _Abstract, index: int, level: _Level) -> Label | None:
        if level.number_format == "bullet":
            return Label("• ", None)
        text = level.text
        for place in range(index, -1, -1):
            if f"%{place + 1}" in text:
                text = text.replace(f"%{place + 1}", self._shown(entry, abstract, place, legal=level.is_legal))
        text = " ".join(text.split())[:_LONGEST_NUMBER]
        if not text:
            return None
        return Label(text + level.separator, text.strip().rstrip(".:") or None)

    def _shown(self, entry: _List, abstract: _Abstract, place: int, *, legal: bool) -> str:
        level = self._level(entry, abstract, place)
        count = abstract.counts[place]
        if level is None or count is None:
            return ""
        return format_number(count, "decimal" if legal else level.number_format)


def _read_abstract(element: Element) -> _Abstract:
    levels = {
        index: _read_level(level) for level in element.iterfind(f"{W}lvl") if (index := _index(level)) is not None
    }
    return _Abstract(levels, value_of(element, f"{W}numStyleLink"))


def _read_list(element: Element) -> _List:
    entry = _List(value_of(element, f"{W}abstractNumId") or "")
    for override in element.iterfind(f"{W}lvlOverride"):
        index = _index(override)
        if index is None:
            continue
        level = override.find(f"{W}lvl")
        if level is not None:
            entry.levels[index] = _read_level(level)
        start = number_of(override, f"{W}startOverride")
        if start is not None:
            entry.starts[index] = entry.pending[index] = start
    return entry


def _index(element: Element) -> int | None:
    text = element.get(f"{W}ilvl", "")
    return int(text) if text.isdigit() and int(text) < _LEVELS else None


def _read_level(element: Element) -> _Level:
    start = number_of(element, f"{W}start")
    suffix = value_of(element, f"{W}suff") or "tab"
    return _Level(
        start=1 if start is None else start,
        number_format=_format_name(element),
        text=value_of(element, f"{W}lvlText") or "",
        is_legal=bool(flag_of(element, f"{W}isLgl")),
        restarts_after=number_of(element, f"{W}lvlRestart"),
        separator="" if suffix == "nothing" else " ",
        style=value_of(element, f"{W}pStyle"),
    )


def _format_name(element: Element) -> str:
    """The number format, also where newer Word keeps it beside a fallback."""
    return value_of(element, f"{W}numFmt") or value_of(element, f".//{W}numFmt") or "decimal"
