"""Bedrock's Converse as a dialect that providers are asked in."""

from mainspring.inference.gateway.providers.dialects import Outbound

from .endpoints import path_of
from .failures import failure_of
from .frames import EventStreamFramer
from .requests import encode_request
from .responses import decode_completion
from .streams import StreamReader

OUTBOUND = Outbound(
    name="bedrock",
    path=path_of,
    encode_request=encode_request,
    decode_completion=decode_completion,
    framer=EventStreamFramer,
    reader=StreamReader,
    failure_of=failure_of,
)
"""Any model of Amazon Bedrock that Converse serves."""
