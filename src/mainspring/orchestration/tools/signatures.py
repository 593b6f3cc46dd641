"""A function's signature as the strict JSON schema that a model is shown, and JSON as the arguments of that function.

Both come from one struct made of the parameters, so that what the schema allows is what the function gets: frozen
dataclasses, enums, lists, dates and optional values arrive as such. A description is a text in `Annotated`:

    async def find(ctx: ToolContext, words: Annotated[str, "what to look for"], limit: int = 10) -> list[Hit]: ...
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import msgspec

from .errors import ToolInvalid
from .types import Json, ToolContext

_OBJECT = {"type": "object", "properties": {}, "additionalProperties": False}


@dataclass(frozen=True, slots=True)
class Signature:
    """What a function takes.

    schema         of the arguments that a model writes, context left out
    takes_context  whether its first parameter is a ToolContext
    """

    schema: Mapping[str, Json]
    takes_context: bool
    _shape: type[msgspec.Struct]

    def read(self, arguments: Mapping[str, Json]) -> dict[str, Any]:
        """JSON arguments as keywords for the function; msgspec.ValidationError when they do not fit."""
        shaped = msgspec.convert(dict(arguments), self._shape)
        return {name: getattr(shaped, name) for name in shaped.__struct_fields__}


def read_signature(function: Callable[..., Any]) -> Signature:
    """The signature of a tool's function; ToolInvalid names what it must not have."""
    name = function.__name__
    parameters = list(inspect.signature(function).parameters.values())
    hints = _hints_of(function)
    takes_context = bool(parameters) and hints.get(parameters[0].name) is ToolContext
    fields: list[Any] = []
    for parameter in parameters[takes_context:]:
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise ToolInvalid(f"The tool {name} takes {parameter}; a model can only name its arguments one by one.")
        if parameter.name not in hints:
            raise ToolInvalid(f"The parameter {parameter.name!r} of the tool {name} has no type; annotate it.")
        field = (parameter.name, _described(hints[parameter.name]))
        fields.append(field if parameter.default is parameter.empty else (*field, parameter.default))
    try:
        shape = msgspec.defstruct(name, fields, frozen=True, kw_only=True, forbid_unknown_fields=True)
        return Signature(schema_of(shape), takes_context, shape)
    except (TypeError, ValueError) as unfit:
        raise ToolInvalid(f"The tool {name} has a parameter that has no JSON form: {unfit}") from unfit


def _hints_of(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return get_type_hints(function, include_extras=True)
    except NameError as missing:
        raise ToolInvalid(f"An annotation of the tool {function.__name__} cannot be resolved: {missing}") from missing


def _described(hint: Any) -> Any:
    """The type, with texts in `Annotated` as what msgspec takes for descriptions."""
    if get_origin(hint) is not Annotated:
        return hint
    kind, *notes = get_args(hint)
    described = [msgspec.Meta(description=note) if isinstance(note, str) else note for note in notes]
    return Annotated[(kind, *described)]


def schema_of(shape: type[Any]) -> dict[str, Json]:
    """The strict JSON schema of a struct or dataclass; TypeError for what has no JSON form."""
    (root,), parts = msgspec.json.schema_components([shape], ref_template="#/$defs/{name}")
    own = root["$ref"].rpartition("/")[2]
    schema = {**_OBJECT, **_closed(parts.pop(own))}
    return {**schema, "$defs": {name: _closed(part) for name, part in parts.items()}} if parts else schema


def _closed(schema: Any) -> Any:
    """Without titles that say nothing, and with no property allowed that is not named."""
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(value) for key, value in schema.items() if key != "title" or not isinstance(value, str)}
    for names in ("properties", "$defs"):
        if names in schema:  # their keys are names, and one may be called `title`
            closed[names] = {key: _closed(value) for key, value in schema[names].items()}
    if schema.get("type") == "object" and "properties" in schema:
        closed["additionalProperties"] = False
    return closed
