"""Circuit breakers: a deployment that keeps failing is left alone for a while, then tried with one call.

Failures that say the provider is in trouble count: overload, timeouts, broken connections. A rate
limit does not open the circuit; it rests the deployment for as long as the provider asked, whatever
calls that were under way then still bring.
"""

from collections.abc import Callable
from dataclasses import dataclass

from mainspring.inference.gateway.errors import ModelError, Overloaded, RateLimited, StreamBroken, TimedOut
from mainspring.inference.gateway.routing.measurements import BreakerState

FAILURES_TO_OPEN = 5
FIRST_REST_SECONDS = 2.0
LONGEST_REST_SECONDS = 60.0
RATE_REST_SECONDS = 1.0


@dataclass(slots=True)
class _Circuit:
    failures: int = 0
    rests: int = 0
    open_until: float = 0.0
    rated_until: float = 0.0
    is_probing: bool = False


class Breakers:
    """One circuit for each deployment that has failed lately; `clock` in seconds, monotonic."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._circuits: dict[str, _Circuit] = {}

    def may_try(self, deployment: str) -> bool:
        """Whether calls may go there; the first one after a rest is the probe, and the others wait for it."""
        circuit = self._circuits.get(deployment)
        if circuit is None:
            return True
        return self._clock() >= max(circuit.open_until, circuit.rated_until) and not circuit.is_probing

    def state(self, deployment: str) -> BreakerState:
        """`closed`, `open` or `half_open`, for people."""
        circuit = self._circuits.get(deployment)
        if circuit is None or circuit.rests == 0:
            return "closed"
        return "open" if self._clock() < circuit.open_until else "half_open"

    def rests_for(self, deployment: str) -> float:
        """Seconds until it may be tried; 0 when now."""
        circuit = self._circuits.get(deployment)
        return max(0.0, circuit.open_until - self._clock(), circuit.rated_until - self._clock()) if circuit else 0.0

    def tries(self, deployment: str) -> None:
        """A call goes there now."""
        circuit = self._circuits.get(deployment)
        if circuit is not None and circuit.rests:
            circuit.is_probing = True

    def succeeded(self, deployment: str) -> None:
        """It answered."""
        circuit = self._circuits.pop(deployment, None)
        if circuit is not None and circuit.rated_until > self._clock():
            self._circuits[deployment] = _Circuit(rated_until=circuit.rated_until)

    def left(self, deployment: str) -> None:
        """The call ended without telling anything about the deployment, such as a cancelled one."""
        if circuit := self._circuits.get(deployment):
            circuit.is_probing = False

    def failed(self, deployment: str, failure: ModelError) -> None:
        """It failed; a failure that is the request's own fault changes nothing."""
        if isinstance(failure, RateLimited):
            circuit = self._circuits.setdefault(deployment, _Circuit())
            circuit.is_probing = False
            rest = min(failure.retry_after_seconds or RATE_REST_SECONDS, LONGEST_REST_SECONDS)
            circuit.rated_until = max(circuit.rated_until, self._clock() + rest)
        elif isinstance(failure, Overloaded | TimedOut | StreamBroken):
            self._count(self._circuits.setdefault(deployment, _Circuit()))
        else:
            self.left(deployment)

    def _count(self, circuit: _Circuit) -> None:
        if self._clock() < circuit.open_until:
            return  # it was under way when the circuit opened: many at once are one failure, and one rest
        circuit.failures += 1
        if circuit.is_probing or circuit.failures >= FAILURES_TO_OPEN:
            rest = min(LONGEST_REST_SECONDS, FIRST_REST_SECONDS * 2**circuit.rests)
            circuit.open_until = self._clock() + rest
            circuit.rests = min(circuit.rests + 1, 6)
        circuit.is_probing = False


class RetryBudget:
    """How many retries a tenant may make: a share of its calls of the last ten seconds, and always a few."""

    ALWAYS = 10
    SECONDS = 10

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._window = 0
        self._calls: tuple[int, int] = (0, 0)
        self._retries: tuple[int, int] = (0, 0)

    def count_call(self) -> None:
        """A call begins."""
        self._roll()
        self._calls = (self._calls[0], self._calls[1] + 1)

    def may_retry(self, share: float) -> bool:
        """Whether a retry may be made now; it is counted if so."""
        self._roll()
        if sum(self._retries) >= self.ALWAYS + share * sum(self._calls):
            return False
        self._retries = (self._retries[0], self._retries[1] + 1)
        return True

    def _roll(self) -> None:
        window = int(self._clock() / (self.SECONDS / 2))
        if window == self._window:
            return
        is_next = window == self._window + 1
        self._calls = (self._calls[1] if is_next else 0, 0)
        self._retries = (self._retries[1] if is_next else 0, 0)
        self._window = window
