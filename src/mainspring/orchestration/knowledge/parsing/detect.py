"""Which type the bytes are, whatever the name says.

Signatures decide; archives are told apart by what they hold. A type that is not read
here is refused with a sentence that says what the file looks like and what to send.
"""

import re
from enum import StrEnum

from mainspring.orchestration.knowledge.errors import BinaryContent, EmptyFile, EncryptedDocument, UnsupportedType


class MediaType(StrEnum):
    """The types that are read."""

    PDF = "application/pdf"
    DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    MARKDOWN = "text/markdown"
    TEXT = "text/plain"


_READ = "PDF, DOCX, plain text and Markdown are read"
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
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_HTML = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|script)\b", re.IGNORECASE | re.DOTALL
)
_XML = re.compile(rb"\s*<\?xml\b")
_MARKDOWN = re.compile(r"(?m)^#{1,6}[ \t]+\S|^\S.*\n(?:={3,}|-{3,})[ \t]*$|^```|\*\*\S[^*\n]*\*\*|\]\((?:https?:|#)")
_TEXT_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_CONTROLS = bytes(byte for byte in range(32) if byte not in b"\t\n\r\f\v\x1b") + b"\x7f"


def detect(content: bytes, *, filename: str) -> MediaType:
    """The type of `content`; `filename` only tells Markdown from text when both fit.

    raises   EmptyFile, UnsupportedType (which says what the bytes look like),
             EncryptedDocument, BinaryContent
    """
    if not content.strip(b" \t\r\n\x00"):
        raise EmptyFile(f"{shown(filename)} is empty ({len(content)} bytes, none of them text); send the file again.")
    if b"%PDF-" in content[:_HEAD_BYTES]:
        return MediaType.PDF
    if content.startswith(_ZIP):
        return MediaType.DOCX  # an archive; the package reader tells which
    if content.startswith(_OLE):
        _refuse_ole(content, filename)
    if content.startswith(_TEXT_BOMS):
        return _text_type(content, filename)
    looks = _looks_like(content)
    if looks is not None:
        raise unsupported(filename, looks)
    if _is_binary(content):
        raise BinaryContent(
            f"{shown(filename)} holds binary data of no known document type; {_READ}. Check that the file is complete."
        )
    return _text_type(content, filename)


def unsupported(filename: str, looks: str, *, advice: str = "save it as PDF or DOCX and send that") -> UnsupportedType:
    """The refusal of a known but unread type: what it looks like, what is read, what to do."""
    return UnsupportedType(f"{shown(filename)} looks like {looks}; {_READ}: {advice}.")


def _looks_like(content: bytes) -> str | None:
    for signature, looks in _SIGNATURES:
        if content.startswith(signature) and (signature not in _BINARY_ONLY or _is_binary(content)):
            return looks
    if _HTML.match(content[:4096]):
        return "a web page (HTML)"
    return "an XML file" if _XML.match(content) else None


def _refuse_ole(content: bytes, filename: str) -> None:
    if "EncryptedPackage".encode("utf-16-le") in content:
        raise EncryptedDocument(
            f"{shown(filename)} is an Office document locked with a password; "
            "remove the password in Word and send it again."
        )
    if "WordDocument".encode("utf-16-le") in content:
        raise unsupported(filename, "an old Word document (.doc, before 2007)")
    raise unsupported(filename, "an old Office file (Excel, PowerPoint or Outlook)")


def _is_binary(content: bytes) -> bool:
    sample = content[:_SAMPLE_BYTES]
    if content.startswith(_TEXT_BOMS):
        return False
    controls = len(sample) - len(sample.translate(None, _CONTROLS))
    return controls * 100 > len(sample)


def _text_type(content: bytes, filename: str) -> MediaType:
    if filename.lower().endswith((".md", ".markdown", ".mdown")):
        return MediaType.MARKDOWN
    if filename.lower().endswith(".txt"):
        return MediaType.TEXT
    sample = content[:_SAMPLE_BYTES].decode("utf-8", errors="ignore")
    return MediaType.MARKDOWN if len(_MARKDOWN.findall(sample)) >= 3 else MediaType.TEXT


def shown(filename: str) -> str:
    """The bare, printable file name for messages."""
    name = "".join(letter for letter in filename.replace("\\", "/").rsplit("/", 1)[-1] if letter.isprintable())
    return name[:120] or "The file"
