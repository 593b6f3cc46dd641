"""The parse in its own process: bounded in time and memory, and never the end of its caller."""

import asyncio

import pytest
import uvloop

from mainspring.foundation.errors import MainspringError
from mainspring.orchestration.knowledge import ParseLimits, parse, parse_bounded
from mainspring.orchestration.knowledge.parsing import bounded
from mainspring.orchestration.knowledge.testing import (
    make_pdf,
    make_rows,
    make_slides,
    make_word,
    make_workbook,
    paragraph,
    shape,
)

_TEXT = b"1. TERM\n\nThis Agreement lasts one year."


async def _refusal(content: bytes, name: str, limits: ParseLimits | None = None) -> MainspringError:
    with pytest.raises(MainspringError) as caught:
        await parse_bounded(content, filename=name, limits=limits or ParseLimits())
    return caught.value


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (_TEXT, "a.txt"),
        (make_pdf([["1. TERM", "", "One year."]]), "a.pdf"),
        (make_word(paragraph("One year.")), "a.docx"),
        (make_workbook({"A": make_rows([["Item", "Price"], ["Bolt", 2]])}), "a.xlsx"),
        (make_slides([shape("Plan", placeholder="title")]), "a.pptx"),
        (b"From: a@example.com\nDate: Fri, 3 May 2024 10:00:00 +0000\n\nOne year.", "a.eml"),
    ],
)
async def test_it_gives_what_the_plain_parse_gives(content: bytes, name: str):
    assert await parse_bounded(content, filename=name) == parse(content, filename=name)


async def test_errors_keep_their_code_and_their_words():
    refusal = await _refusal(b"%PDF-1.7 broken", "a.pdf")
    assert refusal.code == "broken_pdf"
    assert "a.pdf" in refusal.detail


async def test_a_file_over_the_limit_starts_no_process():
    refusal = await _refusal(b"x" * 101, "a.txt", ParseLimits(max_bytes=100))
    assert refusal.code == "too_large"


async def test_a_parse_that_takes_too_long_is_killed():
    refusal = await _refusal(_TEXT, "a.txt", ParseLimits(timeout_seconds=0.001))
    assert refusal.code == "parse_timed_out"
    assert "0.001 s" in refusal.detail


async def test_a_parse_that_needs_too_much_memory_is_refused():
    refusal = await _refusal(b"word " * 2_000_000, "a.txt", ParseLimits(memory_bytes=120_000_000))
    assert refusal.code in ("parse_out_of_memory", "broken_document")


@pytest.mark.parametrize(
    "crash",
    ["import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "import os; os._exit(3)", "print('not an answer')"],
)
async def test_a_crash_of_the_parser_is_the_documents_fault_and_not_the_workers(
    crash: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(bounded, "_START", crash)
    refusal = await _refusal(_TEXT * 50_000, "a.txt")
    assert refusal.code == "broken_document"
    assert "a.txt" in refusal.detail


async def test_cancelling_the_caller_kills_the_child(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(
        bounded, "_START", "import sys; sys.stdin.buffer.read(); sys.stdin.buffer.raw; import time; time.sleep(60)"
    )
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await parse_bounded(_TEXT, filename="a.txt")


def test_it_works_on_uvloop():
    assert uvloop.run(parse_bounded(_TEXT, filename="a.txt")).text == _TEXT.decode()


async def test_the_child_loads_no_database_and_no_web(monkeypatch: pytest.MonkeyPatch):
    heavy = ("psycopg", "sqlalchemy", "numpy", "docx", "lxml", "pypdfium2", "fastapi", "asyncio", "http")
    tell = (
        f"found = [name for name in {heavy} if name in sys.modules]; "
        'print(\'{"type":"failed","code":"broken_document","detail":"loaded: %s"}\' % found)'
    )
    monkeypatch.setattr(bounded, "_START", bounded._START.replace("main()", tell))  # pyright: ignore[reportPrivateUsage]
    assert (await _refusal(_TEXT, "a.txt")).detail == "loaded: []"


async def test_the_name_of_a_document_is_not_in_the_list_of_processes(monkeypatch: pytest.MonkeyPatch):
    tell = (
        "import sys; sys.stdin.buffer.read(); seen = any('takeover' in argument for argument in sys.argv); "
        'print(\'{"type":"failed","code":"broken_document","detail":"seen: %s"}\' % seen)'
    )
    monkeypatch.setattr(bounded, "_START", tell)
    assert (await _refusal(_TEXT, "takeover.txt")).detail == "seen: False"
