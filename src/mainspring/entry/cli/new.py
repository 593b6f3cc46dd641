"""`mainspring new`: a working product with tests, to begin from."""

import keyword
import re
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated

import typer

from mainspring.foundation.errors import InvalidInput

from .output import screen

_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
_SUFFIX = ".txt"  # so that no tool takes the templates for the platform's own code


def new(
    name: Annotated[str, typer.Argument(help="snake_case; the package and the product are called so.")],
    folder: Annotated[Path | None, typer.Option(help="Where to write it; default: ./NAME.")] = None,
    title: Annotated[str | None, typer.Option(help="What people call it; default: from the name.")] = None,
) -> None:
    """Write a new product that works: a pipeline, a tool, an agent, a question to a person, routes, tests."""
    target = (folder or Path(name)).resolve()
    written = write_product(name, target, title or name.replace("_", " ").capitalize())
    screen.print(f"Wrote {len(written)} files to {target}. Next:", markup=False, soft_wrap=True)
    screen.print(f"  cd {target}\n  pip install -e '.[dev]'\n  pytest\n  mainspring serve", markup=False)


def write_product(name: str, target: Path, title: str) -> list[Path]:
    """The files written; none when something is there already or the name will not do.

    raises   InvalidInput
    """
    if not _NAME.fullmatch(name) or keyword.iskeyword(name) or name == "mainspring":
        raise InvalidInput(f"{name!r} cannot be a product's name; use snake_case, such as letter_writer.")
    if '"' in title or "\\" in title or not title.isprintable():
        raise InvalidInput("The title may hold no quotation marks, backslashes or control characters.")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise InvalidInput(f"{target} is not empty; choose another folder with --folder.")
    words = {"name": name, "title": title, "package": name.replace("_", "-"), "path": name.replace("_", "-")}
    return list(_write(resources.files("mainspring.entry.cli") / "product_template", target, words))


def _write(source: Traversable, target: Path, words: dict[str, str]) -> list[Path]:
    written: list[Path] = []
    for part in sorted(source.iterdir(), key=lambda each: each.name):
        if part.is_dir():
            written += _write(part, target / (words["name"] if part.name == "product" else part.name), words)
        elif part.name.endswith(_SUFFIX):
            file = target / part.name.removesuffix(_SUFFIX)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(_fill(part.read_text(encoding="utf-8"), words), encoding="utf-8")
            written.append(file)
    return written


def _fill(text: str, words: dict[str, str]) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda place: words[place[1]], text)
