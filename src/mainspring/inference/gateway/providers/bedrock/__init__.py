"""The Bedrock dialect: Amazon's Converse, its event stream and its signatures.

The codec is exported here; it needs no HTTP client, and botocore only when a call is to be signed.
"""

from .endpoints import base_model, base_url, path_of
from .failures import failure_in_stream, failure_of
from .frames import EventStreamFramer, encode_event, encode_exception, encode_frame
from .outbound import OUTBOUND
from .requests import decode_request, encode_request
from .responses import decode_completion, encode_completion
from .signing import AwsCredentials, BearerSigner, RequestSigner, SigV4Signer
from .streams import StreamReader
from .tools import REPLY_TOOL
from .writer import StreamWriter

__all__ = [
    "OUTBOUND",
    "REPLY_TOOL",
    "AwsCredentials",
    "BearerSigner",
    "EventStreamFramer",
    "RequestSigner",
    "SigV4Signer",
    "StreamReader",
    "StreamWriter",
    "base_model",
    "base_url",
    "decode_completion",
    "decode_request",
    "encode_completion",
    "encode_event",
    "encode_exception",
    "encode_frame",
    "encode_request",
    "failure_in_stream",
    "failure_of",
    "path_of",
]
