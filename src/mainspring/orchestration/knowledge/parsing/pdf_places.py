"""Where characters stand on a page as it is shown.

PDFium measures in the page's own coordinates, which know nothing of how it is turned and
cropped. Three points, put through its own conversion for the screen, give the conversion of all.
"""

import ctypes
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_raw

from .characters import clean
from .pdf_lines import Cell, Line

_DOTS = 100  # per point: the conversion gives whole numbers
_ROW = re.compile(r"[^\r\n\x02\ufffe]+[\x02\ufffe]?")
_HYPHEN_MARK = re.compile(r"[\x02\ufffe]\Z")  # what PDFium writes for a hyphen and the line end after it
_BLANK = re.compile(r"[ \t\xa0]+")
_WIDE = 0.9  # of the height of a line: a blank as wide parts two cells
_STRETCHED = 0.5  # of its height is a character wide, on the average, in a line that may hold wide blanks


def read_lines(page: pdfium.PdfPage, text_page: pdfium.PdfTextPage) -> Iterator[Line]:
    """The lines of a page in the order in which its content was written."""
    text = text_page.get_text_range()
    measured = len(text) == text_page.count_chars()  # else offsets in the text are not those of PDFium
    places = _Places.of(page, text_page) if measured else None
    for found in _ROW.finditer(text):
        raw = found.group()
        shown = clean(_HYPHEN_MARK.sub("-", raw))
        if not shown:
            continue
        if places is None:
            yield Line(shown)
        else:
            first = found.start() + len(raw) - len(raw.lstrip())
            yield places.measure(text, shown, first, found.start() + len(raw.rstrip()) - 1)


@dataclass(frozen=True, slots=True)
class _Places:
    """Shown x is a*x + b*y + c, shown y is d*x + e*y + f, from the lower left corner of what is shown."""

    text_page: pdfium.PdfTextPage
    height: float
    conversion: tuple[float, float, float, float, float, float]
    _box: pdfium_raw.FS_RECTF

    @classmethod
    def of(cls, page: pdfium.PdfPage, text_page: pdfium.PdfTextPage) -> "_Places":
        width, height = page.get_size()
        origin, along, up = (_shown(page, width, height, point) for point in ((0, 0), (1_000, 0), (0, 1_000)))
        a, d = ((along[axis] - origin[axis]) / 1_000 for axis in (0, 1))
        b, e = ((up[axis] - origin[axis]) / 1_000 for axis in (0, 1))
        return cls(text_page, height, (a, b, origin[0], d, e, origin[1]), pdfium_raw.FS_RECTF())

    def measure(self, text: str, shown: str, first: int, last: int) -> Line:
        left, bottom, first_right, top = self._at(first)
        last_left, last_bottom, right, last_top = self._at(last)
        if last_left < left or abs(last_bottom - bottom) > top - bottom:  # text that runs upwards or upside down
            left, right = min(left, last_left), max(first_right, right)
            bottom, top = min(bottom, last_bottom), max(top, last_top)
        weight = pdfium_raw.FPDFText_GetFontWeight(self.text_page, first)
        cells = self._cells(text, first, last, left=left, right=right, size=top - bottom)
        return Line(shown, left, right, bottom, top - bottom, weight >= 600, self.height, cells)

    def _cells(self, text: str, first: int, last: int, *, left: float, right: float, size: float) -> tuple[Cell, ...]:
        cells = list[Cell]()
        start, stretched = first, right - left > _STRETCHED * size * (last + 1 - first)
        for blank in _BLANK.finditer(text, first, last + 1):
            # Blanks that PDFium puts between pieces of content are looked at everywhere, written ones where they may
            # be wide: measuring all of them takes as long again as reading the page.
            if not stretched and not pdfium_raw.FPDFText_IsGenerated(self.text_page, blank.start()):
                continue
            end, after = self._at(blank.start() - 1)[2], self._at(blank.end())[0]
            if after - end > _WIDE * size:
                cells.append(Cell(clean(text[start : blank.start()]), left, end))
                start, left = blank.end(), after
        if not cells:
            return ()
        cells.append(Cell(clean(text[start : last + 1].replace("\x02", "-").replace("\ufffe", "-")), left, right))
        return tuple(cell for cell in cells if cell.text)

    def _at(self, index: int) -> tuple[float, float, float, float]:
        """Left, bottom, right and top of a character as it is shown."""
        box = self._box
        pdfium_raw.FPDFText_GetLooseCharBox(self.text_page, index, ctypes.byref(box))
        a, b, c, d, e, f = self.conversion
        if a == e == 1 and b == d == 0:
            return box.left + c, box.bottom + f, box.right + c, box.top + f
        x, y = a * box.left + b * box.bottom + c, d * box.left + e * box.bottom + f
        other_x, other_y = a * box.right + b * box.top + c, d * box.right + e * box.top + f
        return min(x, other_x), min(y, other_y), max(x, other_x), max(y, other_y)


def _shown(page: pdfium.PdfPage, width: float, height: float, point: tuple[float, float]) -> tuple[float, float]:
    """A point of the page's own coordinates as shown, from the lower left corner."""
    x, y = ctypes.c_int(), ctypes.c_int()
    size = round(width * _DOTS), round(height * _DOTS)
    pdfium_raw.FPDF_PageToDevice(page, 0, 0, *size, 0, *point, ctypes.byref(x), ctypes.byref(y))
    return x.value / _DOTS, height - y.value / _DOTS
