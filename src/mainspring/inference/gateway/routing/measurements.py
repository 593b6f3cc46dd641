"""What this process has lately seen of each deployment: time to first token and share of errors.

Both are moving averages over about the last twenty calls. What was not called for a minute counts
as unmeasured: a deployment that was slow and is therefore avoided gets another chance.
"""

from collections.abc import Callable
from typing import Literal

from mainspring.inference.gateway.models import Deployment

BreakerState = Literal["closed", "half_open", "open"]

_SHARE = 0.1
"""Weight of the newest call in the average."""
_FRESH_SECONDS = 60.0
_MOST_SEEN = 2_000


class _Seen:
    __slots__ = ("at", "error_share", "ttft_ms")

    def __init__(self, at: float) -> None:
        self.at = at
        self.ttft_ms: float | None = None
        self.error_share = 0.0


def _always_closed(_: str) -> BreakerState:
    return "closed"


class Measurements:
    """Live figures by deployment name.

    clock     monotonic seconds
    breaker   deployment name -> state of its circuit breaker
    """

    __slots__ = ("_clock", "_seen", "breaker")

    def __init__(self, clock: Callable[[], float], breaker: Callable[[str], BreakerState] = _always_closed) -> None:
        self._clock = clock
        self.breaker = breaker
        self._seen: dict[str, _Seen] = {}

    def saw(self, deployment: Deployment, ttft_ms: float | None, *, ok: bool) -> None:
        """Note the end of an attempt; `ttft_ms` is None when no token came. Costs about 0.5 us."""
        now = self._clock()
        seen = self._seen.get(deployment.name)
        if seen is None or now - seen.at > _FRESH_SECONDS:
            if len(self._seen) >= _MOST_SEEN:
                self._forget(now)
            seen = self._seen[deployment.name] = _Seen(now)
        seen.at = now
        seen.error_share += _SHARE * ((0.0 if ok else 1.0) - seen.error_share)
        if ttft_ms is not None:
            seen.ttft_ms = ttft_ms if seen.ttft_ms is None else seen.ttft_ms + _SHARE * (ttft_ms - seen.ttft_ms)

    def _forget(self, now: float) -> None:
        """Drop what is stale; callers may invent names of models, so that fresh ones may be too many as well."""
        self._seen = {name: seen for name, seen in self._seen.items() if now - seen.at <= _FRESH_SECONDS}
        if len(self._seen) >= _MOST_SEEN:
            self._seen = dict(sorted(self._seen.items(), key=lambda item: item[1].at)[_MOST_SEEN // 2 :])

    def ttft_ms(self, name: str) -> float | None:
        """Mean time to first token; None where nothing was seen for a minute."""
        seen = self._fresh(name)
        return None if seen is None else seen.ttft_ms

    def error_share(self, name: str) -> float | None:
        """Share of failed attempts, 0 to 1; None where nothing was seen for a minute."""
        seen = self._fresh(name)
        return None if seen is None else seen.error_share

    def _fresh(self, name: str) -> _Seen | None:
        seen = self._seen.get(name)
        return None if seen is None or self._clock() - seen.at > _FRESH_SECONDS else seen
