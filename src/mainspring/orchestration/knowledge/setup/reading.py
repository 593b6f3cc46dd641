"""A setup from JSON, with every problem named: the field, its value, and what it must be.

msgspec stops at its first problem and does not say under which key of a mapping it stands. So each document
type's chunking, the retrieval part and the rest are read one by one, and all their problems are told at once.
"""

import re
from collections.abc import Callable
from typing import Any, TypeVar, cast

import msgspec

from mainspring.orchestration.knowledge.chunking import CHUNKERS, Chunking, check_between
from mainspring.orchestration.knowledge.errors import InvalidSetup

from .setup import DEFAULT_CHUNKING, RetrievalSetup, Setup

MAX_SETUP_BYTES = 64_000
MAX_DOCUMENT_TYPES = 50
MAX_DIMENSIONS = 3_072
"""As many as the gateway's largest embedding models have; `halfvec` keeps 4,000."""

DimensionsOf = Callable[[str], int | None]
"""How long an embedding model's vectors are; None for a model that the gateway does not know."""

_BOUNDS = {"max_chars": (100, 20_000), "max_rows": (1, 1_000)}
_TYPE_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_MESSAGE = re.compile(r"(?P<problem>.*?)(?: - at `(?:key in )?\$\.?(?P<path>.*)`)?", re.DOTALL)
_BETWEEN = re.compile(r"(?P<field>\w+) is .* must be between")
_Part = TypeVar("_Part")
_Problems = list[tuple[str, str]]


def read_setup(document: object, dimensions_of: DimensionsOf) -> Setup:
    """The setup in decoded JSON; what it leaves out is as by default.

    raises   InvalidSetup (422), whose `places` name every field that is wrong
    """
    fields, problems = _fields(document), cast(_Problems, [])
    cuts = _chunking(fields.pop("chunking", {}), problems)
    retrieval = _part(fields.pop("retrieval", {}), RetrievalSetup, "retrieval", problems)
    rest = _part(fields, Setup, "", problems)
    if problems or retrieval is None or rest is None:
        raise InvalidSetup(problems)
    setup = Setup(rest.embedding_model, {**DEFAULT_CHUNKING, **cuts}, rest.reindex_chunks_per_minute, retrieval)
    check_setup(setup, dimensions_of)
    return setup


def check_setup(setup: Setup, dimensions_of: DimensionsOf) -> None:
    """Raise InvalidSetup unless the model is known, and sizes are ones that an index can live with."""
    problems = [*_model_problems(setup.embedding_model, dimensions_of), *_size_problems(setup)]
    if problems:
        raise InvalidSetup(problems)


def _fields(document: object) -> dict[str, Any]:
    """The document's fields, as a copy that may be taken apart."""
    try:
        text = msgspec.json.encode(document)
    except (msgspec.MsgspecError, TypeError, ValueError, OverflowError, RecursionError):
        raise InvalidSetup([("setup", "it is not JSON, or holds text that is not Unicode")]) from None
    if len(text) > MAX_SETUP_BYTES:
        raise InvalidSetup([("setup", f"it has {len(text):,} bytes; the limit is {MAX_SETUP_BYTES:,}")])
    decoded = msgspec.json.decode(text)
    if not isinstance(decoded, dict):
        raise InvalidSetup([("setup", f"it is {_show(decoded)}, but must be an object with fields")])
    return cast(dict[str, Any], decoded)


def _chunking(given: object, problems: _Problems) -> dict[str, Chunking]:
    if not isinstance(given, dict):
        problems.append(("chunking", f"it is {_show(given)}, but must map document types to chunkers"))
        return {}
    cuts: dict[str, Chunking] = {}
    for name, choice in cast(dict[str, object], given).items():
        read = _part(choice, cast(type[Chunking], Chunking), f"chunking.{name[:60]}", problems)
        if read is not None:
            cuts[name] = read
    return cuts


def _part(value: object, shape: type[_Part], place: str, problems: _Problems) -> _Part | None:
    """The value as `shape`; None and one more problem where it is not."""
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError as invalid:
        problems.append(_explain(value, str(invalid), place))
        return None


def _explain(value: object, message: str, place: str) -> tuple[str, str]:
    """Where below `place` the problem is, and what it is, with the value that was refused."""
    match = _MESSAGE.fullmatch(message)
    assert match is not None
    problem, path = match["problem"], match["path"] or ""
    whole = ".".join(step for step in (place, path) if step) or "setup"
    if beyond := _BETWEEN.match(problem):
        return f"{whole}.{beyond['field']}" if place else beyond["field"], problem
    if "must be" in problem:
        return whole, problem
    if path == "chunker" or "missing required field `chunker`" in problem:
        names = ", ".join(sorted(CHUNKERS))
        return whole, f"it is {_show(_at(value, path))}; the field `chunker` must be one of {names}"
    if "enum value" in problem:
        problem = "it must be off or model"
    return whole, f"it is {_show(_at(value, path))}: {problem[:1].lower()}{problem[1:]}"


def _at(value: object, path: str) -> object:
    for step in path.split("."):
        value = cast(dict[str, object], value).get(step) if isinstance(value, dict) and step else value
    return value


def _show(value: object) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= 80 else f"{text[:80]}..."


def _model_problems(model: str, dimensions_of: DimensionsOf) -> _Problems:
    dimensions = dimensions_of(model)
    if dimensions is None:
        return [("embedding_model", f"it is {model[:100]!r}, which is no embedding model that the gateway knows")]
    if dimensions > MAX_DIMENSIONS:
        problem = f"{model!r} has vectors of {dimensions:,} numbers; the limit is {MAX_DIMENSIONS:,}"
        return [("embedding_model", problem)]
    return []


def _size_problems(setup: Setup) -> _Problems:
    problems: _Problems = []
    if len(setup.chunking) > MAX_DOCUMENT_TYPES:
        problems.append(("chunking", f"it has {len(setup.chunking)} types; the limit is {MAX_DOCUMENT_TYPES}"))
    for name, chunking in setup.chunking.items():
        if not _TYPE_NAME.fullmatch(name):
            must = "a small letter, then at most 39 small letters, digits, - or _"
            problems.append((f"chunking.{name[:60]}", f"the document type is {name[:60]!r}, but must be {must}"))
        problems += [(f"chunking.{name[:60]}.{field}", problem) for field, problem in _beyond(chunking)]
    return problems


def _beyond(chunking: Chunking) -> _Problems:
    """Sizes that are sound in themselves, but would fill an index with crumbs or with lumps."""
    problems: _Problems = []
    for field, (least, most) in _BOUNDS.items():
        try:
            check_between(field, getattr(chunking, field, least), least, most)
        except ValueError as beyond:
            problems.append((field, str(beyond)))
    return problems
