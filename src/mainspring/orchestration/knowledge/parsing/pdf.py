"""PDF through PDFium: the text layer of each page as lines with their place, then paragraphs.

Only the ends of lines and of words are measured, which keeps it at some three hundred
pages a second. PDFium gives text in the order of the page's content; `pdf_layout` mends it
where that is not the order of reading.
"""

import re
from collections.abc import Iterator

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_raw

from mainspring.orchestration.knowledge.errors import BrokenPdf, EncryptedPdf, ScannedPdf, TooManyPages

from .limits import ParseLimits
from .pdf_furniture import without_furniture
from .pdf_layout import arrange
from .pdf_lines import Line
from .pdf_paragraphs import join_pages
from .pdf_places import read_lines
from .pieces import Source

_LEAST_CHARACTERS = 25  # fewer on all other pages together do not make a text layer
_STAMP_CHARACTERS = 60
_SCANNED_SHARE = 0.5  # of pages without text, from which on a file counts as a scan
_STRANGE = re.compile("[\ufffd\ue000-\uf8ff]+")
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
    return join_pages([arrange(lines) for lines in without_furniture(pages)], _warnings(pages, unread))


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
        yield list(read_lines(page, text_page))
        text_page.close()
        page.close()
    if broken == len(document):
        raise BrokenPdf(f"{filename} opens, but none of its {broken:,} pages can be read; export it again.")


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
    strange = sum(map(len, _STRANGE.findall(text)))
    if strange > _UNREADABLE_SHARE * len(text):
        found.append(f"{strange:,} of {len(text):,} characters have no meaning outside this PDF's own fonts.")
    return tuple(found)
