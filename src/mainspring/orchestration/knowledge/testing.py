"""For tests: documents made in memory (a PDF from lines, a DOCX from WordprocessingML), and a fake embedder."""

import hashlib
import io
import math
import re
import zipfile
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

from mainspring.foundation.ids import TenantId
from mainspring.orchestration.pipelines.types import StepRun

_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_WORD_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml"
_SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_P = (
    'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" '
    f'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:r="{_OFFICE}"'
)
_HIDDEN = ' state="hidden"'
_PITCH = 14


def make_pdf(pages: Sequence[Sequence[str]]) -> bytes:
    """A PDF with these lines on its pages, in Helvetica; an empty line leaves a gap, leading blanks indent."""
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    kids: list[str] = []
    for lines in pages:
        content = _page_content(lines)
        objects.append(f"<< /Length {len(content)} >>\nstream\n{content}\nendstream")
        objects.append(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] "
            f"/Resources << /Font << /F1 3 0 R >> >> /Contents {len(objects)} 0 R >>"
        )
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>"
    return _assemble(objects)


def _page_content(lines: Sequence[str]) -> str:
    shown: list[str] = []
    for row, line in enumerate(lines):
        text = line.lstrip()
        if text:
            escaped = text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
            x, y = 72 + 6 * (len(line) - len(text)), 740 - _PITCH * row
            shown.append(f"BT /F1 10 Tf 1 0 0 1 {x} {y} Tm ({escaped}) Tj ET")
    return "\n".join(shown)


def _assemble(objects: Sequence[str]) -> bytes:
    output = io.BytesIO()
    output.write(b"%PDF-1.4\n")
    places: list[int] = []
    for number, body in enumerate(objects, 1):
        places.append(output.tell())
        output.write(f"{number} 0 obj\n{body}\nendobj\n".encode("cp1252"))
    start = output.tell()
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    output.write(f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}".encode())
    output.write(f"trailer << /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n".encode())
    return output.getvalue()


def make_word(
    body: str, *, numbering: str = "", styles: str = "", footnotes: str = "", parts: Mapping[str, bytes] | None = None
) -> bytes:
    """A DOCX whose body, numbering, styles and footnotes hold this WordprocessingML (prefix `w:`).

    parts  further files of the archive, or replacements of those that are made here
    """
    documents = {
        "numbering": (numbering, "numbering"),
        "styles": (styles, "styles"),
        "footnotes": (footnotes, "footnotes"),
    }
    present = {name: (xml, root) for name, (xml, root) in documents.items() if xml}
    files = {
        "[Content_Types].xml": _content_types(present).encode(),
        "_rels/.rels": _relations([("officeDocument", "word/document.xml")]),
        "word/document.xml": f"<w:document {_W}><w:body>{body}</w:body></w:document>".encode(),
        "word/_rels/document.xml.rels": _relations([(name, f"{name}.xml") for name in present]),
        **{f"word/{name}.xml": f"<w:{root} {_W}>{xml}</w:{root}>".encode() for name, (xml, root) in present.items()},
        **(parts or {}),
    }
    return make_zip(files)


def make_zip(files: Mapping[str, bytes]) -> bytes:
    """A zip archive of these files."""
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return output.getvalue()


def paragraph(text: str, properties: str = "") -> str:
    """A `w:p` with one run; `properties` goes into its `w:pPr`."""
    return f'<w:p><w:pPr>{properties}</w:pPr><w:r><w:t xml:space="preserve">{text}</w:t></w:r></w:p>'


def in_list(list_id: int, level: int = 0) -> str:
    """Paragraph properties that put a paragraph into a list."""
    return f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{list_id}"/></w:numPr>'


def _content_types(present: Mapping[str, object]) -> str:
    overrides = "".join(
        f'<Override PartName="/word/{name}.xml" ContentType="{_WORD_TYPE}.{name}+xml"/>' for name in present
    )
    return (
        f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/word/document.xml" ContentType="{_WORD_TYPE}.document.main+xml"/>{overrides}</Types>'
    )


def make_workbook(
    sheets: Mapping[str, str], *, shared: Sequence[str] = (), styles: str = "", parts: Mapping[str, bytes] | None = None
) -> bytes:
    """An XLSX whose sheets hold this SpreadsheetML inside their `worksheet`; a name that starts with "." is hidden.

    shared  the strings that cells of type `s` point to
    parts   further files of the archive, or replacements of those that are made here
    """
    main = f'xmlns="{_SHEET}"'
    entries = "".join(
        f'<sheet name="{name.lstrip(".")}" sheetId="{number}" r:id="rId{number}"'
        f"{_HIDDEN if name.startswith('.') else ''}/>"
        for number, name in enumerate(sheets, 1)
    )
    relations = [("worksheet", f"worksheets/sheet{number}.xml") for number in range(1, len(sheets) + 1)]
    texts = "".join(f"<si><t>{text}</t></si>" for text in shared)
    return make_zip(
        {
            "[Content_Types].xml": _main_type("/xl/workbook.xml", "spreadsheetml.sheet.main"),
            "_rels/.rels": _relations([("officeDocument", "xl/workbook.xml")]),
            "xl/workbook.xml": f'<workbook {main} xmlns:r="{_OFFICE}"><sheets>{entries}</sheets></workbook>'.encode(),
            "xl/_rels/workbook.xml.rels": _relations(
                [*relations, ("sharedStrings", "sharedStrings.xml"), ("styles", "styles.xml")]
            ),
            "xl/sharedStrings.xml": f"<sst {main}>{texts}</sst>".encode(),
            "xl/styles.xml": f"<styleSheet {main}>{styles}</styleSheet>".encode(),
            **{
                f"xl/worksheets/sheet{number}.xml": f"<worksheet {main}>{xml}</worksheet>".encode()
                for number, xml in enumerate(sheets.values(), 1)
            },
            **(parts or {}),
        }
    )


def make_rows(rows: Sequence[Sequence[str | float]]) -> str:
    """The `sheetData` of rows of texts and numbers."""
    shown = "".join(f"<row>{''.join(map(_cell, row))}</row>" for row in rows)
    return f"<sheetData>{shown}</sheetData>"


def _cell(value: str | float) -> str:
    if isinstance(value, str):
        return f'<c t="inlineStr"><is><t>{escape(value)}</t></is></c>' if value else "<c/>"
    return f"<c><v>{value}</v></c>"


def make_slides(
    slides: Sequence[str], *, notes: Mapping[int, str] | None = None, parts: Mapping[str, bytes] | None = None
) -> bytes:
    """A PPTX whose slides hold this PresentationML (prefixes `p:` and `a:`) inside their `p:spTree`.

    notes  text of the notes by the number of the slide, from 1
    """
    words = {
        number: f'<p:sp><p:nvPr><p:ph type="body"/></p:nvPr>{_body(text)}</p:sp>'
        for number, text in (notes or {}).items()
    }
    entries = "".join(f'<p:sldId id="{255 + number}" r:id="rId{number}"/>' for number in range(1, len(slides) + 1))
    return make_zip(
        {
            "[Content_Types].xml": _main_type("/ppt/presentation.xml", "presentationml.presentation.main"),
            "_rels/.rels": _relations([("officeDocument", "ppt/presentation.xml")]),
            "ppt/presentation.xml": f"<p:show {_P}><p:sldIdLst>{entries}</p:sldIdLst></p:show>".encode(),
            "ppt/_rels/presentation.xml.rels": _relations(
                [("slide", f"slides/slide{number}.xml") for number in range(1, len(slides) + 1)]
            ),
            **{f"ppt/slides/slide{number}.xml": _slide("sld", xml) for number, xml in enumerate(slides, 1)},
            **{f"ppt/notesSlides/notes{number}.xml": _slide("notes", xml) for number, xml in words.items()},
            **{
                f"ppt/slides/_rels/slide{number}.xml.rels": _relations(
                    [("notesSlide", f"../notesSlides/notes{number}.xml")]
                )
                for number in words
            },
            **(parts or {}),
        }
    )


def shape(*lines: str, placeholder: str | None = None) -> str:
    """A `p:sp` with these paragraphs; `placeholder` is its type in the layout, None for a free text box."""
    mark = f'<p:ph type="{placeholder}"/>' if placeholder else ""
    return f"<p:sp><p:nvSpPr><p:nvPr>{mark}</p:nvPr></p:nvSpPr>{_body(*lines)}</p:sp>"


def _body(*lines: str) -> str:
    return f"<p:txBody>{''.join(f'<a:p><a:r><a:t>{escape(line)}</a:t></a:r></a:p>' for line in lines)}</p:txBody>"


def _slide(root: str, xml: str) -> bytes:
    return f"<p:{root} {_P}><p:cSld><p:spTree>{xml}</p:spTree></p:cSld></p:{root}>".encode()


def _main_type(part: str, kind: str) -> bytes:
    name = f"application/vnd.openxmlformats-officedocument.{kind}+xml"
    return (
        f'<Types xmlns="{_PACKAGE}/content-types"><Override PartName="{part}" ContentType="{name}"/></Types>'.encode()
    )


def _relations(targets: Sequence[tuple[str, str]]) -> bytes:
    entries = "".join(
        f'<Relationship Id="rId{number}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(targets, 1)
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{entries}</Relationships>'.encode()


class HashEmbedder:
    """A fake `ports.Embedder`: words hashed into 384 numbers. Texts that share words are near, and that is all.

    texts   everything that was embedded, in order, to be counted
    """

    def __init__(self, dimensions: int = 384) -> None:
        self.texts: list[str] = []
        self._dimensions = dimensions

    async def embed(
        self, tenant: TenantId, texts: Sequence[str], *, model: str, run: StepRun | None = None
    ) -> Sequence[Sequence[float]]:
        """A unit vector for each text; another model has other vectors."""
        self.texts.extend(texts)
        return [self._vector(text, model) for text in texts]

    def dimensions(self, model: str) -> int:
        """The same for every model."""
        return self._dimensions

    def _vector(self, text: str, model: str) -> list[float]:
        vector = [0.0] * self._dimensions
        for word in re.findall(r"\w+", text.lower()) or [text]:
            digest = hashlib.sha256(f"{model} {word}".encode()).digest()
            vector[int.from_bytes(digest[:4], "big") % self._dimensions] += 1.0
        length = math.sqrt(sum(number * number for number in vector))
        return [number / length for number in vector]
