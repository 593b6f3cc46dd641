"""Pictures and files of the Gemini dialect, which has one shape for both: the type tells which it is.

A link must often name its type too, so one that the address gives away is sent along; a file
uploaded before goes by its full address.
"""

from posixpath import splitext
from typing import Any
from urllib.parse import urlsplit

from mainspring.inference.gateway.errors import InvalidRequest
from mainspring.inference.gateway.providers.wire import Wire, rest, without_nulls
from mainspring.inference.messages import FilePart, ImagePart, Inline, Link, Source, Stored

_FILES = "https://generativelanguage.googleapis.com/v1beta/"
_TYPES = {
    ".gif": "image/gif",
    ".heic": "image/heic",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".mp3": "audio/mpeg",
    ".mp4": "video/mp4",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".txt": "text/plain",
    ".wav": "audio/wav",
    ".webp": "image/webp",
}


def encode_media(source: Source) -> Wire:
    """The part of a picture or file; InvalidRequest for a file stored with another provider."""
    match source:
        case Inline():
            return {"inlineData": {"mimeType": source.media_type, "data": source.base64}}
        case Link():
            return {"fileData": without_nulls({"mimeType": _type_of(source.url), "fileUri": source.url})}
        case Stored(file_id=file_id) if file_id.startswith("files/"):
            return {"fileData": {"fileUri": _FILES + file_id}}
        case Stored():
            raise InvalidRequest("A file stored with another provider cannot be sent in this dialect; send it inline.")


def decode_inline_data(dialect: str, wire: Wire) -> ImagePart | FilePart:
    """The picture or file in a part that holds `inlineData`."""
    data: Wire = wire["inlineData"]
    source = Inline(data["data"], data["mimeType"])
    inner = rest(dialect, data, ("mimeType", "data"))
    return _media(dialect, source, data["mimeType"], {**wire, "inlineData": inner.fields if inner else None})


def decode_file_data(dialect: str, wire: Wire) -> ImagePart | FilePart:
    """The picture or file in a part that holds `fileData`."""
    data: Wire = wire["fileData"]
    url, media_type = data["fileUri"], str(data.get("mimeType") or "")
    source = Stored(url.removeprefix(_FILES)) if url.startswith(_FILES + "files/") else Link(url)
    implied = encode_media(source)["fileData"].get("mimeType")
    known = ("fileUri", "mimeType") if implied == (media_type or None) else ("fileUri",)
    inner = rest(dialect, data, known)
    return _media(dialect, source, media_type, {**wire, "fileData": inner.fields if inner else None})


def _media(dialect: str, source: Source, media_type: str, unknown: dict[str, Any]) -> ImagePart | FilePart:
    extra = rest(dialect, unknown, ())
    if media_type.startswith("image/"):
        return ImagePart(source, extra)
    data: Any = unknown.get("inlineData") or unknown.get("fileData") or {}
    name: object = data.get("displayName")
    return FilePart(source, name if isinstance(name, str) else None, extra)


def _type_of(url: str) -> str | None:
    try:
        return _TYPES.get(splitext(urlsplit(url).path)[1].lower())
    except ValueError:
        return None
