"""The parsing process: bounds itself, shuts itself in, reads one file from standard input, writes one answer.

Started by `parse_bounded` without site packages' start-up code; it imports what the one
file needs and nothing else.
"""

import contextlib
import os
import resource
import sys

import msgspec

from mainspring.foundation.errors import MainspringError

from .confinement import confine
from .limits import ParseLimits
from .protocol import Answer, Failed, Parsed, Request
from .read import parse
from .refusals import out_of_memory, shown


def main() -> None:
    """Parse what follows the first line of standard input as that line, a JSON Request, says."""
    request = msgspec.json.decode(sys.stdin.buffer.readline(), type=Request)
    answers = os.dup(1)
    os.dup2(2, 1)  # what a library prints must not end up in the answer
    _bound(request.limits)
    confine(may_start_programs=request.recognise_scans)
    payload = msgspec.json.encode(_answer(request))
    with os.fdopen(answers, "wb") as output:
        output.write(payload)
    sys.stdout.flush()
    os._exit(0)  # no finalizers: a library's own may hang or crash after the answer is out


def _bound(limits: ParseLimits) -> None:
    seconds = int(limits.timeout_seconds) + 2
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(ValueError):  # macOS knows the limit, but does not let it be set
        resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))


def _answer(request: Request) -> Answer:
    try:
        content = sys.stdin.buffer.read(request.limits.max_bytes + 1)
        return Parsed(
            parse(content, filename=request.filename, limits=request.limits, recognise_scans=request.recognise_scans)
        )
    except MainspringError as error:
        return Failed(error.code, error.detail)
    except MemoryError:
        error = out_of_memory(request.filename, request.limits)
        return Failed(error.code, error.detail)
    except Exception as error:  # noqa: BLE001 - the edge of a process: a parser's own failure is the document's
        return Failed("broken_document", _broken(request.filename, type(error).__name__))


def _broken(filename: str, kind: str) -> str:
    return (
        f"{shown(filename)} cannot be read: its parser failed ({kind}). Open it, save or export it again and send that."
    )
