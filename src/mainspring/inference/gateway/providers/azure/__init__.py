"""Azure OpenAI: the OpenAI dialect at another address, with content filters of its own.

The model of a call is the name of a deployment. `OUTBOUND` asks the v1 API; `outbound_of` the older
one, whose address holds the deployment and a dated version.
"""

from .endpoints import azure_path, base_url, key_header, served_region
from .failures import failure_of
from .outbound import OUTBOUND, outbound_of
from .streams import StreamReader

__all__ = [
    "OUTBOUND",
    "StreamReader",
    "azure_path",
    "base_url",
    "failure_of",
    "key_header",
    "outbound_of",
    "served_region",
]
