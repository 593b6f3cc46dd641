"""The vendors' own clients, answered with bytes of ours instead of over a network."""

import anthropic
import httpx2
import openai

from mainspring.inference.gateway.providers.wire import Wire, read_object


class Sent:
    """What a client sent: the last path with its query, and all bodies."""

    def __init__(self) -> None:
        self.path = ""
        self.bodies: list[Wire] = []


def openai_client(
    reply: bytes, *, status: int = 200, kind: str = "application/json", headers: dict[str, str] | None = None
) -> tuple[openai.OpenAI, Sent]:
    """OpenAI's client, answered with `reply`; it does not retry."""
    http, sent = _answered(reply, status, {"content-type": kind, **(headers or {})})
    return openai.OpenAI(api_key="k", base_url="http://gateway/v1", http_client=http, max_retries=0), sent


def anthropic_client(
    reply: bytes, *, status: int = 200, kind: str = "application/json", headers: dict[str, str] | None = None
) -> tuple[anthropic.Anthropic, Sent]:
    """Anthropic's client, answered with `reply`; it does not retry."""
    http, sent = _answered(reply, status, {"content-type": kind, **(headers or {})})
    return anthropic.Anthropic(api_key="k", base_url="http://gateway", http_client=http, max_retries=0), sent


def _answered(reply: bytes, status: int, headers: dict[str, str]) -> tuple[httpx2.Client, Sent]:
    sent = Sent()

    def answer(request: httpx2.Request) -> httpx2.Response:
        sent.path = request.url.raw_path.decode()
        sent.bodies.append(read_object(request.content) or {})
        return httpx2.Response(status, content=reply, headers=headers)

    return httpx2.Client(transport=httpx2.MockTransport(answer)), sent
