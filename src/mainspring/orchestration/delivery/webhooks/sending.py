"""One POST to a webhook: through the guard, to a judged address, without redirects, and with an end.

What comes back is data of somebody else: the first kilobyte is kept as text and never interpreted. 2xx is success;
everything else is a failure, a redirect too, as the address behind it was not what the tenant named.
"""

import asyncio
import ssl
from collections.abc import Callable
from datetime import datetime
from email.utils import parsedate_to_datetime

import httpcore
import msgspec

from mainspring.foundation.clock import Clock, now
from mainspring.foundation.db import forbid_open_transaction
from mainspring.foundation.ids import show_id
from mainspring.foundation.webguard import Gate, HostUnreachable, UrlRefused, WebAddress
from mainspring.orchestration.delivery.cloudevents import CloudEvent, write_binary, write_structured
from mainspring.orchestration.delivery.errors import EndpointInvalid
from mainspring.orchestration.delivery.types import (
    EVENT_PREFIX,
    MAX_RESPONSE_BYTES,
    Format,
    Outcome,
    OutgoingEvent,
    Parcel,
)

from .signing import sign

AGENT = "Mainspring-Webhooks/1"
_GONE = 410
_ASKS_FOR_PAUSE = frozenset({429, 502, 503, 504})

Describe = Callable[[OutgoingEvent], CloudEvent]


class WebhookTransport:
    """Posts parcels to web addresses.

    describe  how an event of ours reads as a CloudEvent
    clock     the instants that signatures carry
    """

    def __init__(self, gate: Gate, describe: Describe, *, seconds: float = 15.0, clock: Clock = now) -> None:
        self._gate = gate
        self._describe = describe
        self._seconds = seconds
        self._clock = clock

    def check(self, url: str) -> None:
        """UrlRefused or EndpointInvalid for what can be known to be wrong before anything is sent."""
        address = self._gate.check(url)
        if address.scheme == "http" and not self._gate.is_internal(address.host, address.port):
            raise EndpointInvalid(f"{address.origin} is not encrypted; give an address that begins with https.")

    async def send(self, parcel: Parcel) -> Outcome:
        """Post it once."""
        forbid_open_transaction("a webhook")
        try:
            self.check(parcel.url)
            address = self._gate.check(parcel.url)
            async with asyncio.timeout(self._seconds):
                return await self._post(address, *self._write(parcel))
        except (UrlRefused, EndpointInvalid, HostUnreachable) as refused:
            return Outcome(succeeded=False, error=refused.detail)
        except (TimeoutError, httpcore.TimeoutException):
            return Outcome(succeeded=False, error=f"No answer within {self._seconds:g} s.")
        except (httpcore.NetworkError, httpcore.ProtocolError, ssl.SSLError) as failure:
            return Outcome(succeeded=False, error=f"The connection failed ({type(failure).__name__}).")

    def _write(self, parcel: Parcel) -> tuple[dict[str, str], bytes]:
        event = parcel.event
        match parcel.format:
            case Format.STANDARD_WEBHOOKS:
                shown = {"type": event.topic, "timestamp": event.occurred_at, "data": event.data}
                headers, body = {"content-type": "application/json"}, msgspec.json.encode(shown)
            case Format.PLAIN:
                headers, body = {"content-type": "application/json"}, msgspec.json.encode(event.data)
            case Format.CLOUDEVENTS:
                headers, body = write_structured(self._describe(event))
            case Format.CLOUDEVENTS_BINARY:
                headers, body = write_binary(self._describe(event))
        identifier, instant = show_id(EVENT_PREFIX, event.id), int(self._clock().timestamp())
        return headers | sign(parcel.secrets, message=identifier, timestamp=instant, body=body), body

    async def _post(self, address: WebAddress, headers: dict[str, str], body: bytes) -> Outcome:
        request = httpcore.Request(
            "POST",
            httpcore.URL(
                scheme=address.scheme.encode(),
                host=address.host.encode(),
                port=address.port,
                target=address.target.encode(),
            ),
            headers=[
                ("host", address.authority),
                ("user-agent", AGENT),
                ("accept", "*/*"),
                ("content-length", str(len(body))),
                ("connection", "close"),
                *headers.items(),
            ],
            content=body,
            extensions={"timeout": dict.fromkeys(("connect", "read", "write", "pool"), self._seconds)},
        )
        async with self._gate.pool() as pool:
            response = await pool.handle_async_request(request)
            try:
                return _judge(response, await _read_beginning(response), self._clock())
            finally:
                await response.aclose()


def _judge(response: httpcore.Response, beginning: str, instant: datetime) -> Outcome:
    status = response.status
    is_success = 200 <= status < 300
    return Outcome(
        succeeded=is_success,
        status=status,
        error=None if is_success else f"The endpoint answered {status}.",
        response=beginning,
        retry_after_seconds=_asked_pause(response, instant) if status in _ASKS_FOR_PAUSE else None,
        is_gone=status == _GONE,
    )


async def _read_beginning(response: httpcore.Response) -> str:
    """The first kilobyte as text that Postgres takes; what follows is not read."""
    beginning = b""
    async for piece in response.aiter_stream():
        beginning += piece
        if len(beginning) >= MAX_RESPONSE_BYTES:
            break
    return beginning[:MAX_RESPONSE_BYTES].decode("utf-8", "replace").replace("\0", "\ufffd")


def _asked_pause(response: httpcore.Response, instant: datetime) -> float | None:
    asked = next((value.decode("latin-1") for name, value in response.headers if name.lower() == b"retry-after"), "")
    if asked.isdigit() and len(asked) < 9:
        return float(asked)
    try:
        return max(0.0, (parsedate_to_datetime(asked) - instant).total_seconds())
    except (TypeError, ValueError):
        return None
