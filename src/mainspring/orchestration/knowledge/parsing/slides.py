"""PPTX: slide by slide, the title first, then what stands on it, its notes last.

Slides are the pages of the document. Left out: hidden slides, and what the layout repeats
on each slide (date, footer, number).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from mainspring.orchestration.knowledge.types import Page

from .characters import clean
from .limits import ParseLimits
from .media_types import MediaType
from .office_package import Package, open_package
from .pieces import Piece, PieceKind, Source, TextBuilder
from .refusals import too_many_characters
from .tables import BAR, add_row
from .xml_tree import Element, local, relation_id

_TITLES = ("title", "ctrTitle")
_REPEATED = ("dt", "ftr", "sldNum", "hdr")
_LISTS = ("body", "obj", "")


def read_slides(content: bytes, *, filename: str, limits: ParseLimits) -> Source:
    """The text of a presentation; raises what `open_package` raises."""
    package = open_package(content, MediaType.PPTX, filename=filename, limits=limits)
    main = package.main_part()
    root = package.xml(main)
    relations = package.relations(main)
    builder, pages, hidden = TextBuilder(), list[Page](), 0
    for number, entry in enumerate(root.iter("{*}sldId") if root is not None else (), 1):
        relation, start = relations.get(relation_id(entry)), builder.length
        slide = package.xml(relation.target) if relation is not None and relation.kind == "slide" else None
        if slide is not None and slide.get("show", "") in ("0", "false"):
            hidden += 1
        elif slide is not None and relation is not None:
            _Slide(package, relation.target, builder, number).read(slide)
        pages.append(Page(number, start, builder.length))
        if builder.length > limits.max_characters:
            raise too_many_characters(filename, builder.length, limits)
    warnings = (f"{hidden:,} hidden slides were left out.",) if hidden else ()
    return Source(builder.text(), tuple(builder.pieces), pages=tuple(pages), warnings=warnings, title=package.title())


@dataclass(slots=True)
class _Slide:
    package: Package
    part: str
    builder: TextBuilder
    number: int
    attributes: dict[str, str] = field(default_factory=dict[str, str])

    def read(self, slide: Element) -> None:
        """Everything on the slide, and the notes below it."""
        self.attributes = {"slide": str(self.number)}
        tree = next(slide.iter("{*}spTree"), None)
        shapes = list(_shapes(tree)) if tree is not None else []
        for shape in sorted(shapes, key=lambda shape: _placeholder(shape) not in _TITLES):
            self._shape(shape)
        relations = self.package.relations(self.part).values()
        for kind in ("diagramData", "notesSlide"):
            for relation in relations:
                root = self.package.xml(relation.target) if relation.kind == kind else None
                if root is not None:
                    self._notes(root) if kind == "notesSlide" else self._diagram(root)

    def _shape(self, shape: Element) -> None:
        if local(shape) == "graphicFrame":
            for table in shape.iter("{*}tbl"):
                self._table(table)
            return
        placeholder = _placeholder(shape)
        body = next((part for part in shape if local(part) == "txBody"), None)
        if body is None or placeholder in _REPEATED:
            return
        if placeholder in _TITLES:
            kind = PieceKind.TITLE if self.number == 1 and placeholder == "ctrTitle" else PieceKind.PROSE
            self._add(" ".join(_lines(body)), Piece(0, 0, kind, heading_level=0))
            return
        for paragraph in _paragraphs(body):
            self._paragraph(paragraph, is_list=placeholder in _LISTS)

    def _paragraph(self, paragraph: Element, *, is_list: bool) -> None:
        text = _text(paragraph)
        marks = {local(mark) for mark in next((part for part in paragraph if local(part) == "pPr"), ())}
        if "buNone" not in marks and (is_list or marks & {"buChar", "buAutoNum", "buBlip"}):
            self._add(text and f"• {text}", Piece(0, 0, PieceKind.BULLET))
        else:
            self._add(text, Piece(0, 0))

    def _table(self, table: Element) -> None:
        rows = [[" ".join(_lines(cell)) for cell in row if local(cell) == "tc"] for row in _named(table, "tr")]
        has_names = any(each.get("firstRow", "") in ("1", "true") for each in _named(table, "tblPr"))
        columns = BAR.join(rows[0]) if has_names and rows else None
        for row in rows:
            add_row(self.builder, row, self.attributes, columns=columns)

    def _notes(self, root: Element) -> None:
        tree = next(root.iter("{*}spTree"), None)
        bodies = [shape for shape in _shapes(tree) if _placeholder(shape) == "body"] if tree is not None else []
        text = " ".join(line for body in bodies for line in _lines(body))
        self._add(text and f"Notes: {text}", Piece(0, 0))

    def _diagram(self, root: Element) -> None:
        for paragraph in root.iter("{*}p"):
            self._add(_text(paragraph), Piece(0, 0, PieceKind.BULLET))

    def _add(self, text: str, like: Piece) -> None:
        self.builder.add(text, Piece(0, 0, like.kind, like.heading_level, settled=True, attributes=self.attributes))


def _shapes(tree: Element) -> Iterator[Element]:
    """Shapes and tables in the order in which they are read, also inside groups; of alternatives the first."""
    for child in tree:
        match local(child):
            case "sp" | "graphicFrame":
                yield child
            case "grpSp" | "Choice":
                yield from _shapes(child)
            case "AlternateContent":
                yield from (shape for choice in child if local(choice) == "Choice" for shape in _shapes(choice))
            case _:
                pass


def _placeholder(shape: Element) -> str | None:
    """What the shape is for in the layout; None for one that was drawn freely."""
    found = next(shape.iter("{*}ph"), None)
    return found.get("type", "") if found is not None else None


def _named(parent: Element, name: str) -> Iterator[Element]:
    return (child for child in parent if local(child) == name)


def _paragraphs(body: Element) -> Iterator[Element]:
    return body.iter("{*}p")


def _lines(body: Element) -> list[str]:
    return [text for text in map(_text, _paragraphs(body)) if text]


def _text(paragraph: Element) -> str:
    parts = ("\n" if local(each) == "br" else each.text or "" for each in paragraph.iter("{*}t", "{*}br"))
    return clean("".join(parts)).replace("\n", " ")
