"""Opening a DOCX with python-docx, once its archive is known to be harmless."""

import io
import zipfile
import zlib

from docx import Document
from docx.document import Document as WordDocument
from docx.opc.exceptions import OpcError
from lxml.etree import LxmlError

from .archive import broken, check_archive
from .limits import ParseLimits


def open_word(content: bytes, *, filename: str, limits: ParseLimits) -> WordDocument:
    """The document inside the archive; raises what `check_archive` raises."""
    check_archive(content, filename=filename, limits=limits)
    try:
        return Document(io.BytesIO(content))
    except (OpcError, LxmlError, zipfile.BadZipFile, zlib.error, KeyError, ValueError, AttributeError) as error:
        raise broken(filename, "its parts do not fit together") from error
