"""Opening a DOCX with python-docx, once its archive is known to be harmless."""

import io
import zipfile
import zlib

from docx import Document
from docx.document import Document as WordDocument
from docx.opc.exceptions import OpcError
from lxml.etree import LxmlError

from .archive import check_archive
from .limits import ParseLimits
from .media_types import MediaType
from .refusals import broken
from .xml_tree import xml_refusal


def open_word(content: bytes, *, filename: str, limits: ParseLimits) -> WordDocument:
    """The document inside the archive; raises what `check_archive` raises."""
    check_archive(content, filename=filename, limits=limits)
    try:
        return Document(io.BytesIO(content))
    except LxmlError as error:
        raise xml_refusal(error, filename, MediaType.DOCX.looks) from error
    except (OpcError, zipfile.BadZipFile, zlib.error, KeyError, ValueError, TypeError, AttributeError) as error:
        raise broken(filename, MediaType.DOCX.looks, "its parts do not fit together") from error
