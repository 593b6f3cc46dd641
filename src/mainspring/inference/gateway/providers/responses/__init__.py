"""The responses dialect: OpenAI's newer way of asking, spoken statelessly."""

from .dialect import INBOUND, OUTBOUND
from .refusals import encode_error
from .replies import decode_completion, encode_completion
from .requests import decode_request, encode_request
from .streams import StreamReader
from .writer import StreamWriter, error_event

__all__ = [
    "INBOUND",
    "OUTBOUND",
    "StreamReader",
    "StreamWriter",
    "decode_completion",
    "decode_request",
    "encode_completion",
    "encode_error",
    "encode_request",
    "error_event",
]
