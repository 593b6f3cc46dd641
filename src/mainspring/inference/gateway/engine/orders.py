"""What is asked of a model, in the caller's own wire or in the normal form, for any deployment.

A wire is taken apart at its top level only: what lies in each field stays bytes, and is written
again as it came. Where the deployment speaks the caller's dialect, the model's name is all that
changes, with a cap on the output where a limit needs one.
"""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol

import msgspec

from mainspring.inference.gateway.errors import InvalidRequest
from mainspring.inference.gateway.models.types import Deployment
from mainspring.inference.gateway.providers.dialects import Inbound, Outbound
from mainspring.inference.gateway.providers.wire import is_sealed_elsewhere, read_object, to_json
from mainspring.inference.gateway.routing.types import Demand
from mainspring.inference.gateway.tokens import estimate_input_tokens
from mainspring.inference.messages import FilePart, ImagePart, InferenceRequest, ReasoningPart, ToolResultPart

_fields_of = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode

PASSING = frozenset({"openai", "anthropic"})
"""Dialects whose replies may be passed on as they are."""

_CAPS = ("max_tokens", "max_completion_tokens")


class Order(Protocol):
    """What is asked, for whatever deployment is chosen."""

    is_stream: bool
    cap: int | None

    def passes(self, outbound: Outbound) -> bool:
        """Whether the reply of such a provider is passed on as it is."""
        ...

    def body(self, deployment: Deployment, outbound: Outbound) -> bytes:
        """The bytes to send; raises InvalidRequest when the provider's dialect cannot say it."""
        ...

    def request(self) -> InferenceRequest:
        """It in the normal form; raises InvalidRequest."""
        ...

    def more_headers(self, outbound: Outbound) -> bytes:
        """Header lines of the caller that are meant for a provider of its dialect."""
        ...


@dataclass(slots=True)
class NormalOrder:
    """A request in the normal form, as workers ask."""

    asked: InferenceRequest
    is_stream: bool = True
    cap: int | None = None

    def passes(self, outbound: Outbound) -> bool:
        """Never: a worker wants the normal form back."""
        return False

    def body(self, deployment: Deployment, outbound: Outbound) -> bytes:
        """See `Order`."""
        return encode(self.request(), deployment, outbound, is_stream=self.is_stream)

    def request(self) -> InferenceRequest:
        """See `Order`."""
        return replace(self.asked, max_tokens=self.cap) if self.cap else self.asked

    def more_headers(self, outbound: Outbound) -> bytes:
        """None."""
        return b""


@dataclass
class WireOrder:
    """A request as a caller sent it.

    more      header lines for a provider of the same dialect
    is_read   the reply must be read delta by delta, so it is not passed on
    task      what kind of work it is, as the caller names it
    """

    inbound: Inbound
    content: bytes
    is_stream: bool = False
    cap: int | None = None
    fields: dict[str, msgspec.Raw] = field(default_factory=dict[str, msgspec.Raw])
    more: bytes = b""
    is_read: bool = False
    task: str | None = None

    @classmethod
    def read(cls, inbound: Inbound, content: bytes) -> "WireOrder":
        """Take a body apart; raises InvalidRequest when it is not a JSON object."""
        try:
            fields = _fields_of(content)
        except msgspec.DecodeError as bad:
            raise InvalidRequest(f"The body is not a JSON object: {bad}. Send one with `model` and the call.") from None
        stream = bytes(fields.get("stream", b"null"))
        if stream not in (b"true", b"false", b"null"):
            raise InvalidRequest(f"stream is {stream[:40].decode('utf-8', 'replace')}; it must be true or false.")
        return cls(inbound, content, stream == b"true", fields=fields)

    def value(self, name: str) -> Any:
        """A field's value, or None."""
        raw = self.fields.get(name)
        if raw is None:
            return None
        try:
            return msgspec.json.decode(raw)
        except msgspec.DecodeError:
            raise InvalidRequest(f"The field {name!r} is not valid JSON.") from None

    def passes(self, outbound: Outbound) -> bool:
        """Whether caller and provider speak the same dialect, in one that is passed on."""
        if outbound.name != self.inbound.name or outbound.name not in PASSING or self.is_read:
            return False
        return not self._holds_foreign_thoughts

    @property
    def _holds_foreign_thoughts(self) -> bool:
        """Whether an earlier turn was thought by another provider, whose seal or lack of one this one would refuse."""
        if self.inbound.name != "anthropic" or b'"thinking"' not in self.content:
            return False
        return any(
            isinstance(part, ReasoningPart) and (not part.signature or is_sealed_elsewhere("anthropic", part.signature))
            for message in self._decoded.messages
            for part in message.parts
        )

    @property
    def hides_usage(self) -> bool:
        """Whether counts are asked of the provider that the caller did not ask for."""
        return self.is_stream and self.inbound.name == "openai" and b"include_usage" not in self._options

    @property
    def wants_usage(self) -> bool:
        """Whether the caller asks for counts at the end of its stream."""
        return self.inbound.wants_usage({"stream_options": self.value("stream_options")})

    @property
    def _options(self) -> bytes:
        return bytes(self.fields.get("stream_options", b""))

    def body(self, deployment: Deployment, outbound: Outbound) -> bytes:
        """See `Order`."""
        if not self.passes(outbound):
            return encode(self.request(), deployment, outbound, is_stream=self.is_stream)
        fields: dict[str, Any] = {**self.fields, "model": deployment.wire_model}
        if outbound.name == "openai":
            self._name_cap(fields, deployment.profile.max_tokens_field)
            if self.hides_usage:
                options = self.value("stream_options") or {}
                if not isinstance(options, dict):
                    raise InvalidRequest('stream_options must be an object, such as {"include_usage": true}.')
                fields["stream_options"] = {**options, "include_usage": True}
        elif self.cap:
            fields["max_tokens"] = self.cap
        return _encode(fields)

    def more_headers(self, outbound: Outbound) -> bytes:
        """Those that came with the call, for a provider of the same dialect."""
        return self.more if outbound.name == self.inbound.name else b""

    def _name_cap(self, fields: dict[str, Any], name: str) -> None:
        """The output limit in the spelling that this model understands."""
        other = _CAPS[name == _CAPS[0]]
        if self.cap:
            fields.pop(other, None)
            fields[name] = self.cap
        elif other in fields and name not in fields:
            fields[name] = fields.pop(other)

    def request(self) -> InferenceRequest:
        """See `Order`."""
        return replace(self._decoded, max_tokens=self.cap) if self.cap else self._decoded

    @cached_property
    def _decoded(self) -> InferenceRequest:
        return self.inbound.decode_request(read_object(self.content) or {})


def encode(request: InferenceRequest, deployment: Deployment, outbound: Outbound, *, is_stream: bool) -> bytes:
    """A request for a deployment, in its dialect."""
    return to_json(
        outbound.encode_request(request, model=deployment.wire_model, profile=deployment.profile, stream=is_stream)
    )


def demand_of(request: InferenceRequest) -> Demand:
    """What a request needs of a deployment."""
    parts = [part for message in request.messages for part in message.parts]
    inner = [each for part in parts if isinstance(part, ToolResultPart) for each in part.parts]
    return Demand(
        input_tokens=estimate_input_tokens(request) // 2,  # the estimate may be twice the truth: what may fit is sent
        max_tokens=request.max_tokens,
        needs_images=any(isinstance(part, ImagePart) for part in (*parts, *inner)),
        needs_files=any(isinstance(part, FilePart) for part in (*parts, *inner)),
        needs_tools=bool(request.tools),
        needs_schema=request.response_format is not None,
    )
