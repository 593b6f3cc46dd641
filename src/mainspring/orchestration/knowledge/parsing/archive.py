"""Looking into the archive of an Office file without trusting anything that it says about itself.

Every part is unpacked once, in pieces, and counted as it comes out: the sizes in the
archive's directory are what a bomb lies about.
"""

import io
import re
import zipfile
import zlib

from mainspring.foundation.errors import MainspringError
from mainspring.orchestration.knowledge.errors import EncryptedDocument, UnsafeXml, ZipBomb

from .limits import ParseLimits, megabytes
from .media_types import MediaType
from .refusals import broken, unsupported

# zipfile raises NotImplementedError for a compression it does not know and RuntimeError for an encrypted entry.
DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError)
_PIECE = 256 * 1024
_SMALL = 1_000_000  # below this a part may shrink as well as it likes
_ENCRYPTED_FLAG = 0x1
_DECLARATION = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_MACROS = re.compile(r"(?:word|xl|ppt)/vbaProject\.bin\Z", re.IGNORECASE)
_MAIN_TYPES: tuple[tuple[bytes, MediaType | str], ...] = (
    (b"wordprocessingml.document.main+xml", MediaType.DOCX),
    (b"wordprocessingml.template.main+xml", "a Word template (.dotx)"),
    (b"ms-word.document.macroEnabled", "a Word document with macros (.docm)"),
    (b"ms-word.template.macroEnabledTemplate", "a Word template with macros (.dotm)"),
    (b"spreadsheetml.sheet.main+xml", MediaType.XLSX),
    (b"spreadsheetml.template.main+xml", "an Excel template (.xltx)"),
    (b"ms-excel.sheet.binary", "an Excel workbook in binary form (.xlsb)"),
    (b"ms-excel.", "an Excel workbook with macros (.xlsm)"),
    (b"presentationml.presentation.main+xml", MediaType.PPTX),
    (b"presentationml.slideshow.main+xml", MediaType.PPTX),
    (b"presentationml.template.main+xml", "a PowerPoint template (.potx)"),
    (b"ms-powerpoint.", "a PowerPoint presentation with macros (.pptm)"),
)
_ADVICE = {"an OpenDocument spreadsheet (.ods)": "save it as XLSX and send that"}
_OPEN_DOCUMENTS = (
    ("opendocument.text", "an OpenDocument text (.odt)"),
    ("opendocument.spreadsheet", "an OpenDocument spreadsheet (.ods)"),
    ("opendocument.presentation", "an OpenDocument presentation (.odp)"),
    ("opendocument", "an OpenDocument file"),
    ("epub", "an e-book (EPUB)"),
)


def office_type(content: bytes, *, filename: str, limits: ParseLimits) -> MediaType:
    """Which Office file the archive says it is, by its own list of parts; costs next to nothing.

    raises  UnsupportedType (macros, templates, OpenDocument, plain zip, ...), EncryptedDocument, ZipBomb,
            BrokenDocument
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check_entries(archive, filename, limits)
            return _main_type(archive, filename, limits)
    except DAMAGE as error:
        raise _damaged(filename) from error


def check_archive(content: bytes, *, filename: str, limits: ParseLimits) -> None:
    """Unpack everything once, within the limits, and look for XML that declares entities.

    raises  what `office_type` raises; UnsafeXml
    """
    office_type(content, filename=filename, limits=limits)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check_parts(archive, filename, limits)
    except DAMAGE as error:
        raise _damaged(filename) from error


def _damaged(filename: str) -> MainspringError:
    return broken(filename, "an Office document or another archive", "its archive is damaged")


def _check_entries(archive: zipfile.ZipFile, filename: str, limits: ParseLimits) -> None:
    entries = archive.infolist()
    if len(entries) > limits.max_archive_entries:
        raise ZipBomb(
            f"{filename} holds {len(entries):,} files inside; the limit is {limits.max_archive_entries:,}. "
            "Save it again in its program, or send it as PDF."
        )
    if any(entry.flag_bits & _ENCRYPTED_FLAG for entry in entries):
        raise EncryptedDocument(
            f"{filename} is an archive locked with a password; remove the password and send it again."
        )


def _main_type(archive: zipfile.ZipFile, filename: str, limits: ParseLimits) -> MediaType:
    names = set(archive.namelist())
    if "[Content_Types].xml" not in names:
        looks = _archive_kind(archive, names)
        advice = _ADVICE.get(looks, "send the document itself, as PDF or DOCX")
        raise unsupported(filename, looks, advice=advice)
    types = _unpack(archive, archive.getinfo("[Content_Types].xml"), limits.max_unpacked_bytes, filename, limits)
    if b"macroEnabled.main" not in types and any(map(_MACROS.match, names)):
        raise unsupported(filename, "an Office document with macros (.docm, .xlsm or .pptm)", advice=_PLAIN_FORM)
    for sign, found in _MAIN_TYPES:
        if sign in types:
            if isinstance(found, MediaType):
                return found
            raise unsupported(filename, found, advice=_PLAIN_FORM)
    raise unsupported(filename, "an Office package that is no document, workbook or presentation")


_PLAIN_FORM = "save it as DOCX, XLSX, PPTX or PDF and send that"


def _archive_kind(archive: zipfile.ZipFile, names: set[str]) -> str:
    if "mimetype" in names and archive.getinfo("mimetype").file_size < 100:
        kind = archive.read("mimetype")[:100].decode("ascii", errors="replace").strip()
        for sign, looks in _OPEN_DOCUMENTS:
            if sign in kind:
                return looks
    if "EncryptedPackage" in names:
        return "a locked Office document"
    return "a zip archive"


def _check_parts(archive: zipfile.ZipFile, filename: str, limits: ParseLimits) -> None:
    left = limits.max_unpacked_bytes
    for entry in archive.infolist():
        part = _unpack(archive, entry, left, filename, limits)
        left -= len(part)
        if entry.filename.lower().endswith((".xml", ".rels", ".vml")) and _declares_entities(part):
            raise UnsafeXml(
                f"{filename} declares XML entities in {entry.filename[:60]!r}, which no Office program writes; "
                "open it in its program, save it again and send that."
            )


def _declares_entities(part: bytes) -> bool:
    if part[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in part[:4]:
        part = part.replace(b"\x00", b"")  # UTF-16, in which the declaration would hide
    return bool(_DECLARATION.search(part))


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, left: int, filename: str, limits: ParseLimits) -> bytes:
    """The bytes of one part, counted while they come out."""
    packed, pieces, size = max(entry.compress_size, 1), list[bytes](), 0
    with archive.open(entry) as part:
        while piece := part.read(_PIECE):
            size += len(piece)
            if size > left:
                raise _bomb(filename, f"more than {megabytes(limits.max_unpacked_bytes)}")
            if size > _SMALL and size > packed * limits.max_unpack_ratio:
                raise _bomb(filename, f"more than {limits.max_unpack_ratio} times its size")
            pieces.append(piece)
    return b"".join(pieces)


def _bomb(filename: str, limit: str) -> ZipBomb:
    return ZipBomb(f"{filename} unpacks to {limit}, the limit. Save it again in its program, or send it as PDF.")
