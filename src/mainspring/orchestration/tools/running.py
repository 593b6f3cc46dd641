"""One call carried out: attempts within their time, again where that may help, and what came of it made whole.

Nothing that a tool does raises beyond this module: a broken tool is a FAILED result. Of an exception that the tool did
not mean for others, only the kind is told.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

import msgspec

from mainspring.foundation.errors import MainspringError
from mainspring.foundation.telemetry import get_logger
from mainspring.inference.gateway import ToolRecording

from .claims import interrupted
from .secrets import Revealed
from .showing import as_text
from .types import Effects, Empty, Json, Partial, ResultStatus, Tool, ToolContext, ToolFailure, ToolResult

log = get_logger(__name__)

Pause = Callable[[float], Awaitable[None]]

_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 10.0
_MARK_BYTES = 100


@dataclass(frozen=True, slots=True)
class Run:
    """A tool with all that one call of it needs."""

    tool: Tool
    context: ToolContext
    revealed: Revealed
    recording: ToolRecording
    pause: Pause = asyncio.sleep


async def carry_out(run: Run, arguments: Mapping[str, Json]) -> ToolResult:
    """The result of the call, whatever happens; only a cancellation passes."""
    attempt = 0
    while True:
        attempt += 1
        run.recording.count_attempt()
        outcome = await _attempt(run, arguments)
        if not isinstance(outcome, ToolFailure):
            return _finished(run, outcome)
        if not _may_repeat(run.tool) and outcome.code == "tool_timed_out":
            return replace(interrupted(), is_untrusted=run.tool.untrusted_output)
        if not outcome.retryable or not _may_repeat(run.tool) or attempt > run.tool.retries:
            return ToolResult(ResultStatus.FAILED, is_untrusted=run.tool.untrusted_output, error=_struck(run, outcome))
        await run.pause(_wait(attempt, outcome))


async def _attempt(run: Run, arguments: Mapping[str, Json]) -> Json | ToolFailure:
    seconds = run.tool.timeout.total_seconds()
    try:
        async with asyncio.timeout(seconds):
            return await run.tool.invoke(run.context, arguments)
    except TimeoutError:
        return ToolFailure("tool_timed_out", f"The tool did not answer within {seconds:g} s.", retryable=True)
    except msgspec.ValidationError as unfit:
        return ToolFailure("invalid_arguments", str(unfit))
    except MainspringError as refused:
        return ToolFailure(refused.code, refused.detail, refused.retryable, refused.retry_after_seconds)
    except OSError as away:
        log.warning("tool_connection_failed", tool=run.tool.name, error=type(away).__name__)
        return ToolFailure("tool_away", f"The tool could not reach what it needs ({type(away).__name__}).", True)
    except Exception as broken:  # noqa: BLE001 - the edge of a tool call: a broken tool is a result, not a crash
        log.error("tool_crashed", tool=run.tool.name, error=type(broken).__name__)
        return ToolFailure("tool_crashed", f"The tool broke ({type(broken).__name__}). Its author has to mend it.")


def _may_repeat(tool: Tool) -> bool:
    return tool.effects is not Effects.WRITES or tool.is_repeatable


def _wait(attempt: int, failure: ToolFailure) -> float:
    """Seconds: as long as the other side asks, else doubling, between half and all of it."""
    if failure.retry_after_seconds is not None:
        return min(failure.retry_after_seconds, _LONGEST_PAUSE)
    longest = min(_FIRST_PAUSE * 2 ** (attempt - 1), _LONGEST_PAUSE)
    return longest * (0.5 + random.random() / 2)  # noqa: S311 - it spreads attempts, it guards nothing


def _struck(run: Run, failure: ToolFailure) -> ToolFailure:
    """Without secrets, and no longer than a result may be."""
    detail, _ = _cut(run.revealed.strike(failure.detail), run.tool.max_output_bytes)
    return replace(failure, detail=detail)


def _finished(run: Run, returned: Json) -> ToolResult:
    tool, status, note = run.tool, ResultStatus.OK, None
    match returned:
        case Partial(content, note):
            status = ResultStatus.PARTIAL
        case Empty(note):
            status, content = ResultStatus.EMPTY, None
        case _:
            content = returned
    try:
        content = run.revealed.strike_json(msgspec.to_builtins(content, str_keys=True))
        size = len(msgspec.json.encode(content))
    except (TypeError, ValueError, RecursionError) as unfit:
        log.error("tool_returned_no_json", tool=tool.name, error=type(unfit).__name__)
        failure = ToolFailure("tool_crashed", "The tool returned what has no JSON form. Its author has to mend it.")
        return ToolResult(ResultStatus.FAILED, is_untrusted=tool.untrusted_output, error=failure)
    note = run.revealed.strike(note) if note else None
    if status is ResultStatus.OK and content in (None, "", [], {}):
        status, content = ResultStatus.EMPTY, None
    if size > tool.max_output_bytes:
        whole = as_text(content)
        content, left_out = _cut(whole, tool.max_output_bytes)
        status = ResultStatus.PARTIAL
        cut = f"The result was cut: {left_out:,} of {len(whole):,} characters are left out. Ask for less."
        note = f"{note} {cut}" if note else cut
    is_said = content is not None or note is not None  # nothing was read where nothing came
    return ToolResult(status, content, tool.untrusted_output and is_said, note=note)


def _cut(text: str, limit: int) -> tuple[str, int]:
    """The text within a limit of bytes, with a mark where it was cut, and how many characters are left out."""
    encoded = text.encode("utf-8", "replace")
    if len(encoded) <= limit:
        return text, 0
    kept = encoded[: max(0, limit - _MARK_BYTES)].decode("utf-8", "ignore")
    left_out = len(text) - len(kept)
    return f"{kept}\n[cut here: {left_out:,} characters left out]", left_out
