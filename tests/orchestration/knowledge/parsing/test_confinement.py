"""The parsing process reaches no network, writes no file and starts no program, also from C."""

import asyncio
import sys

import pytest

from mainspring.orchestration.knowledge.parsing import bounded, parse_bounded
from mainspring.orchestration.knowledge.testing import make_pdf, make_rows, make_slides, make_workbook, shape

_CONFINED = (
    "import ctypes, os, socket, subprocess, sys\n"
    "from mainspring.orchestration.knowledge.parsing.confinement import confine, filter_calls\n"
    "library = ctypes.CDLL(None, use_errno=True)\n"
)
_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's filter is Linux's")


async def _run(script: str) -> str:
    """What a fresh interpreter prints."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _CONFINED + script, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    return output.decode().strip()


def _attempt(statement: str) -> str:
    return (
        f"confine(may_start_programs=False)\ntry:\n    {statement}\n"
        "except OSError as error:\n    print('refused', error)\nelse:\n    print('done')"
    )


@pytest.mark.parametrize(
    "statement",
    [
        "socket.create_connection(('127.0.0.1', 9))",
        "socket.getaddrinfo('localhost', 80)",
        "socket.socket(socket.AF_UNIX)",
        "__import__('urllib.request').request.urlopen('http://127.0.0.1:9/')",
        "subprocess.run(['true'])",
        "os.system('true')",
        "os.posix_spawn('/bin/true', ['true'], {})",
        "__import__('tempfile').TemporaryFile(buffering=0).write(b'x')",
    ],
)
async def test_python_is_refused_network_programs_and_files(statement: str):
    assert (await _run(_attempt(statement))).startswith("refused")


@_LINUX
@pytest.mark.parametrize("call", ["socket(2, 1, 0)", "socket(1, 1, 0)", "syscall(425, 1, 0)", "unshare(0x10000000)"])
async def test_the_kernel_refuses_code_in_c_the_same(call: str):
    script = f"assert filter_calls(may_start_programs=False)\nprint(library.{call}, ctypes.get_errno())"
    assert await _run(script) == "-1 13"


@_LINUX
async def test_the_program_for_text_recognition_starts_but_is_shut_in_as_well():
    script = (
        "assert filter_calls(may_start_programs=True)\n"
        "tell = 'import socket\\ntry:\\n socket.socket()\\nexcept PermissionError: print(\"shut in\")'\n"
        "print(subprocess.run([sys.executable, '-c', tell], capture_output=True, text=True).stdout)"
    )
    assert await _run(script) == "shut in"


@_LINUX
async def test_without_the_filter_the_interpreter_still_refuses():
    script = "import mainspring.orchestration.knowledge.parsing.confinement as it\nit._CALLS = {}\n"
    assert (await _run(script + _attempt("socket.socket()"))).startswith("refused [Errno 13] a parser may not")


async def test_the_child_that_parses_is_the_one_that_is_shut_in(monkeypatch: pytest.MonkeyPatch):
    spy = (
        "import sys; sys.path[:] = sys.argv[2:]\n"
        "import socket\n"
        "from mainspring.orchestration.knowledge.parsing import child\n"
        "from mainspring.orchestration.knowledge.errors import NoText\n"
        "def parse(*_, **__):\n"
        "    try: socket.socket()\n"
        "    except OSError as error: raise NoText(f'shut in: {error}')\n"
        "    raise NoText('free')\n"
        "child.parse = parse\n"
        "child.main()"
    )
    monkeypatch.setattr(bounded, "_START", spy)
    with pytest.raises(Exception, match="shut in"):
        await parse_bounded(b"text", filename="a.txt")


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (make_pdf([["1. TERM", "", "One year."]]), "a.pdf"),
        (make_workbook({"A": make_rows([["Item", "Price"], ["Bolt", 2]])}), "a.xlsx"),
        (make_slides([shape("Plan", placeholder="title")]), "a.pptx"),
        (b"<html><body><p>One year.</p></body></html>", "a.html"),
        (b"From: a@example.com\nSubject: Term\nDate: Fri, 3 May 2024 10:00:00 +0000\n\nOne year.", "a.eml"),
        (b"Item,Price\nBolt,2\n", "a.csv"),
    ],
)
async def test_every_kind_is_read_inside(content: bytes, name: str):
    assert (await parse_bounded(content, filename=name)).text
