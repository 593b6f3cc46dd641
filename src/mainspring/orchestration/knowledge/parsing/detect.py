"""Which type the bytes are, whatever the name says.

Signatures decide; archives are told apart by what they hold. A type that is not read
here is refused with a sentence that says what the file looks like and what to send.
"""

from mainspring.foundation.errors import MainspringError
from mainspring.orchestration.knowledge.errors import BinaryContent, EmptyFile, EncryptedDocument

from .archive import office_type
from .limits import ParseLimits
from .media_types import READ, MediaType
from .refusals import shown, unsupported
from .text_types import find_text_type

_HEAD_BYTES = 1024  # where readers look for %PDF-
_SAMPLE_BYTES = 65_536

_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"{\\rtf", "a rich text (RTF) document"),
    (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF87a", "a GIF image"),
    (b"GIF89a", "a GIF image"),
    (b"II*\x00", "a TIFF image"),
    (b"MM\x00*", "a TIFF image"),
    (b"BM", "a bitmap image"),
    (b"RIFF", "an image, sound or video file (RIFF)"),
    (b"\x00\x00\x00", "an image or video file"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (b"\x7fELF", "a program (ELF)"),
    (b"MZ", "a program (Windows executable)"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"%!PS", "a PostScript file"),
    (b"ID3", "an MP3 sound file"),
    (b"OggS", "an Ogg sound file"),
)
_BINARY_ONLY = {b"BM", b"RIFF", b"\x00\x00\x00", b"MZ", b"ID3", b"BZh", b"OggS"}  # also start honest text
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLD_OFFICE = (
    ("WordDocument", "an old Word document (.doc, before 2007)", "save it as DOCX and send that"),
    ("Workbook", "an old Excel workbook (.xls, before 2007)", "save it as XLSX and send that"),
    ("PowerPoint Document", "an old PowerPoint presentation (.ppt, before 2007)", "save it as PPTX and send that"),
    ("__substg1.0", "an Outlook message (.msg)", "save it as EML (drag it into a mail program) and send that"),
    ("Book", "an old Excel workbook (.xls, before 1997)", "save it as XLSX and send that"),
)
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_TEXT_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_CONTROLS = bytes(byte for byte in range(32) if byte not in b"\t\n\r\f\v\x1b") + b"\x7f"


def detect(content: bytes, *, filename: str, limits: ParseLimits) -> MediaType:
    """The type of `content`; `filename` only tells apart what the bytes leave open, such as Markdown and text.

    raises   EmptyFile, UnsupportedType (which says what the bytes look like), EncryptedDocument, BinaryContent;
             ZipBomb, BrokenDocument of an archive
    """
    if not content.strip(b" \t\r\n\x00"):
        raise EmptyFile(f"{shown(filename)} is empty ({len(content)} bytes, none of them text); send the file again.")
    if b"%PDF-" in content[:_HEAD_BYTES]:
        return MediaType.PDF
    if content.startswith(_ZIP):
        return office_type(content, filename=filename, limits=limits)
    if content.startswith(_OLE):
        raise _ole_refusal(content, filename)
    if content.startswith(_TEXT_BOMS):
        return _text_type(content, filename)
    looks = _looks_like(content)
    if looks is not None:
        raise unsupported(filename, looks)
    if _is_binary(content):
        raise BinaryContent(
            f"{shown(filename)} holds binary data of no known document type; {READ}. Check that the file is complete."
        )
    return _text_type(content, filename)


def _looks_like(content: bytes) -> str | None:
    for signature, looks in _SIGNATURES:
        if content.startswith(signature) and (signature not in _BINARY_ONLY or _is_binary(content)):
            return looks
    return None


def _ole_refusal(content: bytes, filename: str) -> MainspringError:
    if _wide("EncryptedPackage") in content:
        return EncryptedDocument(
            f"{shown(filename)} is an Office document locked with a password; "
            "remove the password in its program and send it again."
        )
    for sign, looks, advice in _OLD_OFFICE:
        if _wide(sign) in content:
            return unsupported(filename, looks, advice=advice)
    return unsupported(filename, "an old Office file (before 2007)", advice="save it in today's form or as PDF")


def _wide(name: str) -> bytes:
    """A name as the directory of an old Office file holds it."""
    return name.encode("utf-16-le")


def _is_binary(content: bytes) -> bool:
    sample = content[:_SAMPLE_BYTES]
    if content.startswith(_TEXT_BOMS):
        return False
    controls = len(sample) - len(sample.translate(None, _CONTROLS))
    return controls * 100 > len(sample)


def _text_type(content: bytes, filename: str) -> MediaType:
    found = find_text_type(_sample(content), filename=filename)
    if found is None:
        raise unsupported(filename, "an XML file")
    return found


def _sample(content: bytes) -> str:
    sample = content[:_SAMPLE_BYTES]
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")):
        return sample.decode("utf-16", errors="ignore")
    return sample.decode("utf-8-sig", errors="ignore")
