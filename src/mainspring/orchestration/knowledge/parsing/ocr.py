"""Text recognition for scanned pages: the optional extra `mainspring[ocr]`, through tesseract."""

import importlib
from collections.abc import Callable
from typing import Protocol, cast

from pypdfium2 import PdfDocument

from mainspring.orchestration.knowledge.errors import OcrUnavailable

from .characters import clean

_DOTS_PER_POINT = 4  # 288 dots an inch; tesseract is trained for some 300
_MOST_DOTS = 8_000  # along one side; a page as large as a house is drawn coarser


class _Tesseract(Protocol):
    TesseractNotFoundError: type[Exception]
    TesseractError: type[Exception]
    image_to_string: Callable[[object], str]  # a picture of Pillow, which comes with pytesseract


def recognise_page(document: PdfDocument, index: int) -> list[str]:
    """The lines that tesseract reads on the page; raises OcrUnavailable when it is not installed."""
    tesseract = _tesseract()
    page = document[index]
    try:
        scale = min(_DOTS_PER_POINT, _MOST_DOTS / max(page.get_size()))
        text = tesseract.image_to_string(page.render(scale=scale, grayscale=True).to_pil())  # pyright: ignore[reportArgumentType] - takes fractions
    except tesseract.TesseractError as error:
        raise OcrUnavailable("The program tesseract failed on a page; send a PDF with text.") from error
    except tesseract.TesseractNotFoundError:
        raise OcrUnavailable(
            "The program tesseract is not installed here; have it installed, or send a PDF with text."
        ) from None
    finally:
        page.close()
    return [line for line in map(clean, text.splitlines()) if line]


def _tesseract() -> _Tesseract:
    try:
        return cast(_Tesseract, importlib.import_module("pytesseract"))
    except ImportError:
        raise OcrUnavailable(
            "Text recognition is not installed; run pip install 'mainspring[ocr]' and install the program tesseract, "
            "or send a PDF with text."
        ) from None
