"""Files built to exhaust their reader: each ends in a clear refusal, or in a document, long before the limits."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mainspring.foundation.errors import MainspringError
from mainspring.orchestration.knowledge import ParsedDocument, ParseLimits, parse, parse_bounded
from mainspring.orchestration.knowledge.testing import (
    make_pdf,
    make_rows,
    make_slides,
    make_word,
    make_workbook,
    paragraph,
    shape,
)

_HEAD = "From: a@example.com\nSubject: s\nDate: Fri, 03 May 2024 10:15:00 +0200\nMIME-Version: 1.0\n"
_LAUGHS = b'<!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>'
_SLIDES = (
    b'<p:p xmlns:p="urn:p" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><p:sldIdLst>'
    b"%s</p:sldIdLst></p:p>"
)


def _refusal(content: bytes, name: str, limits: ParseLimits | None = None) -> MainspringError:
    with pytest.raises(MainspringError) as caught:
        parse(content, filename=name, limits=limits or ParseLimits())
    assert name in caught.value.detail
    return caught.value


def _cells(count: int, cell: str = "<c><v>1</v></c>") -> str:
    return f"<sheetData><row>{cell * count}</row></sheetData>"


def _multipart(depth: int) -> bytes:
    parts = "".join(f'Content-Type: multipart/mixed; boundary="b{level}"\n\n--b{level}\n' for level in range(depth))
    return f"{_HEAD}{parts}Content-Type: text/plain\n\nhi".encode()


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (make_workbook({"A": ""}, parts={"xl/sharedStrings.xml": _LAUGHS}), "a.xlsx"),
        (make_workbook({"A": ""}, parts={"xl/worksheets/sheet1.xml": _LAUGHS.decode().encode("utf-16")}), "a.xlsx"),
        (make_slides([""], parts={"ppt/slides/slide1.xml": _LAUGHS}), "a.pptx"),
        (make_slides([""], parts={"_rels/.rels": b'<!DOCTYPE a SYSTEM "http://127.0.0.1/a.dtd"><a/>'}), "a.pptx"),
    ],
)
def test_entities_are_refused_in_every_office_file(content: bytes, name: str):
    assert _refusal(content, name).code == "unsafe_xml"


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (make_workbook({"A": f"<sheetData><row><c>{'<a>' * 3000}{'</a>' * 3000}</c></row></sheetData>"}), "a.xlsx"),
        (make_slides(["<p:grpSp>" * 3000 + "</p:grpSp>" * 3000]), "a.pptx"),
        (make_word("<w:sdt><w:sdtContent>" * 3000 + "</w:sdtContent></w:sdt>" * 3000), "a.docx"),
        (b"<html>" + b"<div>" * 100_000 + b"text", "a.html"),
        (_multipart(100), "a.eml"),
        (_multipart(5000), "a.eml"),
        ((_HEAD + "Content-Type: message/rfc822\n\n" * 200 + "hi").encode(), "a.eml"),
        ((_HEAD + "Content-Type: text/html\n\n" + "<div>" * 5000).encode(), "a.eml"),
    ],
)
def test_deep_nesting_is_refused(content: bytes, name: str):
    assert _refusal(content, name).code == "too_complex"


@pytest.mark.parametrize(
    "content",
    [
        b"<html>" + b"<blockquote>" * 240 + b"text",
        b"<html>" + b"<ul><li>" * 110 + b"text",
        b"<html>" + b"<table><tr><td>text<td>" * 60,
    ],
)
def test_nesting_below_the_limit_is_read(content: bytes):
    assert "text" in parse(content, filename="a.html").text


@pytest.mark.parametrize(
    ("content", "name", "limits", "code"),
    [
        (make_workbook({"A": _cells(101)}), "a.xlsx", ParseLimits(max_cells=100), "too_large"),
        (make_workbook({"A": _cells(1_200, "<c/>")}), "a.xlsx", ParseLimits(max_cells=100), "too_large"),
        (b"a,b\n" * 51, "a.csv", ParseLimits(max_cells=100), "too_large"),
        (b"1\n" * 50 + b"," * 50 + b"x", "a.csv", ParseLimits(max_cells=110), "too_large"),
        (
            make_workbook({"A": _cells(200, '<c t="s"><v>0</v></c>')}, shared=["x" * 100_000]),
            "a.xlsx",
            ParseLimits(),
            "too_large",
        ),
        (
            make_slides(
                [shape("x" * 10_000)], parts={"ppt/presentation.xml": _SLIDES % (b'<p:sldId r:id="rId1"/>' * 2000)}
            ),
            "a.pptx",
            ParseLimits(),
            "too_large",
        ),
        (make_workbook({"A": _cells(400_000)}), "a.xlsx", ParseLimits(), "zip_bomb"),
        (b"<html>" + b"<p>word</p>" * 1_000_000, "a.html", ParseLimits(), "too_large"),
        (b"<html>" + b"<p>word</p>" * 101, "a.html", ParseLimits(max_blocks=100), "too_large"),
        ((_HEAD + "\n" + "> a\nb\n" * 60).encode(), "a.eml", ParseLimits(max_blocks=100), "too_large"),
        ((_HEAD + "X: " + "(" * 600_000 + "\n\nhi").encode(), "a.eml", ParseLimits(), "too_complex"),
        ((_HEAD + "X: y\n" * 6_000 + "\nhi").encode(), "a.eml", ParseLimits(), "too_complex"),
        (
            (_HEAD + 'Content-Type: multipart/mixed; boundary="b"\n\n' + "--b\n\nx\n" * 3_000).encode(),
            "a.eml",
            ParseLimits(),
            "too_complex",
        ),
        (b'a,b\n"' + b"x,y\n" * 100_000, "a.csv", ParseLimits(), "broken_document"),
    ],
)
def test_more_than_a_document_holds_is_refused(content: bytes, name: str, limits: ParseLimits, code: str):
    assert _refusal(content, name, limits).code == code


@pytest.mark.parametrize(
    "content",
    [
        _HEAD + "To: " + '(<",' * 20_000 + "\n\nhi",
        _HEAD.replace("Subject: s", "Subject: " + "=?utf-8?q?a?= " * 20_000) + "\nhi",
        _HEAD + "\n" + "".join("> " * level + "On 1 May 2024, A wrote:\n" for level in range(500)),
        _HEAD + "\nx\n" + "\n" * 200_000 + "x",
        _HEAD + "\n" + ("On 1 " + "a " * 180 + "wrote x:\n") * 1_000,
        _HEAD + "\n" + "> a\nb\n" * 20_000,
    ],
)
def test_mail_built_to_be_read_slowly_is_read(content: str):
    """A quadratic reader would take minutes: the test's own time limit is its assertion."""
    assert parse(content.encode(), filename="a.eml").blocks[0].kind == "message"


def test_merged_cells_as_large_as_a_sheet_fill_only_its_rows():
    merges = "".join(f'<mergeCell ref="A{row}:A1048576"/>' for row in range(1, 3_000))
    sheet = f"{make_rows([[row, 1] for row in range(500)])}<mergeCells>{merges}</mergeCells>"
    assert parse(make_workbook({"A": sheet}), filename="a.xlsx").text.count("\n") > 400


def _junk(start: bytes, size: int) -> bytes:
    return start + random.Random(1).randbytes(1_000) * (size // 1_000)


@pytest.mark.parametrize(
    ("start", "name", "code"),
    [
        (b"PK\x03\x04", "a.xlsx", "broken_document"),
        (b"PK\x03\x04", "a.pptx", "broken_document"),
        (b"%PDF-1.7\n", "a.pdf", "broken_pdf"),
        (b"<html>", "a.html", "binary_content"),
        (_HEAD.encode() + b"\n", "a.eml", "binary_content"),
        (b"a,b\n", "a.csv", "binary_content"),
        (b"", "a.txt", "binary_content"),
    ],
)
async def test_megabytes_of_junk_are_refused_in_the_child(start: bytes, name: str, code: str):
    with pytest.raises(MainspringError) as caught:
        await parse_bounded(_junk(start, 49_000_000), filename=name)
    assert caught.value.code == code


async def test_what_outlasts_its_time_is_refused():
    attributes = b" ".join(b"a%d=1" % number for number in range(400_000))
    with pytest.raises(MainspringError) as caught:
        await parse_bounded(
            b"<html><p " + attributes + b">text", filename="a.html", limits=ParseLimits(timeout_seconds=1)
        )
    assert caught.value.code == "parse_timed_out"


_THREAD = (
    f'{_HEAD}Content-Type: multipart/mixed; boundary="b"\n\n--b\nContent-Type: text/plain; charset=utf-8\n\n'
    "Hi\n\nOn 1 May 2024, Bob wrote:\n> Well?\n--b\nContent-Type: text/html\n\n<p>x</p>\n--b--\n"
)
_SOUND = {
    "a.pdf": make_pdf([["1. TERM", "", "One year."]]),
    "a.docx": make_word(paragraph("One year.")),
    "a.xlsx": make_workbook({"A": make_rows([["Item", "Price"], ["Bolt", 2]])}, shared=["x"]),
    "a.pptx": make_slides([shape("Plan", placeholder="title"), shape("One")], notes={1: "Say so"}),
    "a.html": b"<html><h1>A</h1><ul><li>b</ul><table><tr><th>c<th>d<tr><td>1<td>2</table><pre>e</pre></html>",
    "a.eml": _THREAD.encode(),
    "a.csv": b'Item,Price\n"Bolt, long",2\nNut,3\n',
    "a.md": b"# A\n\n1. b\n\n| c | d |\n|---|---|\n| 1 | 2 |\n",
    "a.txt": b"1. TERM\n\nOne year.\n",
}


def _outcome(content: bytes, name: str) -> ParsedDocument | str:
    """The document, or what its refusal says."""
    try:
        return parse(content, filename=name)
    except MainspringError as refusal:
        return refusal.detail


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(name=st.sampled_from(sorted(_SOUND)), choices=st.randoms(use_true_random=False), count=st.integers(0, 12))
def test_a_changed_file_of_any_kind_gives_a_document_or_one_of_our_errors(
    name: str, choices: random.Random, count: int
):
    content = bytearray(_SOUND[name])
    for _ in range(count):
        place = choices.randrange(len(content))
        match choices.randrange(4):
            case 0:
                content[place] = choices.randrange(256)
            case 1:
                del content[place : place + choices.randrange(40)]
            case 2:
                content[place:place] = content[: choices.randrange(60)]
            case _:
                content[place:place] = choices.choice(
                    [b"<", b"&", b'"', b"\x00", b"\xff\xfe", b"> ", b"=?x?b?", b"%PDF-"]
                )
        if not content:
            break
    document = _outcome(bytes(content), name)
    assert document == _outcome(bytes(content), name)
    if isinstance(document, ParsedDocument):
        assert all(0 <= block.start < block.end <= len(document.text) for block in document.blocks)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(["xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/styles.xml", "xl/sharedStrings.xml"]),
    st.text(alphabet='<>/="rtvcsiAB19 :x-', max_size=60),
)
def test_a_workbook_of_strange_parts_gives_a_document_or_one_of_our_errors(part: str, inside: str):
    root = part.rsplit("/", 1)[-1][:3]
    content = make_workbook({"A": make_rows([["a", 1]])}, parts={part: f"<{root}>{inside}</{root}>".encode()})
    assert _outcome(content, "a.xlsx")
