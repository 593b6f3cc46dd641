"""What cannot be read is refused with a code, and a sentence that says what was found and what to do."""

import io
import sys
import zipfile
from types import SimpleNamespace

import pytest
from reportlab.lib.pagesizes import letter
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from mainspring.foundation.errors import MainspringError
from mainspring.orchestration.knowledge import ParseLimits, parse
from mainspring.orchestration.knowledge.testing import make_pdf, make_word, make_zip, paragraph

_WORD_MAIN = b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600
_PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00\x90wS\xde\x00\x00\x00\x0c"
    b"IDATx\x9cc\xf8\xff\xff?\x00\x05\xfe\x02\xfe\r\xefF\xb8\x00\x00\x00\x00IEND\xaeB`\x82"
)


def _package(main_type: bytes, extra: dict[str, bytes] | None = None) -> bytes:
    return make_zip({"[Content_Types].xml": b'<Types ContentType="' + main_type + b'"/>', **(extra or {})})


def _refusal(content: bytes, name: str = "contract.docx", limits: ParseLimits | None = None) -> MainspringError:
    with pytest.raises(MainspringError) as caught:
        parse(content, filename=name, limits=limits or ParseLimits())
    assert name in caught.value.detail
    return caught.value


@pytest.mark.parametrize("content", [b"", b"   \n\t\r\n", b"\x00" * 40])
def test_an_empty_file_is_called_empty(content: bytes):
    assert _refusal(content, "contract.txt").code == "empty_file"


@pytest.mark.parametrize(
    ("content", "looks"),
    [
        (_PNG, "PNG image"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00", "JPEG image"),
        (b"GIF89a\x01\x00\x01\x00", "GIF image"),
        (b"II*\x00\x08\x00\x00\x00", "TIFF image"),
        (b"{\\rtf1\\ansi Hello}", "RTF"),
        (b"<?xml version='1.0'?><root/>", "XML"),
        (_OLE + "WordDocument".encode("utf-16-le"), "old Word document"),
        (_OLE + "Workbook".encode("utf-16-le"), "old Excel workbook"),
        (_OLE + "PowerPoint Document".encode("utf-16-le"), "old PowerPoint presentation"),
        (_OLE + "__substg1.0_".encode("utf-16-le"), "Outlook message"),
        (_OLE, "old Office file"),
        (b"%!PS-Adobe-3.0", "PostScript"),
        (b"\x1f\x8b\x08\x00\x00", "gzip"),
        (b"\x7fELF\x02\x01\x01\x00", "program"),
        (make_zip({"a.txt": b"hello"}), "zip archive"),
        (make_zip({"mimetype": b"application/vnd.oasis.opendocument.text"}), "OpenDocument"),
        (_package(b"application/vnd.ms-word.document.macroEnabled.main+xml"), "macros"),
        (_package(_WORD_MAIN, {"word/vbaProject.bin": b"x"}), "macros"),
        (make_zip({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet"}), "save it as XLSX"),
        (_package(b"application/vnd.ms-excel.sheet.macroEnabled.main+xml"), "Excel workbook with macros"),
        (_package(b"application/vnd.ms-powerpoint.presentation.macroEnabled.main+xml"), "PowerPoint"),
        (_package(b"application/vnd.openxmlformats-officedocument.drawing+xml"), "Office package"),
    ],
)
def test_a_wrong_type_behind_a_right_name_is_told_what_it_looks_like(content: bytes, looks: str):
    refusal = _refusal(content)
    assert refusal.code == "unsupported_type"
    assert refusal.status == 415
    assert looks in refusal.detail


def test_what_a_file_is_decides_and_not_its_name():
    document = parse(make_pdf([["A short agreement between two parties."]]), filename="agreement.docx")
    assert document.media_type == "application/pdf"
    assert "was read as that" in document.warnings[-1]


@pytest.mark.parametrize(
    "content", [bytes(range(256)) * 20, b"Agreement\x00between\x00two parties", b"\xfe\xff\xd8\x00" * 50]
)
def test_binary_junk_and_nul_bytes_are_refused(content: bytes):
    assert _refusal(content, "contract.txt").code == "binary_content"


def test_a_locked_pdf_is_told_from_a_broken_one():
    locked = io.BytesIO()
    canvas = Canvas(locked, encrypt=StandardEncryption("secret", canPrint=0))
    canvas.drawString(72, 700, "Confidential")
    canvas.save()
    assert _refusal(locked.getvalue(), "a.pdf").code == "encrypted_pdf"
    whole = make_pdf([["Some text on a page"]])
    assert _refusal(b"%PDF-1.7\n" + bytes(200), "a.pdf").code == "broken_pdf"
    assert _refusal(whole[:60], "a.pdf").code == "broken_pdf"


def test_a_pdf_without_pages_is_broken():
    assert _refusal(make_pdf([]), "a.pdf").code == "broken_pdf"


def test_a_locked_word_document_is_told_from_an_old_one():
    assert _refusal(_OLE + "EncryptedPackage".encode("utf-16-le")).code == "encrypted_document"


@pytest.mark.parametrize("stamp", ["", "Received 12 May - page stamp"])
def test_a_scan_is_told_that_it_has_no_text_and_what_helps(stamp: str):
    scan = io.BytesIO()
    canvas = Canvas(scan, pagesize=letter)
    for _ in range(3):
        canvas.drawImage(ImageReader(io.BytesIO(_PNG)), 0, 0, 600, 700)
        canvas.drawString(72, 20, stamp)
        canvas.showPage()
    canvas.save()
    refusal = _refusal(scan.getvalue(), "scan.pdf")
    assert refusal.code == "scanned_pdf"
    assert "mainspring[ocr]" in refusal.detail


def test_asking_for_text_recognition_that_is_not_installed_says_so():
    with pytest.raises(MainspringError) as caught:
        parse(make_pdf([["", ""]]), filename="scan.pdf", recognise_scans=True)
    assert caught.value.code == "ocr_unavailable"


def test_recognised_pages_become_text(monkeypatch: pytest.MonkeyPatch):
    class NotFound(Exception): ...

    class Failed(Exception): ...

    def read(_: object) -> str:
        return "1. TERM\n\nThis agreement lasts one year.\n"

    tesseract = SimpleNamespace(image_to_string=read, TesseractNotFoundError=NotFound, TesseractError=Failed)
    monkeypatch.setitem(sys.modules, "pytesseract", tesseract)
    document = parse(make_pdf([["", ""]]), filename="scan.pdf", recognise_scans=True)
    assert document.text == "1. TERM\n\nThis agreement lasts one year."


def test_a_file_over_the_limit_names_both_sizes():
    refusal = _refusal(b"a" * 60_000_000, "long.txt")
    assert refusal.code == "too_large"
    assert "60 MB" in refusal.detail
    assert "50 MB" in refusal.detail
    assert "MAINSPRING_MAX_UPLOAD_MEGABYTES" in refusal.detail


def test_two_thousand_pages_name_the_limit_and_the_setting():
    refusal = _refusal(make_pdf([["page"]] * 2000), "long.pdf")
    assert refusal.code == "too_many_pages"
    assert "2,000 pages" in refusal.detail
    assert "1,000" in refusal.detail
    assert "MAINSPRING_MAX_DOCUMENT_PAGES" in refusal.detail


def test_more_text_than_any_document_holds_is_refused():
    refusal = _refusal(b"word " * 30, "a.txt", ParseLimits(max_characters=100))
    assert refusal.code == "too_large"
    assert "150" in refusal.detail


def test_a_bomb_is_stopped_by_what_comes_out_of_it():
    bomb = make_word(paragraph("x"), parts={"word/media/a.bin": b"\x00" * 30_000_000})
    assert len(bomb) < 50_000
    assert _refusal(bomb).code == "zip_bomb"
    assert _refusal(bomb, limits=ParseLimits(max_unpack_ratio=10**6, max_unpacked_bytes=1_000_000)).code == "zip_bomb"


def test_a_bomb_that_lies_about_its_size_is_stopped_too():
    bomb = bytearray(make_word(paragraph("x"), parts={"word/media/a.bin": b"\x00" * 30_000_000}))
    size = (30_000_000).to_bytes(4, "little")
    assert bomb.count(size) == 2
    lying = bytes(bomb).replace(size, (10).to_bytes(4, "little"))
    assert _refusal(lying).code in ("zip_bomb", "broken_document")


def test_too_many_files_inside_are_a_bomb():
    crowd = make_word(paragraph("x"), parts={f"word/media/{number}.bin": b"" for number in range(2_100)})
    assert _refusal(crowd).code == "zip_bomb"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_xml_entities_are_refused(encoding: str):
    laughs = '<?xml version="1.0"?><!DOCTYPE w [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><w>&b;</w>'.encode(encoding)
    assert _refusal(make_word("", parts={"word/document.xml": laughs})).code == "unsafe_xml"
    outside = b'<!DOCTYPE w [<!ENTITY x SYSTEM "file:///etc/passwd">]><w>&x;</w>'
    assert _refusal(make_word("", parts={"word/document.xml": outside})).code == "unsafe_xml"


@pytest.mark.parametrize(
    "content",
    [
        make_word(paragraph("text"))[:-200],
        make_word("", parts={"word/document.xml": b"<w:document"}),
        make_word("", parts={"_rels/.rels": b"<Relationships/>"}),
        make_word("", parts={"_rels/.rels": b"not xml"}),
        make_word("", parts={"[Content_Types].xml": _WORD_MAIN}),
        make_word("", parts={"word/document.xml": b"<a/>"}),
    ],
)
def test_a_damaged_word_document_is_broken(content: bytes):
    assert _refusal(content).code == "broken_document"


def test_a_locked_archive_is_told_so():
    archive = bytearray(make_word(paragraph("text")))
    with zipfile.ZipFile(io.BytesIO(bytes(archive))) as opened:
        entries = opened.infolist()
    for entry in entries:
        archive[entry.header_offset + 6] |= 1
    place = archive.find(b"PK\x01\x02")
    while place >= 0:
        archive[place + 8] |= 1
        place = archive.find(b"PK\x01\x02", place + 4)
    assert _refusal(bytes(archive)).code == "encrypted_document"


def test_a_word_document_without_text_says_so():
    assert _refusal(make_word(paragraph(""))).code == "no_text"


def test_names_cannot_smuggle_anything_into_messages():
    with pytest.raises(MainspringError) as caught:
        parse(b"", filename="../../etc/pass\x1b[31mwd\n.txt")
    assert caught.value.detail.startswith("pass[31mwd.txt is empty")
