"""The headers of an answer: which call it was, who served it, from where, at what cost, and what limits remain."""

from functools import lru_cache

from mainspring.foundation.ids import show_id
from mainspring.inference.gateway.flight import Flight
from mainspring.inference.gateway.limits import warning
from mainspring.inference.gateway.records import PREFIX

JSON = b"content-type: application/json\r\n"


def head_of(flight: Flight, *, content_type: bytes, is_ended: bool) -> bytes:
    """Header lines, each ended by CRLF. The cost is told only of a call that has ended."""
    draft, hold = flight.draft, flight.hold
    identifier = show_id(PREFIX, draft.id)
    served = _served(_model(flight), draft.provider, draft.region, draft.cache_status)
    lines = (
        f"x-request-id: {identifier}\r\nrequest-id: {identifier}\r\nx-mainspring-request-id: {identifier}\r\n{served}"
    )
    if is_ended and draft.cost_micros is not None:
        lines += f"x-mainspring-cost-micros: {draft.cost_micros}\r\n"
    if flight.warnings:
        lines += f"x-mainspring-warning: {_clean(' '.join(flight.warnings))}\r\n"
    if hold is not None:
        lines += hold.rate_lines()
        for use in hold.warnings:
            lines += f"x-mainspring-limit-warning: {_clean(warning(use))}\r\n"
        if hold.is_away:
            lines += "x-mainspring-limit-warning: The limits could not be checked for this call.\r\n"
    return content_type + lines.encode("latin-1", "replace")


@lru_cache(maxsize=4096)
def _served(model: str, provider: str, region: str | None, cache: str) -> str:
    lines = (
        f"x-mainspring-model: {_clean(model)}\r\nx-mainspring-provider: {_clean(provider)}\r\n"
        f"x-mainspring-cache: {cache}\r\n"
    )
    return lines + (f"x-mainspring-region: {_clean(region)}\r\n" if region else "")


def _model(flight: Flight) -> str:
    if flight.deployment:
        return flight.deployment.model.name
    return flight.draft.model_served or flight.draft.model_asked


def _clean(value: str) -> str:
    """Whatever a provider or a caller has said, on one line."""
    return value if value.isprintable() else "".join(letter if letter.isprintable() else " " for letter in value)
