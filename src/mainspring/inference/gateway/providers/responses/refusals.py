"""How a caller of the responses dialect is told that a call failed: as in chat, about its own fields."""

from mainspring.foundation.errors import MainspringError
from mainspring.inference.gateway.errors import ContextTooLong
from mainspring.inference.gateway.providers import openai
from mainspring.inference.gateway.providers.wire import Wire


def encode_error(error: MainspringError) -> Wire:
    """The body of the reply."""
    wire = openai.encode_error(error)
    if isinstance(error, ContextTooLong):
        wire["error"]["param"] = "input"
    return wire
