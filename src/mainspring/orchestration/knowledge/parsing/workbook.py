"""XLSX: the visible sheets row by row, with the values that their formulas had when they were saved.

Sheets are read as a stream, so that what a sheet holds is bounded before it is kept. Hidden
sheets stay out; hidden rows and columns, which filters leave behind, are read.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol, cast

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue] - a compiled module without stubs

from .limits import ParseLimits
from .media_types import MediaType
from .office_package import Package, open_package
from .pieces import Piece, Source, TextBuilder
from .refusals import too_many_cells, too_many_characters
from .tables import add_rows, shown_cell
from .workbook_merges import Merge, fill_merges, place_of, read_merge
from .workbook_values import Formats, read_formats
from .xml_tree import Element, local, relation_id, xml_refusal

_EMPTY_CELLS = 10  # as many cells without a value are passed over for each that may hold one


class _Growing(Element, Protocol):
    """An element of a document that is still being read."""

    def getparent(self) -> "list[object]": ...
    def getprevious(self) -> object | None: ...


@dataclass(slots=True)
class _Sheet:
    """Values by row and column, both counted from 1."""

    rows: dict[int, dict[int, str]] = field(default_factory=dict[int, dict[int, str]])
    merges: list[Merge] = field(default_factory=list[Merge])


def read_workbook(content: bytes, *, filename: str, limits: ParseLimits) -> Source:
    """The rows of a workbook; raises what `open_package` raises, FileTooLarge."""
    package = open_package(content, MediaType.XLSX, filename=filename, limits=limits)
    main = package.main_part()
    root = package.xml(main)
    relations = package.relations(main)
    reader = _Reader(package, limits, _formats(package, main, root))
    reader.read_strings(package.related(main, "sharedStrings"))
    builder, hidden = TextBuilder(), list[str]()
    for entry in root.iter("{*}sheet") if root is not None else ():
        relation = relations.get(relation_id(entry))
        if relation is None or relation.kind != "worksheet":
            continue  # a sheet that is a chart, or a dialogue
        name = shown_cell(entry.get("name", "")) or "Sheet"
        if entry.get("state", "") in ("hidden", "veryHidden"):
            hidden.append(name)
        else:
            _add_sheet(builder, name, reader.read_sheet(relation.target))
    warnings = (*_hidden(hidden), *reader.warnings())
    return Source(builder.text(), tuple(builder.pieces), warnings=warnings, title=package.title())


def _formats(package: Package, main: str, root: Element | None) -> Formats:
    settings = next(root.iter("{*}workbookPr"), None) if root is not None else None
    from_1904 = settings is not None and settings.get("date1904", "") in ("1", "true")
    styles = package.related(main, "styles")
    return read_formats(package.xml(styles) if styles is not None else None, from_1904=from_1904)


@dataclass(slots=True)
class _Reader:
    package: Package
    limits: ParseLimits
    formats: Formats
    strings: list[str] = field(default_factory=list[str])
    cells: int = 0
    seen: int = 0
    characters: int = 0
    unsaved: int = 0

    def read_strings(self, part: str | None) -> None:
        """The texts that cells share; phonetic readings are left out."""
        length = 0
        for item in self._stream(part, "{*}si"):
            self.strings.append(shown_cell(_text(item)))
            length += len(self.strings[-1])
            if length > self.limits.max_characters:
                raise too_many_characters(self.package.filename, length, self.limits)

    def read_sheet(self, part: str) -> _Sheet:
        """The values of a sheet, the cells that merged ones cover filled."""
        sheet, number = _Sheet(), 0
        for element in self._stream(part, "{*}row", "{*}mergeCell"):
            if local(element) == "mergeCell":
                merge = read_merge(element.get("ref", ""))
                sheet.merges += [merge] if merge is not None else []
                continue
            written = element.get("r", "")
            number = int(written) if written.isdigit() and len(written) < 8 else number + 1
            values = self._read_row(element)
            if values:
                sheet.rows[number] = values
        fill_merges(sheet.rows, sheet.merges, most=self.limits.max_cells - self.cells)
        return sheet

    def warnings(self) -> tuple[str, ...]:
        """That formulas have no stored value, where some have none."""
        if not self.unsaved:
            return ()
        return (f"{self.unsaved:,} formulas hold no stored value and read as empty; open it in Excel and save it.",)

    def _read_row(self, row: Element) -> dict[int, str]:
        values, column = dict[int, str](), 0
        for cell in row:
            if local(cell) != "c":
                continue
            self.seen += 1
            place = place_of(cell.get("r", ""))
            column = place[1] if place is not None else column + 1
            value = shown_cell(self._value(cell))
            if value:
                values[column] = value
                self._count(value)
        if self.seen > (1 + _EMPTY_CELLS) * self.limits.max_cells:
            raise too_many_cells(self.package.filename, self.limits)
        return values

    def _count(self, value: str) -> None:
        self.cells += 1
        self.characters += len(value)
        if self.cells > self.limits.max_cells:
            raise too_many_cells(self.package.filename, self.limits)
        if self.characters > self.limits.max_characters:
            raise too_many_characters(self.package.filename, self.characters, self.limits)

    def _value(self, cell: Element) -> str:
        parts = {local(part): part for part in cell}
        if "is" in parts:
            return _text(parts["is"])
        written = (parts["v"].text or "").strip() if "v" in parts else ""
        if not written:
            self.unsaved += "f" in parts
            return ""
        match cell.get("t", "n"):
            case "s":
                return self.strings[int(written)] if written.isdigit() and int(written) < len(self.strings) else ""
            case "b":
                return "TRUE" if written == "1" else "FALSE"
            case "n":
                return self.formats.show(written, cell.get("s", ""))
            case _:
                return written

    def _stream(self, part: str | None, *tags: str) -> Iterator[Element]:
        """The elements with these tags, each dropped after it was looked at."""
        content = self.package.find(part) if part is not None else None
        if content is None:
            return
        events = etree.iterparse(
            io.BytesIO(content), events=("end",), tag=tags, resolve_entities=False, no_network=True, huge_tree=False
        )
        try:
            for _, element in events:
                yield cast(Element, element)
                _drop(cast(_Growing, element))
        except etree.XMLSyntaxError as error:
            raise xml_refusal(error, self.package.filename, self.package.media_type.looks) from error


def _drop(element: _Growing) -> None:
    element.clear()
    while element.getprevious() is not None:
        del element.getparent()[0]


def _text(item: Element) -> str:
    """The runs of a rich text, without the readings that stand above Japanese words."""
    return "".join(
        each.text or "" for each in item.iter("{*}t") if all(local(above) != "rPh" for above in each.iterancestors())
    )


def _hidden(names: list[str]) -> tuple[str, ...]:
    if not names:
        return ()
    shown = ", ".join(names[:10]) + (" and others" if len(names) > 10 else "")
    return (f"Hidden sheets were left out: {shown}.",)


def _add_sheet(builder: TextBuilder, name: str, sheet: _Sheet) -> None:
    """The sheet under its name; empty rows part its tables."""
    if not sheet.rows:
        return
    attributes = {"sheet": name}
    builder.add(name, Piece(0, 0, heading_level=0, attributes=attributes))
    used = sorted({column for row in sheet.rows.values() for column in row})
    columns: str | None = None
    for table in _tables(sheet.rows):
        columns = add_rows(
            builder, [[row.get(column, "") for column in used] for row in table], attributes, columns=columns
        )


def _tables(rows: dict[int, dict[int, str]]) -> Iterator[list[dict[int, str]]]:
    table, last = list[dict[int, str]](), 0
    for number in sorted(rows):
        if table and number > last + 1:
            yield table
            table = []
        table.append(rows[number])
        last = number
    yield table
