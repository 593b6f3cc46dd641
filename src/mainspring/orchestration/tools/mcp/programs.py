"""The operator's file of MCP programs, in TOML:

[programs.files]
command = "/usr/local/bin/files-server"
arguments = ["--root", "/srv/files"]
folder = "/srv/files"
environment = { LOG_LEVEL = "warning" }
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from mainspring.foundation.errors import InvalidInput

from .types import Program


class _Program(msgspec.Struct, forbid_unknown_fields=True):
    command: str
    arguments: list[str] = []
    environment: dict[str, str] = {}
    folder: str | None = None


class _File(msgspec.Struct, forbid_unknown_fields=True):
    programs: dict[str, _Program] = {}


def read_programs(path: Path | None) -> Mapping[str, Program]:
    """The programs by name; none without a file. InvalidInput says what is wrong with the file."""
    if path is None:
        return {}
    try:
        read = msgspec.convert(tomllib.loads(path.read_text("utf-8")), _File)
    except (OSError, UnicodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as wrong:
        raise InvalidInput(f"The file of MCP programs {path} cannot be used: {wrong}. Mend it, or unset it.") from None
    return {
        name: Program(each.command, tuple(each.arguments), each.environment, each.folder)
        for name, each in read.programs.items()
    }
