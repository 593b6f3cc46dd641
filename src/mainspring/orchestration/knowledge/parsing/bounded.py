"""`parse_bounded`: the parse in a process of its own, because parsers of foreign files crash, hang and swell.

The child gets its request and the bytes on its standard input, bounds its own memory and
processor time and gives up network, files and programs (`confinement`) before it reads
them, and answers in JSON. Whatever happens to it, the caller gets a document or one of the
room's errors. It is a fresh interpreter rather than a fork, so that it holds no
connection, lock or thread of the worker; it starts in some 80 ms.
"""

import asyncio
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path

import msgspec

from mainspring.orchestration.knowledge.errors import READING_ERRORS, BrokenDocument, UnreadableDocument
from mainspring.orchestration.knowledge.types import ParsedDocument

from .limits import ParseLimits
from .protocol import Answer, Parsed, Request
from .refusals import shown, timed_out, too_large

_ROOM = Path(__file__).resolve().parents[1]
# The room's front doors stay shut: they load a database's client, which has no business beside a foreign file.
_START = """
import sys
from types import ModuleType
sys.path[:] = sys.argv[2:]
for name, path in (("", sys.argv[1]), (".parsing", sys.argv[1] + "/parsing")):
    package = ModuleType("mainspring.orchestration.knowledge" + name)
    package.__path__ = [path]
    sys.modules[package.__name__] = package
from mainspring.orchestration.knowledge.parsing.child import main
main()
"""
_DEFAULT_LIMITS = ParseLimits()
_ANSWERS = msgspec.json.Decoder(Answer)


async def parse_bounded(
    content: bytes, *, filename: str, limits: ParseLimits = _DEFAULT_LIMITS, recognise_scans: bool = False
) -> ParsedDocument:
    """As `parse`, in a child process with the time and memory that `limits` gives.

    raises     the errors of `parse`; ParseTimedOut, ParseOutOfMemory; BrokenDocument when the parser crashed
    cancelled  the child is killed
    """
    name = shown(filename)
    if len(content) > limits.max_bytes:
        raise too_large(name, len(content), limits)
    request = msgspec.json.encode(Request(name, limits, recognise_scans))
    process = await _start()
    try:
        async with asyncio.timeout(limits.timeout_seconds):
            output, _ = await process.communicate(b"%s\n%s" % (request, content))
            code = await process.wait()
    except TimeoutError:
        raise timed_out(name, limits) from None
    finally:
        await _end(process)
    return _answer(output, code, name, limits)


async def _start() -> Process:
    """The name of a document is not among the arguments: every user of the machine can read those."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        "-S",
        "-B",
        "-c",
        _START,
        str(_ROOM),
        *(path for path in sys.path if path),
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"},  # no secret of the worker goes in
    )


async def _end(process: Process) -> None:
    """Kill the child if it still runs, and collect it."""
    if process.returncode is None:
        try:
            process.kill()
        except ProcessLookupError:
            return
        await process.wait()


def _answer(output: bytes, code: int, name: str, limits: ParseLimits) -> ParsedDocument:
    try:
        answer = _ANSWERS.decode(output)
    except msgspec.DecodeError:
        raise _died(code, name, limits) from None
    if isinstance(answer, Parsed):
        return answer.document
    raise READING_ERRORS.get(answer.code, UnreadableDocument)(answer.detail)


def _died(code: int, name: str, limits: ParseLimits) -> UnreadableDocument:
    """The error for a child that ended without an answer."""
    if -code == signal.SIGXCPU:
        return timed_out(name, limits)
    return BrokenDocument(
        f"{name} made its parser stop (exit {code}); it is probably damaged. Save or export it again and send that."
    )
