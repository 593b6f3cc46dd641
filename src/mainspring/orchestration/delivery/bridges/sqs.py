"""Amazon SQS by its JSON protocol: the URL is the queue's, requests are signed with the credentials in the secret.

Requests go through the guard. A refused message is left to the queue's redrive policy, which moves it to the dead
letters after so many receptions; SQS has no other way. A queue whose name ends with `.fifo` keeps one of several
messages of the same id within five minutes. Needs the extra `mainspring[bedrock]`, whose signer it uses.
"""

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import httpcore
import msgspec
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from mainspring.foundation.db import forbid_open_transaction
from mainspring.foundation.webguard import Gate, HostUnreachable
from mainspring.orchestration.delivery.errors import EndpointInvalid

from .queue import Queue, QueueAddress, QueueGone, Received

CREDENTIALS = frozenset({"access_key", "secret_key", "session_token", "region"})
_MAX_MESSAGES, _MAX_WAIT_SECONDS, _MAX_HIDDEN_SECONDS = 10, 20, 43_200
_HIDDEN_SECONDS = 60
_SECONDS = 30
_MAX_ATTRIBUTES = 10
_GONE = (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, ssl.SSLError, TimeoutError)


class Sqs:
    """Opens queues of SQS. The URL is the queue's; the address repeats the queue's name, for people."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def check(self, address: QueueAddress, *, receives: bool) -> None:
        """The URL, and that the credentials can sign; see `QueueKind`."""
        read = self._gate.check(address.url)
        if read.scheme == "http" and not self._gate.is_internal(read.host, read.port):
            raise EndpointInvalid(f"{read.origin} is not encrypted; give an address that begins with https.")
        if missing := [name for name in ("access_key", "secret_key", "region") if not address.credentials.get(name)]:
            raise EndpointInvalid(f"The secret lacks {' and '.join(missing)}.")

    async def open(self, address: QueueAddress) -> Queue:
        """Nothing is opened until the first request."""
        self.check(address, receives=True)
        return _SqsQueue(self._gate, address)


class _SqsQueue:
    def __init__(self, gate: Gate, address: QueueAddress) -> None:
        self._gate = gate
        self._address = address
        self._is_fifo = address.url.endswith(".fifo")

    async def receive(self, limit: int, *, patience: timedelta) -> Sequence[Received]:
        """A long poll."""
        answer = await self.call(
            "ReceiveMessage",
            MaxNumberOfMessages=min(limit, _MAX_MESSAGES),
            WaitTimeSeconds=min(int(patience.total_seconds()), _MAX_WAIT_SECONDS),
            VisibilityTimeout=_HIDDEN_SECONDS,
            MessageAttributeNames=["All"],
        )
        return [_SqsMessage(self, each) for each in answer.get("Messages") or ()]

    async def publish(self, body: bytes, headers: Mapping[str, str], *, once: str) -> None:
        """Send the message; at most ten headers travel with it, which is what SQS allows."""
        attributes = {
            name: {"DataType": "String", "StringValue": value}
            for name, value in list(headers.items())[:_MAX_ATTRIBUTES]
        }
        fifo = {"MessageDeduplicationId": once, "MessageGroupId": "mainspring"} if self._is_fifo else {}
        await self.call("SendMessage", MessageBody=body.decode(), MessageAttributes=attributes, **fifo)

    async def close(self) -> None:
        """Nothing is open between requests."""

    async def call(self, action: str, **facts: object) -> dict[str, Any]:
        """One action of SQS; QueueGone when it fails."""
        forbid_open_transaction("SQS")
        body = msgspec.json.encode({"QueueUrl": self._address.url, **facts})
        address = self._gate.check(self._address.url)
        headers = sign_request(self._address, f"{address.origin}/", action, body)
        request = httpcore.Request(
            "POST",
            f"{address.origin}/",
            headers=[("host", address.authority), ("content-length", str(len(body))), *headers.items()],
            content=body,
            extensions={"timeout": dict.fromkeys(("connect", "read", "write", "pool"), float(_SECONDS))},
        )
        try:
            async with asyncio.timeout(_SECONDS), self._gate.pool() as pool:
                response = await pool.handle_async_request(request)
                answer = await response.aread()
                await response.aclose()
        except HostUnreachable as unreachable:
            raise QueueGone(unreachable.detail) from None
        except _GONE as failure:
            raise QueueGone(f"SQS at {address.host} cannot be reached ({type(failure).__name__}).") from None
        if response.status != 200:
            raise QueueGone(f"SQS answered {response.status} to {action}: {_reason(answer)}.")
        return msgspec.json.decode(answer or b"{}")


class _SqsMessage:
    def __init__(self, queue: _SqsQueue, message: Mapping[str, Any]) -> None:
        self._queue = queue
        self._receipt = message["ReceiptHandle"]
        self.id = str(message["MessageId"])
        self.body = str(message["Body"]).encode()
        attributes: Mapping[str, Any] = message.get("MessageAttributes") or {}
        self.headers: Mapping[str, str] = {
            name.lower(): str(each.get("StringValue", "")) for name, each in attributes.items()
        }

    async def done(self) -> None:
        """Delete it."""
        await self._queue.call("DeleteMessage", ReceiptHandle=self._receipt)

    async def later(self, pause: timedelta) -> None:
        """Show it again after the pause, twelve hours at most."""
        await self._hide(min(int(pause.total_seconds()), _MAX_HIDDEN_SECONDS))

    async def refuse(self) -> None:
        """Show it again at once, so that the redrive policy soon has it."""
        await self._hide(0)

    async def hold(self) -> None:
        """Hide it for another minute."""
        await self._hide(_HIDDEN_SECONDS)

    async def _hide(self, seconds: int) -> None:
        await self._queue.call("ChangeMessageVisibility", ReceiptHandle=self._receipt, VisibilityTimeout=seconds)


def sign_request(address: QueueAddress, url: str, action: str, body: bytes) -> dict[str, str]:
    """The headers of a request, signed as AWS has it (version 4)."""
    given = address.credentials
    headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"AmazonSQS.{action}"}
    request = AWSRequest("POST", url, headers, body)
    credentials = Credentials(given["access_key"], given["secret_key"], given.get("session_token"))
    SigV4Auth(credentials, "sqs", given["region"]).add_auth(request)
    return {str(name).lower(): str(value) for name, value in request.headers.items()}


def _reason(answer: bytes) -> str:
    try:
        told: dict[str, Any] = msgspec.json.decode(answer, type=dict[str, Any])
    except msgspec.MsgspecError:
        return "no reason"
    return str(told.get("__type", "no reason")).rpartition("#")[2][:100]
