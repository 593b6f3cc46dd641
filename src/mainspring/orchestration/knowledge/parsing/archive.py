"""Looking into the archive of a DOCX without trusting anything that it says about itself.

Every part is unpacked once, in pieces, and counted as it comes out: the sizes in the
archive's directory are what a bomb lies about.
"""

import io
import re
import zipfile
import zlib

from mainspring.orchestration.knowledge.errors import BrokenDocument, EncryptedDocument, UnsafeXml, ZipBomb

from .detect import unsupported
from .limits import ParseLimits, megabytes

_PIECE = 256 * 1024
_SMALL = 1_000_000  # below this a part may shrink as well as it likes
_ENCRYPTED_FLAG = 0x1
_DECLARATION = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_MAIN_TYPES = (
    (b"wordprocessingml.document.main+xml", None),
    (b"wordprocessingml.template.main+xml", "a Word template (.dotx)"),
    (b"ms-word.document.macroEnabled", "a Word document with macros (.docm)"),
    (b"ms-word.template.macroEnabledTemplate", "a Word template with macros (.dotm)"),
    (b"spreadsheetml.sheet.main+xml", "an Excel workbook (.xlsx)"),
    (b"ms-excel.", "an Excel workbook with macros (.xlsm)"),
    (b"presentationml.", "a PowerPoint presentation (.pptx)"),
    (b"ms-powerpoint.", "a PowerPoint presentation with macros (.pptm)"),
)


def check_archive(content: bytes, *, filename: str, limits: ParseLimits, unpack: bool = True) -> None:
    """Raise unless the archive is a Word document within the limits.

    unpack  False only looks at what the archive says it is, which costs next to nothing
    raises  UnsupportedType (macros, Excel, plain zip, ...), EncryptedDocument, ZipBomb,
            UnsafeXml, BrokenDocument
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check_entries(archive, filename, limits)
            _check_type(archive, filename, limits)
            if unpack:
                _check_parts(archive, filename, limits)
    # zipfile raises NotImplementedError for a compression it does not know and RuntimeError for an encrypted entry.
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError) as error:
        raise broken(filename, "its archive is damaged") from error


def broken(filename: str, why: str) -> BrokenDocument:
    """The error for a damaged Word file."""
    return BrokenDocument(
        f"{filename} is a Word document but cannot be read: {why}. Open it in Word, save it again and send that."
    )


def _check_entries(archive: zipfile.ZipFile, filename: str, limits: ParseLimits) -> None:
    entries = archive.infolist()
    if len(entries) > limits.max_archive_entries:
        raise ZipBomb(
            f"{filename} holds {len(entries):,} files inside; the limit is {limits.max_archive_entries:,}. "
            "Save it again in Word, or send it as PDF."
        )
    if any(entry.flag_bits & _ENCRYPTED_FLAG for entry in entries):
        raise EncryptedDocument(
            f"{filename} is an archive locked with a password; remove the password and send it again."
        )


def _check_type(archive: zipfile.ZipFile, filename: str, limits: ParseLimits) -> None:
    names = set(archive.namelist())
    if "[Content_Types].xml" not in names:
        raise unsupported(filename, _archive_kind(archive, names), advice="send the document itself, as PDF or DOCX")
    types = _unpack(archive, archive.getinfo("[Content_Types].xml"), limits.max_unpacked_bytes, filename, limits)
    for sign, looks in _MAIN_TYPES:
        if sign in types:
            if looks is not None:
                raise unsupported(filename, looks)
            if b"macroEnabled" not in types and "word/vbaProject.bin" not in names:
                return
    if "word/vbaProject.bin" in names:
        raise unsupported(filename, "a Word document with macros (.docm)")
    raise unsupported(filename, "an Office package that is no Word document")


def _archive_kind(archive: zipfile.ZipFile, names: set[str]) -> str:
    if "mimetype" in names and archive.getinfo("mimetype").file_size < 100:
        kind = archive.read("mimetype").decode("ascii", errors="replace").strip()
        if "opendocument" in kind:
            return "an OpenDocument file (.odt, .ods or .odp)"
        if "epub" in kind:
            return "an e-book (EPUB)"
    return "a zip archive"


def _check_parts(archive: zipfile.ZipFile, filename: str, limits: ParseLimits) -> None:
    """Unpack everything once, within the limits, and look for XML that declares entities."""
    left = limits.max_unpacked_bytes
    for entry in archive.infolist():
        part = _unpack(archive, entry, left, filename, limits)
        left -= len(part)
        if entry.filename.lower().endswith((".xml", ".rels")) and _declares_entities(part):
            raise UnsafeXml(
                f"{filename} declares XML entities in {entry.filename[:60]!r}, which no word processor writes; "
                "open it in Word, save it again and send that."
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
    return ZipBomb(f"{filename} unpacks to {limit}, the limit. Save it again in Word, or send it as PDF.")
