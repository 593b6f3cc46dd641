"""Azure OpenAI as a dialect that providers are asked in."""

from dataclasses import replace

from mainspring.inference.gateway.providers import openai
from mainspring.inference.gateway.providers.dialects import Outbound

from .endpoints import azure_path
from .failures import failure_of
from .streams import StreamReader


def outbound_of(api_version: str | None) -> Outbound:
    """How a resource is asked; `api_version` is a date of the older API, or None for v1."""

    def path(deployment: str, _is_stream: bool) -> str:
        return azure_path(deployment, api_version=api_version)

    return replace(openai.OUTBOUND, name="azure", path=path, reader=StreamReader, failure_of=failure_of)


OUTBOUND = outbound_of(None)
"""Azure OpenAI's v1 API."""
