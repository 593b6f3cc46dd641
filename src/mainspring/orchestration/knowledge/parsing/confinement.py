"""What the parsing process may not do: reach a network, write files, start programs.

On Linux (x86-64 and 64-bit ARM) the kernel keeps it so: a filter of system calls, which
needs no privilege, is inherited by every program that the process starts, and cannot be
taken off. `socket`, and what could stand in for it, then fails with EACCES, for libraries
in C as well; that holds for local sockets too. On other systems an audit hook of the
interpreter refuses the same in Python code only, which no parser here gets around: none of
their libraries opens connections. The hook is set everywhere, so that both are tested.
"""

import contextlib
import ctypes
import errno
import os
import resource
import struct
import sys
from collections.abc import Sequence

_NO_NEW_PRIVILEGES, _SET_FILTER, _FILTER_MODE = 38, 22, 2  # prctl
_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06  # of the Berkeley packet filter
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | errno.EACCES
_FOREIGN_CALLS = 0x40000000  # numbers from here on are those of another calling convention (x32)

# Architecture as the kernel names it, then: socket, socketpair, connect, io_uring_setup, ptrace,
# process_vm_readv, process_vm_writev, pidfd_getfd, bpf, keyctl, unshare, setns.
_CALLS = {
    "x86_64": (0xC000003E, (41, 53, 42, 425, 101, 310, 311, 438, 321, 250, 272, 308)),
    "aarch64": (0xC00000B7, (198, 199, 203, 425, 117, 270, 271, 438, 280, 219, 97, 268)),
}
_PROGRAMS = {"x86_64": (59, 322), "aarch64": (221, 281)}  # execve, execveat
_REFUSED_EVENTS = ("socket.", "urllib.", "ftplib.", "smtplib.", "http.client.", "imaplib.", "poplib.", "nntplib.")
_PROGRAM_EVENTS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "pty.spawn")


class Refused(PermissionError):
    """The parsing process tried what it may not do."""


def confine(*, may_start_programs: bool) -> None:
    """Shut this process in, for good.

    may_start_programs  text recognition is a program of its own, and is handed pictures as files; it is shut in too
    """
    if not may_start_programs:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    filter_calls(may_start_programs=may_start_programs)
    refused = _REFUSED_EVENTS if may_start_programs else _REFUSED_EVENTS + _PROGRAM_EVENTS

    def refuse(event: str, _: tuple[object, ...]) -> None:
        if event.startswith(refused):
            raise Refused(errno.EACCES, f"a parser may not call {event}")

    sys.addaudithook(refuse)


def filter_calls(*, may_start_programs: bool) -> bool:
    """Have the kernel refuse the calls; False where it cannot, so that only the audit hook holds."""
    machine = os.uname().machine
    if sys.platform != "linux" or machine not in _CALLS or sys.maxsize <= 2**32:
        return False
    architecture, calls = _CALLS[machine]
    program = _program(architecture, calls if may_start_programs else calls + _PROGRAMS[machine])
    code = ctypes.create_string_buffer(program)
    length = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code))
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        return False
    return library.prctl(_SET_FILTER, _FILTER_MODE, length, 0, 0) == 0


def _program(architecture: int, calls: Sequence[int]) -> bytes:
    """A filter that refuses these calls, and every call in another architecture's numbers."""
    count = len(calls)
    steps = [
        (_LOAD, 0, 0, 4),  # which architecture
        (_JUMP_EQUAL, 0, count + 3, architecture),
        (_LOAD, 0, 0, 0),  # which call
        (_JUMP_AT_LEAST, count + 1, 0, _FOREIGN_CALLS),
        *((_JUMP_EQUAL, count - index, 0, call) for index, call in enumerate(calls)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
    ]
    return b"".join(struct.pack("HBBI", *step) for step in steps)
