"""Structured logs: one JSON object a line, with tenant, run and trace ids, and never a payload.

`bind` sets the ids for the current task; every line written below it carries them. Values are
short facts (ids, counts, names of errors): contents of documents, prompts and credentials are
not logged anywhere.
"""

import json
import logging
import sys
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TextIO

_bound: ContextVar[dict[str, str]] = ContextVar("log_fields", default={})  # noqa: B039 - replaced, never mutated


class Logger:
    """Writes events: a snake_case name and facts as keywords."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def debug(self, event: str, /, **facts: object) -> None:
        """For the developer of the room."""
        self._write(logging.DEBUG, event, facts)

    def info(self, event: str, /, **facts: object) -> None:
        """Something normal happened."""
        self._write(logging.INFO, event, facts)

    def warning(self, event: str, /, **facts: object) -> None:
        """Something is degraded; nothing is lost."""
        self._write(logging.WARNING, event, facts)

    def error(self, event: str, /, **facts: object) -> None:
        """Something failed and a person should look."""
        self._write(logging.ERROR, event, facts)

    def exception(self, event: str, /, **facts: object) -> None:
        """As `error`, with the current exception's traceback (no local values)."""
        self._logger.error(event, extra={"facts": facts}, exc_info=True)

    def _write(self, level: int, event: str, facts: dict[str, object]) -> None:
        self._logger.log(level, event, extra={"facts": facts})


def get_logger(name: str) -> Logger:
    """The logger of a module."""
    return Logger(name)


@contextmanager
def bind(**fields: object) -> Generator[None]:
    """Add ids to every log line of this task, until the block ends."""
    token = _bound.set({**_bound.get(), **{name: str(value) for name, value in fields.items()}})
    try:
        yield
    finally:
        _bound.reset(token)


def bound(name: str) -> str | None:
    """The value of a bound field, such as the trace id of the current task."""
    return _bound.get().get(name)


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **_bound.get(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def configure_logs(level: str, stream: TextIO = sys.stderr) -> None:
    """Send every log of the process to `stream` as JSON lines, at `level` and above."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_JsonLines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for noisy in ("httpx", "httpcore", "alembic", "uvicorn.access", "psycopg.pool"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
