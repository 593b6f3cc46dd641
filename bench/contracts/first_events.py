"""How long a caller looks at nothing: from the request for a run's events to the first one.

Measured twice: on the uploads themselves, while other contracts keep the machine busy, and one at a
time on a machine at rest, by analysing known contracts again and cancelling once the work has begun.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.pipelines import percentile
from mainspring.entry.client import ApiError, MainspringClient


@dataclass(frozen=True, slots=True)
class Waits:
    """Milliseconds over some runs; `from_get` since GET .../events was sent, `from_post` since the POST was.

    types   which event came first, and how often
    """

    runs: int
    from_get_p50: float
    from_get_p95: float
    from_post_p50: float
    from_post_p95: float
    types: dict[str, int]


@dataclass(frozen=True, slots=True)
class FirstEvent:
    """One run: the first event's type, and seconds from GET, and from POST, to it."""

    type: str
    from_get: float
    from_post: float


def summarise_waits(waits: Sequence[FirstEvent]) -> Waits | None:
    """Median and 95th percentile; None of nothing."""
    if not waits:
        return None
    from_get = sorted(1000 * wait.from_get for wait in waits)
    from_post = sorted(1000 * wait.from_post for wait in waits)
    return Waits(
        runs=len(waits),
        from_get_p50=percentile(from_get, 0.5),
        from_get_p95=percentile(from_get, 0.95),
        from_post_p50=percentile(from_post, 0.5),
        from_post_p95=percentile(from_post, 0.95),
        types=dict(Counter(wait.type for wait in waits)),
    )


def time_first_events(
    client: MainspringClient, contracts: Sequence[str], runs: int, *, advance: Callable[[], None]
) -> list[FirstEvent]:
    """Start `runs` further analyses of the contracts, one after the other."""
    waits: list[FirstEvent] = []
    for number in range(runs if contracts else 0):
        waits.append(_time_one(client, contracts[number % len(contracts)]))
        advance()
    return waits


def _time_one(client: MainspringClient, contract: str) -> FirstEvent:
    sent_at = time.perf_counter()
    run = client.analyze_again(contract).run.id
    asked_at = time.perf_counter()
    events = client.events(run)
    first = next(events)
    first_at = time.perf_counter()
    try:
        client.cancel_run(run)
    except ApiError as error:
        if error.status != 409:  # it was over before it could be cancelled
            raise
    for _ in events:  # to its end, so that the next run finds the machine at rest
        pass
    return FirstEvent(first.type, first_at - asked_at, first_at - sent_at)
