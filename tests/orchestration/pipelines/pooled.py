"""Functions that run in processes of their own, and what becomes of those that do not behave."""

import os
import re
import time

from mainspring.orchestration.pipelines.errors import Abandon
from mainspring.orchestration.pipelines.pools import PooledRun

from .scenes import Number


def square(number: Number) -> Number:
    """A step that behaves."""
    return Number(number.value**2)


def name_process(number: Number) -> Number:
    """Which process it runs in."""
    return Number(os.getpid())


def hog(number: Number) -> Number:
    """Takes more and more memory."""
    taken: list[bytearray] = []
    while True:
        taken.append(bytearray(16_000_000))


def spin(number: Number) -> Number:
    """Computes for ever."""
    while True:
        time.perf_counter()


def freeze(number: Number) -> Number:
    """Says which process it is, and then lets no other thread of it run for ever."""
    os.write(1, f"{os.getpid()}\n".encode())
    re.fullmatch(r"(a|aa)+b", "a" * 200)
    return number


def count_secrets(number: Number) -> Number:
    """How much of a worker's environment it is told."""
    return Number(sum("SECRET" in name or name.startswith("MAINSPRING_") for name in os.environ))


def crash(number: Number) -> Number:
    """Ends its process as a segmentation fault would, the first time."""
    os.abort()


def leave(number: Number) -> Number:
    """Ends its process without a word."""
    os._exit(3)


def refuse(number: Number) -> Number:
    """Says that it cannot succeed."""
    raise Abandon(f"{number.value} is odd; send an even one.", code="odd_number")


def stumble(number: Number) -> Number:
    """Raises what nobody foresaw."""
    raise ZeroDivisionError("by nothing")


def crash_once(number: Number, run: PooledRun) -> Number:
    """Crashes, and when it is run again does not."""
    if run.attempt == 1:
        os.abort()
    run.say("Survived")
    run.progress(1, 1, "All done")
    return Number(run.attempt)


async def too_modern(number: Number) -> Number:
    """A coroutine function: it belongs into the event loop."""
    return number
