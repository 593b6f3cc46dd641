"""Values that follow, or violate, the JSON Schema that a request asks for."""

from typing import Any

from .script import Wire

_PLAIN: dict[str, Any] = {"string": "text", "integer": 1, "number": 1.5, "boolean": True, "null": None}


def find_schema(wire: Wire) -> Wire | None:
    """The schema that the answer's text must follow, in whichever dialect it was asked for."""
    formats = (
        _inside(wire, "response_format", "json_schema"),
        _inside(wire, "text", "format"),
        _inside(wire, "output_config", "format"),
        _inside(wire, "output_format"),
    )
    return next((schema for each in formats if (schema := _inside(each, "schema"))), None)


def find_forced_tool(wire: Wire) -> tuple[str, Wire] | None:
    """Name and schema of the tool that the request insists on."""
    choice: Any = wire.get("tool_choice")
    if not isinstance(choice, dict):
        return None
    name: Any = choice.get("name") or _inside(choice, "function").get("name")
    for tool in wire.get("tools", []):
        described = tool.get("function", tool)
        if name and described.get("name") == name:
            return str(name), described.get("input_schema") or described.get("parameters") or {}
    return None


def following(schema: Wire, root: Wire | None = None) -> Any:
    """The smallest value that fits: required fields only, first choices, least lengths."""
    root = schema if root is None else root
    if "$ref" in schema:
        return following(_resolve(str(schema["$ref"]), root), root)
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return following(schema[key][0], root)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    return _of_type(schema, root)


def violating(schema: Wire) -> Any:
    """A value that does not fit: a required field is missing, or the type is wrong."""
    value = following(schema)
    if isinstance(value, dict) and value:
        first, *_ = value
        return {key: each for key, each in value.items() if key != first}
    return "not what was asked for" if not isinstance(value, str) else {"unexpected": True}


def _of_type(schema: Wire, root: Wire) -> Any:
    kind = schema.get("type", "object")
    kind = kind[0] if isinstance(kind, list) else kind
    match kind:
        case "object":
            properties: Wire = schema.get("properties", {})
            return {name: following(properties.get(name, {}), root) for name in schema.get("required", [])}
        case "array":
            return [following(schema.get("items", {}), root) for _ in range(int(schema.get("minItems", 1)))]
        case "string":
            return "text".ljust(int(schema.get("minLength", 0)), "t")[: int(schema.get("maxLength", 1000))]
        case "integer" | "number" if "minimum" in schema:
            return schema["minimum"]
        case _:
            return _PLAIN.get(str(kind))


def _resolve(reference: str, root: Wire) -> Wire:
    found: Any = root
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


def _inside(wire: Wire, *path: str) -> Wire:
    found: Any = wire
    for part in path:
        found = found.get(part) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}
