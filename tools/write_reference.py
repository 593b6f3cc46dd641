"""Write the generated pages of docs/reference: settings, errors and commands.

python -m tools.write_reference            writes them
python -m tools.write_reference --check    exits 1 when one is not what the code says
"""

import importlib
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from pydantic import AliasChoices

import mainspring
from mainspring.entry.cli.app import build_app
from mainspring.foundation.errors import MainspringError
from mainspring.foundation.settings import Settings

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "reference"


def pages() -> dict[str, str]:
    """File name to content of every generated page."""
    return {"settings.md": _settings(), "errors.md": _errors(), "cli.md": _commands()}


def _settings() -> str:
    lines = [
        "# Settings",
        "",
        "Environment first, then `mainspring.toml` (or the file that `MAINSPRING_CONFIG` names; keys in lower case",
        "without the prefix), then the default. `mainspring doctor` shows what is set and from where.",
        "",
        "| variable | default | meaning |",
        "| --- | --- | --- |",
    ]
    for name, field in Settings.model_fields.items():
        names = [f"MAINSPRING_{name.upper()}"]
        if isinstance(field.validation_alias, AliasChoices):
            names = [str(choice) for choice in field.validation_alias.choices]
        default = "" if field.default is None else f"`{field.default}`"
        lines.append(f"| {' or '.join(f'`{each}`' for each in names)} | {default} | {field.description or ''} |")
    return "\n".join(lines) + "\n"


def _errors() -> str:
    for module in pkgutil.walk_packages(mainspring.__path__, "mainspring."):
        if module.name.endswith(".errors"):
            importlib.import_module(module.name)
    lines = [
        "# Errors",
        "",
        "Every error answers as `application/problem+json` (RFC 9457) with `code`, `detail` that names the value, the",
        "limit and the next step, `retryable`, and `request_id`.",
        "",
        "| code | status | retryable | meaning |",
        "| --- | --- | --- | --- |",
    ]
    known = {error.code: error for error in reversed(list(_descendants(MainspringError)))}
    for code, error in sorted(known.items()):
        meaning = (error.__doc__ or "").splitlines()[0]
        lines.append(f"| `{code}` | {error.status} | {'yes' if error.retryable else 'no'} | {meaning} |")
    return "\n".join(lines) + "\n"


def _commands() -> str:
    root = typer.main.get_command(build_app())
    lines = [
        "# Commands",
        "",
        "Every command explains itself with `--help`; `mainspring --install-completion` sets up your shell.",
    ]
    for name, command in _walk("mainspring", root):
        lines += ["", f"## `{name}`", "", (command.help or "").strip(), ""]
        for parameter in command.params:
            shown = ", ".join(f"`{each}`" for each in (*parameter.opts, *parameter.secondary_opts))
            lines.append(f"- {shown}: {getattr(parameter, 'help', None) or parameter.name}")
    return "\n".join(lines).rstrip() + "\n"


def _walk(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    """Every command below one; typer ships its own click, whose types are private."""
    children: dict[str, Any] = getattr(command, "commands", {})
    if not children:
        yield name, command
    for child_name, child in sorted(children.items()):
        yield from _walk(f"{name} {child_name}", child)


def _descendants(error: type[MainspringError]) -> Iterator[type[MainspringError]]:
    yield error
    for child in error.__subclasses__():
        if child.__module__.startswith("mainspring."):
            yield from _descendants(child)


def main() -> int:
    """Write the pages, or compare them."""
    if "--check" in sys.argv:
        stale = [name for name, content in pages().items() if (FOLDER / name).read_text() != content]
        print(f"stale: {', '.join(stale)}; run make reference" if stale else "the reference is what the code says")
        return 1 if stale else 0
    for name, content in pages().items():
        (FOLDER / name).write_text(content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
