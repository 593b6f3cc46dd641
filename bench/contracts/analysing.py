"""Drive the product as a customer would: upload, follow the stream to its end, read what came of it.

A few contracts are in flight at once, each in a thread of its own. What goes wrong with one contract
is a failure with its reason and stops nothing else.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from mainspring.entry.client import ApiError, ContractText, MainspringClient, Report, Run, Submitted

from .samples import Sample


@dataclass(frozen=True, slots=True)
class Followed:
    """One run as its caller saw it; instants in seconds of one clock.

    sent_at     the POST was sent
    asked_at    it was answered, and GET .../events was sent
    first_at    the stream's first event was here
    ended_at    the stream's last event was here
    first       its type
    """

    submitted: Submitted
    sent_at: float
    asked_at: float
    first_at: float
    ended_at: float
    first: str


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that did not become a report, and why."""

    file: str
    reason: str


@dataclass(frozen=True, slots=True)
class Analysed:
    """A finished analysis with everything the API says about it."""

    sample: Sample
    followed: Followed
    run: Run
    text: ContractText
    report: Report


@dataclass(frozen=True, slots=True)
class Again:
    """What came of sending every file a second time: all should be duplicates, and start no run."""

    files: int
    duplicates: int
    runs_started: int


def follow(client: MainspringClient, submit: Callable[[], Submitted]) -> Followed:
    """Submit something and read its events to the end."""
    sent_at = time.perf_counter()
    submitted = submit()
    asked_at = time.perf_counter()
    events = client.events(submitted.run.id)
    first = next(events)
    first_at = time.perf_counter()
    for _ in events:
        pass
    return Followed(submitted, sent_at, asked_at, first_at, time.perf_counter(), first.type)


def upload_all(
    client: MainspringClient, samples: Sequence[Sample], *, at_once: int, advance: Callable[[], None]
) -> list[tuple[Sample, Followed | Failure]]:
    """Upload and follow every file, `at_once` at a time."""

    def one(sample: Sample) -> tuple[Sample, Followed | Failure]:
        try:
            return sample, follow(client, lambda: client.upload_contract(sample.path))
        except (ApiError, StopIteration) as error:
            return sample, Failure(sample.path.name, str(error) or "the stream held no event")
        finally:
            advance()

    with ThreadPoolExecutor(at_once) as threads:
        return list(threads.map(one, samples))


def read_results(
    client: MainspringClient, uploads: Iterable[tuple[Sample, Followed | Failure]], *, advance: Callable[[], None]
) -> list[Analysed | Failure]:
    """Fetch run, text and report of everything that was uploaded."""
    results: list[Analysed | Failure] = []
    for sample, upload in uploads:
        results.append(upload if isinstance(upload, Failure) else _read(client, sample, upload))
        advance()
    return results


def _read(client: MainspringClient, sample: Sample, followed: Followed) -> Analysed | Failure:
    contract = followed.submitted.contract.id
    try:
        run = client.get_run(followed.submitted.run.id)
        if run.status != "succeeded":
            reason = f"the run {run.status}" + (f" ({run.error.code}): {run.error.detail}" if run.error else "")
            return Failure(sample.path.name, reason)
        text, report = client.get_text(contract), client.get_report(contract)
    except ApiError as error:
        return Failure(sample.path.name, f"{error.code}: {error}")
    if sample.kind == "txt" and len(text.text) != (expected := len(sample.path.read_bytes().decode())):
        return Failure(sample.path.name, f"the text has {len(text.text):,} characters, the file {expected:,}")
    return Analysed(sample, followed, run, text, report)


def send_again(client: MainspringClient, samples: Sequence[Sample], *, advance: Callable[[], None]) -> Again:
    """Upload the same files once more, and count what that started."""
    before, duplicates = sum(1 for _ in client.iter_runs(page_size=200)), 0
    for sample in samples:
        duplicates += client.upload_contract(sample.path).duplicate
        advance()
    return Again(len(samples), duplicates, sum(1 for _ in client.iter_runs(page_size=200)) - before)
