"""PDF through PDFium: the text layer of each page as lines with their place, then paragraphs.

Only the first and last character of a line are measured, which keeps it above a hundred
pages a second. PDFium gives text in the order of the page's content; columns and tables
stay in the order in which their author wrote them.
"""

import ctypes
import re
from collections.abc import Iterator

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_raw

from mainspring.orchestration.knowledge.errors import BrokenPdf, EncryptedPdf, ScannedPdf, TooManyPages

from .characters import clean
from .limits import ParseLimits
from .pdf_furniture import without_furniture
from .pdf_lines import Line
from .pdf_paragraphs import join_pages
from .pieces import Source

_LEAST_CHARACTERS = 25  # fewer on all other pages together do not make a text layer
_STAMP_CHARACTERS = 60
_SCANNED_SHARE = 0.5  # of pages without text, from which on a file counts as a scan
_ROW = re.compile(r"[^\r\n\x02\ufffe]+[\x02\ufffe]?")
_HYPHEN_MARK = re.compile(r"[\x02\ufffe]\Z")  # what PDFium writes for a hyphen and the line end after it
_UNREADABLE_SHARE = 0.05


def read_pdf(content: bytes, *, filename: str, limits: ParseLimits, recognise_scans: bool = False) -> Source:
    """The paragraphs of a PDF, without its running headers, footers and page numbers.

    raises  EncryptedPdf, BrokenPdf, TooManyPages, ScannedPdf, OcrUnavailable
    """
    document = _open(content, filename)
    try:
        count = len(document)
        if count > limits.max_pages:
            raise TooManyPages(
                f"{filename} has {count:,} pages; the limit is {limits.max_pages:,} (MAINSPRING_MAX_DOCUMENT_PAGES). "
                "Split the document, or have the limit raised."
            )
        pages = list(_read_pages(document, filename))
        unread = _unread(document, pages)
        if recognise_scans and unread:
            from .ocr import recognise_page

            for number in unread:
                pages[number - 1] = [Line(text) for text in recognise_page(document, number - 1)]
            unread = [number for number in unread if not pages[number - 1]]
    finally:
        document.close()
    _refuse_scan(pages, unread, filename)
    return join_pages(without_furniture(pages), _warnings(pages, unread))


def _unread(document: pdfium.PdfDocument, pages: list[list[Line]]) -> list[int]:
    """Numbers of pages without text, or with no more than a stamp on a picture."""
    return [
        number
        for number, lines in enumerate(pages, 1)
        if not lines or (_characters(lines) <= _STAMP_CHARACTERS and _has_picture(document, number - 1))
    ]


def _characters(lines: list[Line]) -> int:
    return sum(len(line.text) for line in lines)


def _has_picture(document: pdfium.PdfDocument, index: int) -> bool:
    page = document[index]
    try:
        return any(True for _ in page.get_objects(filter=[pdfium_raw.FPDF_PAGEOBJ_IMAGE], max_depth=3))
    finally:
        page.close()


def _open(content: bytes, filename: str) -> pdfium.PdfDocument:
    try:
        document = pdfium.PdfDocument(content)
        if len(document) == 0:
            raise BrokenPdf(f"{filename} is a PDF without pages; export it again.")
    except pdfium.PdfiumError as error:
        if error.err_code in (pdfium_raw.FPDF_ERR_PASSWORD, pdfium_raw.FPDF_ERR_SECURITY):
            raise EncryptedPdf(
                f"{filename} is locked with a password; remove the password (print it to a new PDF) and send it again."
            ) from None
        raise BrokenPdf(
            f"{filename} starts as a PDF but cannot be opened: it is cut off or damaged ({len(content):,} bytes). "
            "Export or download it again."
        ) from None
    return document


def _read_pages(document: pdfium.PdfDocument, filename: str) -> Iterator[list[Line]]:
    broken = 0
    for index in range(len(document)):
        try:
            page = document[index]
            text_page = page.get_textpage()
        except pdfium.PdfiumError:
            broken += 1
            yield []
            continue
        yield list(_lines(text_page))
        text_page.close()
        page.close()
    if broken == len(document):
        raise BrokenPdf(f"{filename} opens, but none of its {broken:,} pages can be read; export it again.")


def _lines(text_page: pdfium.PdfTextPage) -> Iterator[Line]:
    text = text_page.get_text_range()
    measured = len(text) == text_page.count_chars()  # else offsets in the text are not those of PDFium
    for found in _ROW.finditer(text):
        raw = found.group()
        shown = clean(_HYPHEN_MARK.sub("-", raw))
        if not shown:
            continue
        if measured:
            first = found.start() + len(raw) - len(raw.lstrip())
            yield _measure(text_page, shown, first, found.start() + len(raw.rstrip()) - 1)
        else:
            yield Line(shown)


def _measure(text_page: pdfium.PdfTextPage, shown: str, first: int, last: int) -> Line:
    left, bottom, _, top = _box(text_page, first)
    _, _, right, _ = _box(text_page, last)
    weight = pdfium_raw.FPDFText_GetFontWeight(text_page, first)
    return Line(shown, left, right, bottom, top - bottom, bold=weight >= 600)


def _box(text_page: pdfium.PdfTextPage, index: int) -> tuple[float, float, float, float]:
    box = pdfium_raw.FS_RECTF()
    pdfium_raw.FPDFText_GetLooseCharBox(text_page, index, ctypes.byref(box))
    return box.left, box.bottom, box.right, box.top


def _refuse_scan(pages: list[list[Line]], unread: list[int], filename: str) -> None:
    skipped = set(unread)
    characters = sum(_characters(lines) for number, lines in enumerate(pages, 1) if number not in skipped)
    if characters < (_LEAST_CHARACTERS if unread else 3):
        raise ScannedPdf(
            f"{filename} has {len(pages):,} pages without a text layer, as scans have. Send a PDF with text, or have "
            "text recognition installed (pip install 'mainspring[ocr]', and the program tesseract) and switched on "
            "(MAINSPRING_RECOGNISE_SCANS)."
        )


def _warnings(pages: list[list[Line]], unread: list[int]) -> tuple[str, ...]:
    found: list[str] = []
    if unread:
        shown = ", ".join(str(number) for number in unread[:10]) + (" and others" if len(unread) > 10 else "")
        scan = " Much of it may be a scan." if len(unread) >= _SCANNED_SHARE * len(pages) else ""
        found.append(
            f"{'Pages' if len(unread) > 1 else 'Page'} {shown} hold{'' if len(unread) > 1 else 's'} no text.{scan}"
        )
    text = "".join(line.text for lines in pages for line in lines)
    strange = sum(letter == "\ufffd" or "\ue000" <= letter <= "\uf8ff" for letter in text)
    if strange > _UNREADABLE_SHARE * len(text):
        found.append(f"{strange:,} of {len(text):,} characters have no meaning outside this PDF's own fonts.")
    return tuple(found)
