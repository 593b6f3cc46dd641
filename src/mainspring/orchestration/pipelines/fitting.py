"""Whether the types of a pipeline's steps fit together; asked where a step is declared, never while it runs."""

import dataclasses
import types
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from .errors import PipelineInvalid
from .flow import Gathered, Wait
from .types import StepRun

StepFunction = Callable[[Any, StepRun], Awaitable[Any]]

SUBMITTED = "submitted"
"""The field name that stands for the run's input in an assembled step input."""


@dataclass(frozen=True, slots=True)
class Signature:
    """What a step's function takes and gives.

    output_type  behind a `Wait`, what is waited for
    can_wait     whether the function may return a `Wait`
    """

    input_type: Any
    output_type: Any
    can_wait: bool


def read_signature(function: StepFunction, where: str) -> Signature:
    """The types of `async def name(input: Input, run: StepRun) -> Output`; PipelineInvalid for anything else."""
    try:
        hints = get_type_hints(function)
    except NameError as missing:
        raise PipelineInvalid(f"{where} has an annotation that cannot be resolved: {missing}") from missing
    returned = hints.pop("return", None)
    if len(hints) != 2 or returned is None:
        raise PipelineInvalid(
            f"{where} must be `async def name(input: Input, run: StepRun) -> Output`, fully annotated"
        )
    output_type, can_wait = _behind_wait(returned, where)
    return Signature(next(iter(hints.values())), output_type, can_wait)


def _behind_wait(returned: Any, where: str) -> tuple[Any, bool]:
    members = get_args(returned) if get_origin(returned) in {Union, types.UnionType} else (returned,)
    awaited = [get_args(each)[0] for each in members if get_origin(each) is Wait]
    at_once = [each for each in members if get_origin(each) is not Wait]
    if not awaited:
        return returned, False
    if len(awaited) > 1 or (at_once and reduce(or_, at_once) != awaited[0]):
        raise PipelineInvalid(f"{where} may return `Wait[Output]`, or `Output | Wait[Output]` of one Output")
    return awaited[0], True


def fit_parts(input_type: Any, given: Mapping[str, Any], where: str) -> dict[str, Any] | None:
    """The fields to assemble an input from, by name; None when the one output that is given is the input.

    given  names of the steps that are followed, and what each gives
    """
    if not given or (len(given) == 1 and next(iter(given.values())) == input_type):
        return None
    allowed = {SUBMITTED, *given}
    names = {each.name for each in dataclasses.fields(input_type)} if dataclasses.is_dataclass(input_type) else set()
    if not names or not names <= allowed:
        raise PipelineInvalid(
            f"{where} takes {_name(input_type)}; after {', '.join(given)} it must be that step's output type "
            f"({', '.join(map(_name, given.values()))}), or a frozen dataclass with fields among "
            f"{', '.join(sorted(allowed))}"
        )
    hints = get_type_hints(input_type)
    for part in names - {SUBMITTED}:
        if hints[part] != given[part]:
            raise PipelineInvalid(
                f"field {part!r} of {_name(input_type)} must have the type step {part!r} gives, {_name(given[part])}"
            )
    return {each: hints[each] for each in names}


def fit_item(input_type: Any, path: str, given: Mapping[str, Any], where: str) -> None:
    """Check that `path`, such as `chunk.clauses`, leads to a list of what the step takes."""
    head, *fields = path.split(".")
    if head not in given:
        raise PipelineInvalid(
            f"{where} fans out over {path!r}; it must start with one of {', '.join(sorted(given)) or 'no step'}"
        )
    kind = given[head]
    for name in fields:
        kind = _field_type(kind, name, where)
    element = _element_type(kind)
    if element is None or element != input_type:
        raise PipelineInvalid(
            f"{where} takes {_name(input_type)}, one item of {path!r}, but that is {_name(kind)}; "
            f"it must be tuple[{_name(input_type)}, ...] or list[{_name(input_type)}]"
        )


def _field_type(kind: Any, name: str, where: str) -> Any:
    origin = get_origin(kind) or kind
    hints = get_type_hints(origin) if isinstance(origin, type) else {}
    if name not in hints:
        raise PipelineInvalid(f"{where} fans out over the field {name!r}, which {_name(kind)} does not have")
    bound = dict(zip(_parameters(origin), get_args(kind), strict=False))
    return _bind(hints[name], bound)


def _bind(hint: Any, bound: Mapping[Any, Any]) -> Any:
    if isinstance(hint, TypeVar):
        return bound.get(hint, hint)
    parameters = _parameters(hint)
    return hint[tuple(bound.get(each, each) for each in parameters)] if parameters else hint


def _parameters(hint: Any) -> tuple[Any, ...]:
    return cast("tuple[Any, ...]", getattr(hint, "__parameters__", ()))


def _element_type(kind: Any) -> Any:
    match get_origin(kind), get_args(kind):
        case origin, (element,) if origin in {list, Sequence, Iterable}:
            return element
        case origin, (element, second) if origin is tuple and second is Ellipsis:
            return element
        case _:
            return None


def gathered_of(output_type: Any) -> Any:
    """What the steps after a fan-out receive."""
    return Gathered[output_type]


def _name(kind: Any) -> str:
    return kind.__name__ if isinstance(kind, type) and not get_args(kind) else str(kind).replace("typing.", "")
