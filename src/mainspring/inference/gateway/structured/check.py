"""Whether a reply is the JSON that was asked for, and if not, what is wrong, in lines that a model can act on.

A code fence around the JSON is forgiven; words around it are not. The decoded value goes to the
compiled validator; on a misfit up to five violations are worded, each with its JSON pointer. The
lines quote names and limits of the schema and short pieces of the reply, nothing else.
"""

from dataclasses import dataclass
from itertools import islice
from typing import Any

import msgspec
from jsonschema_rs import ValidationError, ValidationErrorKind

from .compiled import SCHEMAS, CompiledSchema, Schema, depth_of

MAX_VIOLATIONS = 5
_COUNTED = 50
_MAX_DEPTH = 200
_QUOTE = 80


@dataclass(frozen=True, slots=True)
class Violation:
    """pointer: RFC 6901, empty for the whole reply; problem: one line."""

    pointer: str
    problem: str

    def __str__(self) -> str:
        return f"{self.pointer or 'the reply'}: {self.problem}"


@dataclass(frozen=True, slots=True)
class Fit:
    """The reply as a JSON value."""

    value: Any


@dataclass(frozen=True, slots=True)
class Misfit:
    """Why a reply does not fit.

    violations   at least one, at most five
    count        how many were found; of 50 and more it is 50
    is_json      the reply could be read, so the violations are those of the schema
    """

    violations: tuple[Violation, ...]
    count: int = 1
    is_json: bool = True

    @property
    def lines(self) -> tuple[str, ...]:
        """The violations as text."""
        return tuple(str(violation) for violation in self.violations)


def check(schema: Schema | CompiledSchema, text: str) -> Fit | Misfit:
    """The value in a reply, or its violations; InvalidRequest when the schema itself cannot be used."""
    compiled = schema if isinstance(schema, CompiledSchema) else SCHEMAS.compile(schema)
    try:
        value = msgspec.json.decode(strip_fence(text))
    except (msgspec.DecodeError, UnicodeEncodeError) as unfit:
        return _not_json(f"it is not one JSON value ({unfit})" if text.strip() else "it is empty")
    except RecursionError:
        return _not_json("it is nested too deep to be read")
    if depth_of(value, _MAX_DEPTH) > _MAX_DEPTH or compiled.burden.forbids(value):
        return Misfit((Violation("", "it is nested too deep to be checked against this schema"),))
    if compiled.validator.is_valid(value):
        return Fit(value)
    found = list(islice(compiled.validator.iter_errors(value), _COUNTED))
    worded = dict.fromkeys(violation for error in found for violation in _word(error))
    return Misfit(tuple(worded)[:MAX_VIOLATIONS], max(1, len(found)))


def strip_fence(text: str) -> str:
    """Models that are only asked for JSON like to put it in a code fence."""
    text = text.strip()
    if text.startswith("```") and text.endswith("```"):
        return text.partition("\n")[2].removesuffix("```")
    return text


def pointer_to(path: list[str | int]) -> str:
    """A path as a JSON pointer; the middle of a long one is left out."""
    steps = [str(step).replace("~", "~0").replace("/", "~1") for step in path]
    shown = [*steps[:6], "...", *steps[-2:]] if len(steps) > 9 else steps
    return "".join(f"/{step[:_QUOTE]}" for step in shown)


def _not_json(problem: str) -> Misfit:
    return Misfit((Violation("", problem),), is_json=False)


def _word(error: ValidationError) -> list[Violation]:
    pointer = pointer_to(error.instance_path)
    match error.kind:
        case ValidationErrorKind.Required(property=name):
            return [Violation(pointer, f"the property {_quote(name)} is missing")]
        case ValidationErrorKind.AdditionalProperties(unexpected=names):
            return [Violation(pointer, f"the property {_quote(name)} is not allowed") for name in names[:3]]
        case ValidationErrorKind.Enum(options=options):
            shown = ", ".join(_quote(option) for option in options[:12]) + (", ..." if len(options) > 12 else "")
            return [Violation(pointer, f"{_quote(error.instance)} is not one of {shown}")]
        case ValidationErrorKind.Type(types=types):
            return [Violation(pointer, f"{_quote(error.instance)} is not of type {' or '.join(types)}")]
        case ValidationErrorKind.AnyOf(context=context) | ValidationErrorKind.OneOfNotValid(context=context):
            return _word_branches(error, context)
        case ValidationErrorKind.BacktrackLimitExceeded() | ValidationErrorKind.RegexEngineFailure():
            return [Violation(pointer, "its pattern takes too long to try on this value")]
        case _:
            return [Violation(pointer, error.message.replace("\n", " ")[:200])]


def _word_branches(error: ValidationError, context: list[list[ValidationError]]) -> list[Violation]:
    """The branch that came nearest: the one whose fewest errors are not about the value's own type."""
    here = error.instance_path
    nearest = min(
        (branch for branch in context if branch),
        key=lambda branch: (any(_is_other_type(inner, here) for inner in branch), len(branch)),
        default=None,
    )
    if nearest is None or any(_is_other_type(inner, here) for inner in nearest):
        types = list(dict.fromkeys(t for branch in context for inner in branch for t in _types(inner)))
        asked = f"of type {' or '.join(types)}" if types else "any of the allowed forms"
        return [Violation(pointer_to(here), f"{_quote(error.instance)} is not {asked}")]
    return [violation for inner in nearest[:2] for violation in _word(inner)]


def _is_other_type(error: ValidationError, path: list[str | int]) -> bool:
    return isinstance(error.kind, ValidationErrorKind.Type) and error.instance_path == path


def _types(error: ValidationError) -> list[str]:
    return error.kind.types if isinstance(error.kind, ValidationErrorKind.Type) else []


def _quote(value: object) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= _QUOTE else f"{text[: _QUOTE - 3]}..."
