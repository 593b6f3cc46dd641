"""Content parts of the responses dialect, to the normal form and back."""

from typing import Any

from mainspring.inference.gateway.errors import InvalidRequest
from mainspring.inference.gateway.providers.wire import (
    Wire,
    as_list,
    put_back,
    rest,
    without_nulls,
    words,
)
from mainspring.inference.messages import (
    Extra,
    FilePart,
    ImagePart,
    Inline,
    Link,
    OpaquePart,
    Part,
    Source,
    Stored,
    TextPart,
)

DIALECT = "responses"


def decode_content(content: object) -> list[Part]:
    """The parts of a `content` or `output`, which is a text, a list of parts or null."""
    if isinstance(content, str):
        return [TextPart(content)] if content else []
    return as_list(content, _decode_part)


def encode_content(parts: tuple[Part, ...], *, is_output: bool) -> list[Wire]:
    """The wire parts of what a turn says; `is_output` for what the model itself said."""
    return [wire for part in parts for wire in _encode_part(part, is_output)]


def is_content(part: Part) -> bool:
    """Whether a part stands inside a message, not beside it as an item of its own."""
    if isinstance(part, OpaquePart):
        kind = str(part.extra.fields.get("type", ""))
        return part.extra.dialect == DIALECT and kind.startswith(("input_", "output_"))
    return isinstance(part, TextPart | ImagePart | FilePart)


def _decode_part(wire: Wire) -> Part:
    match wire:
        case {"type": "input_text" | "output_text" | "text", "text": str(text)}:
            return TextPart(text, rest(DIALECT, wire, ("type", "text", "annotations", "logprobs")))
        case {"type": "refusal", "refusal": str(text)}:
            return TextPart(text)
        case {"type": "input_image"} if source := _read_source(wire, "image_url"):
            return ImagePart(source, rest(DIALECT, wire, ("type", "image_url", "file_id")))
        case {"type": "input_file"} if source := _read_source(wire, "file_data", "file_url"):
            known = ("type", "file_id", "file_data", "file_url", "filename")
            return FilePart(source, words(wire, "filename"), rest(DIALECT, wire, known))
        case {"type": str()}:
            return OpaquePart(Extra(DIALECT, wire))
        case _:
            raise InvalidRequest("A content part has no type; give it one, such as input_text.")


def _encode_part(part: Part, is_output: bool) -> list[Wire]:
    match part:
        case TextPart():
            return [_encode_text(part, is_output)]
        case ImagePart():
            wire = {"type": "input_image", **_write_source(part.source, inline="image_url", link="image_url")}
            if not (part.extra and part.extra.dialect == DIALECT):
                wire["detail"] = _detail(part.extra)
        case FilePart():
            wire = {"type": "input_file", **_write_source(part.source, inline="file_data", link="file_url")}
            wire |= without_nulls({"filename": part.name or _default_name(part.source)})
        case OpaquePart(extra=Extra(dialect="responses", fields=fields)):
            return [dict(fields)]
        case _:
            return []
    return [put_back(DIALECT, wire, part.extra)]


def _encode_text(part: TextPart, is_output: bool) -> Wire:
    wire: Wire = {"type": "output_text" if is_output else "input_text", "text": part.text}
    wire = put_back(DIALECT, wire, part.extra)
    wire.pop("phase", None)  # it belongs to the item around it
    return wire


def _read_source(wire: Wire, *names: str) -> Source | None:
    for name in names:
        if isinstance(found := wire.get(name), str):
            head, comma, data = found.partition(";base64,")
            return Inline(data, head.removeprefix("data:")) if comma and head.startswith("data:") else Link(found)
    return Stored(wire["file_id"]) if isinstance(wire.get("file_id"), str) else None


def _write_source(source: Source, *, inline: str, link: str) -> dict[str, Any]:
    match source:
        case Inline():
            return {inline: f"data:{source.media_type};base64,{source.base64}"}
        case Link():
            return {link: source.url}
        case Stored():
            return {"file_id": source.file_id}


def _default_name(source: Source) -> str | None:
    """Inline files must have a name here."""
    if not isinstance(source, Inline):
        return None
    return "document.pdf" if source.media_type == "application/pdf" else "document.txt"


def _detail(extra: Extra | None) -> str:
    inner: object = extra.fields.get("image_url") if extra and extra.dialect == "openai" else None
    return str(inner.get("detail", "auto")) if isinstance(inner, dict) else "auto"
