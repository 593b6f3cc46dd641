"""Paragraph properties as Word works them out: the paragraph's own, else its style's, else that of the style below.

Namespaces and element names are those of WordprocessingML; only what decides numbering,
headings and visibility is read.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from .word_xml import W, flag_of, number_of, value_of
from .xml_tree import Element

_LONGEST_CHAIN = 20  # styles based on styles; a longer chain is a ring
_BODY_LEVEL = 9  # Word's outline level for text that is no heading


@dataclass(frozen=True, slots=True)
class Numbering:
    """A paragraph's place in a list: the list's id, and its level where that is said."""

    list_id: str
    level: int | None


@dataclass(frozen=True, slots=True)
class Style:
    """What a paragraph style says itself; None for what it leaves to the style that it is based on."""

    name: str
    based_on: str | None
    numbering_list: str | None
    numbering_level: int | None
    outline_level: int | None
    hidden: bool | None
    bold: bool | None


class Styles:
    """The paragraph styles of one document."""

    def __init__(self, root: Element | None) -> None:
        self._styles: dict[str, Style] = {}
        self._default: str | None = None
        for element in root.iterfind(f"{W}style") if root is not None else ():
            if element.get(f"{W}type", "paragraph") != "paragraph":
                continue
            identifier = element.get(f"{W}styleId", "")
            self._styles[identifier] = _read_style(element)
            if element.get(f"{W}default") in ("1", "true", "on"):
                self._default = identifier

    def numbering(self, properties: Element | None) -> Numbering | None:
        """The list that a paragraph with these `w:pPr` belongs to; None for none, which list id 0 says too."""
        own = f"{W}numPr/{W}"
        list_id, level = value_of(properties, f"{own}numId"), number_of(properties, f"{own}ilvl")
        for style in self._chain(properties):
            if list_id is not None:
                break
            list_id = style.numbering_list
            level = level if level is not None else style.numbering_level
        return None if list_id in (None, "0") else Numbering(str(list_id), level)

    def style_ids(self, properties: Element | None) -> tuple[str, ...]:
        """Ids of the paragraph's style and the styles below it."""
        return tuple(identifier for identifier, _ in self._links(properties))

    def heading_level(self, properties: Element | None) -> int | None:
        """0 for the outermost headings; None for text."""
        level = number_of(properties, f"{W}outlineLvl")
        for style in self._chain(properties):
            if level is not None:
                break
            level = style.outline_level if style.outline_level is not None else _level_by_name(style.name)
        return level if level is not None and 0 <= level < _BODY_LEVEL else None

    def is_title(self, properties: Element | None) -> bool:
        """Whether the style is Word's Title."""
        return any(style.name.lower() == "title" for style in self._chain(properties))

    def is_hidden(self, properties: Element | None) -> bool:
        """Whether the paragraph's style hides its text."""
        return next((style.hidden for style in self._chain(properties) if style.hidden is not None), False)

    def is_bold(self, properties: Element | None) -> bool:
        """Whether the paragraph's style makes its text bold."""
        return next((style.bold for style in self._chain(properties) if style.bold is not None), False)

    def _chain(self, properties: Element | None) -> Iterator[Style]:
        return (style for _, style in self._links(properties))

    def _links(self, properties: Element | None) -> Iterator[tuple[str, Style]]:
        identifier = value_of(properties, f"{W}pStyle") or self._default
        for _ in range(_LONGEST_CHAIN):
            style = self._styles.get(identifier or "")
            if identifier is None or style is None:
                return
            yield identifier, style
            identifier = style.based_on

    def list_of_style(self, identifier: str) -> str | None:
        """The list id that a numbering style points to."""
        style = self._styles.get(identifier)
        return style.numbering_list if style else None


def _read_style(element: Element) -> Style:
    properties, marks = element.find(f"{W}pPr"), element.find(f"{W}rPr")
    return Style(
        name=value_of(element, f"{W}name") or "",
        based_on=value_of(element, f"{W}basedOn"),
        numbering_list=value_of(properties, f"{W}numPr/{W}numId"),
        numbering_level=number_of(properties, f"{W}numPr/{W}ilvl"),
        outline_level=number_of(properties, f"{W}outlineLvl"),
        hidden=flag_of(marks, f"{W}vanish"),
        bold=flag_of(marks, f"{W}b"),
    )


def _level_by_name(name: str) -> int | None:
    kind, _, digit = name.lower().partition(" ")
    return int(digit) - 1 if kind == "heading" and digit in "123456789" and digit else None
