"""A run's events as one unbroken story: a lost connection is resumed after the last event that came."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager

import httpx

from .errors import ApiError
from .sse import read_frames
from .transport import Transport, decode, read_problem, unreachable
from .types import Event

_LAST_TYPE = "run.finished"
_NOTHING_FOLLOWS = 204
_SILENCE = httpx.Timeout(45.0, connect=5.0)  # the API sends a comment every 15 s


def iter_events(transport: Transport, path: str, after: str | None) -> Generator[Event, None, None]:
    """Each event once, until the run is finished; ApiError when the API stays away or refuses."""
    last, failures = after, 0
    while True:
        try:
            with _connect(transport, path, last) as response:
                if response.status_code == _NOTHING_FOLLOWS:
                    return
                for event in _read(response, last):
                    last, failures = event.id or last, 0
                    yield event
                    if event.type == _LAST_TYPE:
                        return
            error = ApiError("The stream ended before its run did.", code="unreachable", status=0, retryable=True)
        except httpx.TransportError as lost:
            error = unreachable(transport.http.base_url, lost)
        except ApiError as refused:
            if refused.status not in {429, 502, 503, 504}:
                raise
            error = refused
        failures += 1
        transport.patience.pause(failures, error)


@contextmanager
def _connect(transport: Transport, path: str, last: str | None) -> Generator[httpx.Response, None, None]:
    headers = {"accept": "text/event-stream", **({"last-event-id": last} if last else {})}
    with transport.http.stream("GET", path, headers=headers, timeout=_SILENCE) as response:
        if not response.is_success:
            response.read()
            raise read_problem(response)
        yield response


def _read(response: httpx.Response, last: str | None) -> Iterator[Event]:
    for place, frame in enumerate(read_frames(response.iter_bytes())):
        if place == 0 and frame.id and frame.id == last:
            continue  # a server may begin with the event it was asked to go on after
        yield Event(frame.id, frame.event, decode(dict[str, object], frame.data.encode()))
