"""Pictures and documents: formats are words of a short list, and a document must have a plain name."""

import re
from collections.abc import Mapping
from zlib import crc32

from mainspring.inference.gateway.errors import InvalidRequest
from mainspring.inference.gateway.providers.wire import (
    Wire,
    put_back,
    words,
)
from mainspring.inference.messages import Extra, FilePart, ImagePart, Inline, Link, Source, Stored

DIALECT = "bedrock"
_IMAGES = {"png": "image/png", "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp"}
_DOCUMENTS = {
    "pdf": "application/pdf",
    "csv": "text/csv",
    "doc": "application/msword",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xls": "application/vnd.ms-excel",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "html": "text/html",
    "txt": "text/plain",
    "md": "text/markdown",
}
_IMAGE_FORMATS = {media_type: name for name, media_type in _IMAGES.items()} | {"image/jpg": "jpeg"}
_DOCUMENT_FORMATS = {media_type: name for name, media_type in _DOCUMENTS.items()}
_REFUSED_IN_NAMES = re.compile(r"[^A-Za-z0-9\s()\[\]-]+")
_MAX_NAME = 200


def encode_image(part: ImagePart) -> Wire:
    """An `image` block."""
    wire: Wire = {"format": _format(part.source, part.extra, _IMAGE_FORMATS), "source": _encode_source(part.source)}
    return {"image": put_back(DIALECT, wire, part.extra)}


def encode_document(part: FilePart) -> Wire:
    """A `document` block; what the name may not hold is left out of it."""
    format_ = _format(part.source, part.extra, _DOCUMENT_FORMATS)
    wire: Wire = {"format": format_, "name": _name(part, format_), "source": _encode_source(part.source)}
    return {"document": put_back(DIALECT, wire, part.extra)}


def decode_image(wire: Wire) -> ImagePart | None:
    """The picture in an `image`; None when its source has no word in the normal form."""
    found = _decode_source(wire, _IMAGES, ("source",))
    return ImagePart(*found) if found else None


def decode_document(wire: Wire) -> FilePart | None:
    """The document in a `document`; None when its source has no word in the normal form."""
    found = _decode_source(wire, _DOCUMENTS, ("source", "name"))
    return FilePart(found[0], words(wire, "name"), found[1]) if found else None


def _encode_source(source: Source) -> Wire:
    match source:
        case Inline():
            return {"bytes": source.base64}
        case Link(url=url) if url.startswith("s3://"):
            return {"s3Location": {"uri": url}}
        case Link():
            raise InvalidRequest("This model takes links to S3 only (s3://bucket/key); send the content inline.")
        case Stored():
            raise InvalidRequest("A file stored with another provider cannot be sent to this model; send it inline.")


def _decode_source(
    wire: Wire, media_types: Mapping[str, str], known: tuple[str, ...]
) -> tuple[Source, Extra | None] | None:
    rest = {name: value for name, value in wire.items() if name not in known and value is not None}
    match wire.get("source"):
        case {"bytes": str(data)}:
            format_ = str(rest.get("format", ""))
            if format_ in media_types:
                del rest["format"]
            return Inline(data, media_types.get(format_, "application/octet-stream")), _extra(rest)
        case {"s3Location": {"uri": str(uri), **place}}:
            whole = {"source": {"s3Location": {"uri": uri, **place}}} if place else {}
            return Link(uri), _extra(rest | whole)
        case _:
            return None


def _extra(fields: Wire) -> Extra | None:
    return Extra(DIALECT, fields) if fields else None


def _format(source: Source, extra: Extra | None, formats: Mapping[str, str]) -> str:
    """The format's word: what the caller wrote, or by the media type, or by the ending of a link."""
    if extra and extra.dialect == DIALECT and "format" in extra.fields:
        return str(extra.fields["format"])
    if isinstance(source, Link):
        ending = source.url.rpartition(".")[2].lower()
        found = {**{word: word for word in formats.values()}, "jpg": "jpeg", "htm": "html"}.get(ending)
        given = f"the ending {ending!r}" if len(ending) < 8 else "no ending"
    else:
        media_type = source.media_type.partition(";")[0].strip().lower() if isinstance(source, Inline) else ""
        found, given = formats.get(media_type), f"the media type {media_type!r}"
    if found is None:
        raise InvalidRequest(f"A file has {given}; this model takes {', '.join(sorted(set(formats.values())))}.")
    return found


def _name(part: FilePart, format_: str) -> str:
    stem = (part.name or "").removesuffix(f".{format_}")
    plain = " ".join(_REFUSED_IN_NAMES.sub(" ", stem).split())[:_MAX_NAME].strip()
    if plain:
        return plain
    # Names must differ within a call, and be the same in each turn, or cached prompts are read anew.
    return f"document-{crc32(repr(part.source).encode()):08x}"
