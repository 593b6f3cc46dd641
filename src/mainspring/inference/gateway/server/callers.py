"""Who calls, on whose behalf and for what: read from the headers of a request.

Extension headers, all optional: `x-mainspring-session`, `-feature`, `-user` (the end user),
`-prompt` (`name@version`), `-release`, `-run`, `-step`, `-cache`, `-validate`, `-timeout` (seconds);
`-task` is read with the body (`reading`);
`idempotency-key`; `traceparent` (W3C Trace Context).
"""

import os
import re
from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

from mainspring.foundation.errors import Forbidden, NotFound, Unauthenticated
from mainspring.foundation.ids import read_id
from mainspring.inference.gateway.errors import InvalidRequest
from mainspring.inference.gateway.keeper import SnapshotKeeper
from mainspring.inference.gateway.ports import CallerFacts
from mainspring.inference.gateway.types import CallContext

_MAX_VALUE = 200
_LONGEST_SECONDS = 3600.0
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""What no name holds: control characters, NUL among them, and halves of characters."""
_NO_KEY = "Send a Mainspring API key as `Authorization: Bearer ms_...` or in `x-api-key`."
_READ = frozenset(
    (
        *(b"x-mainspring-session", b"x-mainspring-feature", b"x-mainspring-user", b"x-mainspring-prompt"),
        *(b"x-mainspring-release", b"x-mainspring-run", b"x-mainspring-step", b"x-mainspring-timeout"),
        *(b"idempotency-key", b"traceparent"),
    )
)


class Callers:
    """Finds out who calls; remembers the contexts of callers that say nothing more."""

    def __init__(self, keeper: SnapshotKeeper) -> None:
        self._keeper = keeper
        self._plain: dict[bytes, tuple[CallerFacts, CallContext]] = {}

    def known(self, headers: Mapping[bytes, bytes]) -> CallerFacts | None:
        """The key's owner, if this process knows the key and it may call; raises Unauthenticated without a key."""
        caller = self._keeper.snapshot.find_caller(_secret(headers))
        return caller if caller is not None and caller.may_call else None

    async def identify(self, headers: Mapping[bytes, bytes]) -> CallerFacts:
        """The key's owner; raises Unauthenticated, Forbidden, Unavailable."""
        secret = _secret(headers)
        caller = self._keeper.snapshot.find_caller(secret) or await self._keeper.find_caller_fresh(secret)
        if caller is None:
            raise Unauthenticated(f"The API key is not known, was revoked or has expired. {_NO_KEY}")
        if not caller.may_call:
            raise Forbidden("The API key may not call models; it needs the scope `ai.model.call`.")
        return caller

    def context(self, caller: CallerFacts, headers: Mapping[bytes, bytes], end_user: str | None) -> CallContext:
        """On whose behalf and for what; raises InvalidRequest for a header that cannot be read."""
        if end_user is None and _READ.isdisjoint(headers):
            known = self._plain.get(caller.secret_hash)
            if known is not None and known[0] is caller:
                return known[1]
            if len(self._plain) > 20_000:
                self._plain.clear()
            context = CallContext(caller.tenant, caller.name, key=caller.key)
            self._plain[caller.secret_hash] = (caller, context)
            return context
        trace, span, parent = _trace(headers.get(b"traceparent"))
        prompt, _, version = (_text(headers, b"x-mainspring-prompt") or "").partition("@")
        return CallContext(
            caller.tenant,
            caller.name,
            key=caller.key,
            run=_run(headers),
            trace_id=trace,
            span_id=span,
            parent_span_id=parent,
            prompt_name=prompt or None,
            prompt_version=version or None,
            timeout=_timeout(headers),
            session=_text(headers, b"x-mainspring-session"),
            feature=_text(headers, b"x-mainspring-feature"),
            end_user=_text(headers, b"x-mainspring-user") or _name(end_user),
            release=_text(headers, b"x-mainspring-release"),
            step=_text(headers, b"x-mainspring-step"),
            idempotency_key=_text(headers, b"idempotency-key"),
        )


def _secret(headers: Mapping[bytes, bytes]) -> bytes:
    authorization = headers.get(b"authorization")
    if authorization is not None:
        scheme, _, secret = authorization.partition(b" ")
        if scheme.lower() == b"bearer" and secret:
            return secret.strip()
    secret = headers.get(b"x-api-key")
    if not secret:
        raise Unauthenticated(f"The request has no API key. {_NO_KEY}")
    return secret


def _text(headers: Mapping[bytes, bytes], name: bytes) -> str | None:
    value = headers.get(name)
    if not value:
        return None
    if len(value) > _MAX_VALUE:
        raise InvalidRequest(f"The header {name.decode()} is longer than {_MAX_VALUE} bytes.")
    return _CONTROL.sub("", value.decode("utf-8", "replace")) or None


def _name(named: str | None) -> str | None:
    """A name from a body: what is too long to be kept whole ends in a digest of it, so that two stay two."""
    if not named:
        return None
    if len(named) > _MAX_VALUE:
        digest = sha256(named.encode("utf-8", "replace")).hexdigest()[:16]
        named = f"{_CONTROL.sub('', named)[: _MAX_VALUE - 17]}~{digest}"
    return _CONTROL.sub("", named) or None


def _run(headers: Mapping[bytes, bytes]) -> UUID | None:
    value = _text(headers, b"x-mainspring-run")
    if value is None:
        return None
    try:
        return read_id("run", value)
    except NotFound:
        raise InvalidRequest(f"x-mainspring-run is {value[:40]!r}; give the id of a run, run_...") from None


def _timeout(headers: Mapping[bytes, bytes]) -> timedelta | None:
    value = _text(headers, b"x-mainspring-timeout")
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= _LONGEST_SECONDS:
        raise InvalidRequest(f"x-mainspring-timeout is {value!r}; give seconds, above 0 and up to 3600.")
    return timedelta(seconds=seconds)


def _trace(traceparent: bytes | None) -> tuple[str | None, str | None, str | None]:
    """Trace, a span of our own, and the caller's span as its parent; what is no traceparent is left out."""
    if traceparent is None:
        return None, None, None
    parts = traceparent.decode("latin-1").lower().split("-")
    if len(parts) < 4 or len(parts[1]) != 32 or len(parts[2]) != 16 or not (_is_hex(parts[1]) and _is_hex(parts[2])):
        return None, None, None
    return parts[1], os.urandom(8).hex(), parts[2]


def _is_hex(text: str) -> bool:
    return set(text) <= set("0123456789abcdef") and set(text) != {"0"}
