"""How many tokens a call brings along, before any provider has counted them.

Two estimates. `estimate_input_tokens` of a raw body is for reservations: a few searches through
the bytes, meant to lie above the truth. Of a decoded request it walks the words, for callers who
ask how long their messages are. Neither is a count, since each model cuts text its own way;
replies that carry one say so in the header `x-mainspring-tokens: estimated`.

Measured on 30 contracts and 400 of their chunks (CUAD) against the tokenizers cl100k, o200k,
Claude 2's, DeepSeek's and MiniLM's, as estimate by truth. Bytes: median 1.6 to 1.8, 90 % between
1.3 and 2.0; tables of figures come out too low, down to 0.6. Words: median 1.03 to 1.13, 90 %
between 0.9 and 1.3. Short German, Japanese and Russian samples: bytes 0.8 to 3.0, words 0.8 to 2.3.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from mainspring.inference.messages import (
    FilePart,
    ImagePart,
    InferenceRequest,
    Inline,
    Message,
    OpaquePart,
    Part,
    ReasoningPart,
    TextPart,
    Tool,
    ToolCallPart,
    ToolResultPart,
)

TOKENS_HEADER = ("x-mainspring-tokens", "estimated")
"""Said beside every count that is one of these estimates."""

_BYTES_PER_TOKEN = 3
_TOKENS_PER_PICTURE = 1600
_BASE64_BYTES_PER_TOKEN = 40  # of files: a page of a PDF is some 60 KB of base64 and 1,500 tokens
_LEAST_INLINE_BYTES = 256
_TOKENS_PER_MESSAGE = 4
_TOKENS_PER_TOOL = 12
_TOKENS_ALWAYS = 8

_PIECES = re.compile(r"([A-Za-z]+)|([0-9]+)|(\s+)|([\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff])|([^\W\d_]+)|(.)")
_BASE64 = re.compile(rb"[A-Za-z0-9+/=_-]*")
_DATA = b"base64"


def estimate_input_tokens(call: InferenceRequest | bytes) -> int:
    """Tokens of a call's input, by its raw body or by the request in it; at least 1."""
    return _of_body(call) if isinstance(call, bytes) else _of_request(call)


def estimate_text_tokens(size: int) -> int:
    """Tokens of a raw body of so many bytes that holds nothing but text."""
    return max(1, -(-size // _BYTES_PER_TOKEN))


def _of_body(body: bytes) -> int:
    """A third of the bytes; pictures and files inside, which are base64, count by what they show."""
    size, tokens, at = len(body), 0, body.find(_DATA)
    while at >= 0:
        start, end = _inline_at(body, at + len(_DATA))
        if end - start >= _LEAST_INLINE_BYTES:
            size -= end - start
            is_picture = body.find(b"image/", max(0, at - 200), at + 200) >= 0
            tokens += _TOKENS_PER_PICTURE if is_picture else max(1, (end - start) // _BASE64_BYTES_PER_TOKEN)
        at = body.find(_DATA, max(end, at + len(_DATA)))
    return max(1, tokens + -(-size // _BYTES_PER_TOKEN))


def _inline_at(body: bytes, start: int) -> tuple[int, int]:
    """Where the data after a `base64` lies: behind a comma in the same text, or in a field that follows."""
    opening = start
    if body[start : start + 1] != b",":
        field = body.find(b'"data"', start, start + 300)
        opening = body.find(b'"', field + 6, field + 12) if field >= 0 else -1
    run = _BASE64.match(body, opening + 1) if opening >= 0 else None
    return run.span() if run else (start, start)


def _of_request(request: InferenceRequest) -> int:
    tokens = _TOKENS_ALWAYS + sum(_of_message(message) for message in request.messages)
    tokens += sum(_of_tool(tool) for tool in request.tools)
    if request.response_format:
        tokens += _of_json(request.response_format.schema)
    return tokens


def _of_message(message: Message) -> int:
    return _TOKENS_PER_MESSAGE + sum(_of_part(part) for part in message.parts)


def _of_part(part: Part) -> int:
    match part:
        case TextPart(text=text) | ReasoningPart(text=text):
            return count_words(text)
        case ImagePart():
            return _TOKENS_PER_PICTURE
        case FilePart(source=Inline(base64=data)):
            return max(1, len(data) // _BASE64_BYTES_PER_TOKEN)
        case FilePart():
            return _TOKENS_PER_PICTURE
        case ToolCallPart():
            return _TOKENS_PER_TOOL + count_words(part.name) + count_words(part.arguments)
        case ToolResultPart():
            return _TOKENS_PER_TOOL + sum(_of_part(inner) for inner in part.parts)
        case OpaquePart():
            return _of_json(part.extra.fields)


def _of_tool(tool: Tool) -> int:
    return _TOKENS_PER_TOOL + count_words(tool.name) + count_words(tool.description) + _of_json(tool.parameters)


def _of_json(value: Mapping[str, Any]) -> int:
    return count_words(msgspec.json.encode(value).decode())


def count_message(message: Message) -> int:
    """Tokens of what a model said, about; 0 when it said nothing."""
    return sum(_of_part(part) for part in message.parts)


_WIDE = "\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff"
_ONE = re.compile(rf"\s*(?:[^\W\d_{_WIDE}]{{1,32}}|[^\s{_WIDE}]{{1,12}}|[{_WIDE}]{{1,4}})?\s*")


def count_piece(piece: str) -> int:
    """Tokens of one piece of a stream: 1 where it may be a single one, as most providers send them, else by words.

    A word or a few marks may be one token; nothing with a space between words is.
    """
    return 1 if _ONE.fullmatch(piece) else max(1, count_words(piece))


def count_words(text: str) -> int:
    """Tokens of a text, about: short words and marks are one each, digits go by three, other scripts by two letters."""
    return sum(map(_of_piece, _PIECES.finditer(text)))


def _of_piece(piece: re.Match[str]) -> int:
    length = piece.end() - piece.start()
    match piece.lastindex:
        case 1:
            return 1 + (length - 1) // 8
        case 2:
            return -(-length // 3)
        case 3:
            return 1 if length > 1 or piece[0] == "\n" else 0  # a single space belongs to the word after it
        case 5:
            return -(-length // 2)
        case _:
            return 1
