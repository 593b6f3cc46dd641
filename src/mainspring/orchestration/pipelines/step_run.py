"""The context of a running step: what it is, and how it tells others (`types.StepRun`)."""

import re
from asyncio import CancelledError

import msgspec

from mainspring.foundation.db import Database
from mainspring.foundation.ids import TenantId

from . import queue_store, store
from .codec import encode, show_text
from .consequences import over_ceiling
from .errors import CostCeilingReached, PayloadRefused
from .inputs import Claim
from .publisher import Emitted, MessageBuffer, Progress, Publisher
from .story import Story
from .types import MAX_EMITTED_BYTES, MAX_MESSAGE_CHARACTERS, EventType, FindingAdded, RunId

_MESSAGE_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_EMITTED_NAME = re.compile(r"[a-z][a-z0-9_.:/|-]{0,127}")


class LiveStepRun:
    """One attempt of one step, as its function sees it."""

    def __init__(self, claim: Claim, *, database: Database, publisher: Publisher) -> None:
        lease, floor = claim.lease, claim.seq
        self._claim = claim
        self._lease = lease
        self._floor = floor
        self._cost_left = claim.cost_left
        self._database = database
        self._publisher = publisher
        self._messages: dict[str, MessageBuffer] = {}
        self._progress = Progress(lease, floor)
        self.is_cancelled = False
        self.last_said: str | None = None

    @property
    def tenant(self) -> TenantId:
        """Whose run it is."""
        return self._lease.tenant

    @property
    def run_id(self) -> RunId:
        """The run this step belongs to."""
        return self._lease.run

    @property
    def step(self) -> str:
        """The step's name."""
        return self._lease.name

    @property
    def attempt(self) -> int:
        """1 for the first start."""
        return self._lease.attempt

    @property
    def idempotency_key(self) -> str:
        """The same for every attempt, and for every retry of the run."""
        return f"{self._claim.origin}/{self._lease.place}"

    @property
    def item(self) -> int | None:
        """Which item of the list this is for, from 0; None when the step does not fan out."""
        return int(self._lease.map_key) if self._lease.map_key else None

    @property
    def origin(self) -> RunId:
        """The first run of the chain of retries."""
        return RunId(self._claim.origin)

    @property
    def initiator(self) -> frozenset[str]:
        """The hands of who submitted the run."""
        return self._claim.initiator

    @property
    def cost_left(self) -> int | None:
        """Micros that may still be spent, as last heard; None for no ceiling."""
        return self._cost_left

    async def spend(self, micros: int) -> None:
        """Add to what the run has cost."""
        if micros < 0:
            raise ValueError(f"micros is {micros}; what was spent cannot be taken back")
        async with self._database.tenant(self._lease.tenant) as transaction:
            rows = await store.spend(transaction, self._lease.run, micros)
        limited = [row for row in rows if row["cost_ceiling_micros"] is not None]
        self._cost_left = min((row["cost_ceiling_micros"] - row["cost_micros"] for row in limited), default=None)
        for row in limited:
            if row["cost_micros"] > row["cost_ceiling_micros"]:
                raise CostCeilingReached(over_ceiling(row["cost_micros"], row["cost_ceiling_micros"]).detail)

    def check_ceiling(self) -> None:
        """Raise CostCeilingReached when more was spent than may be; for the engine, before it starts the function."""
        if self._claim.is_limited and self._cost_left is not None and self._cost_left < 0:
            raise CostCeilingReached(f"The run spent {-self._cost_left} micros more than its ceiling.")

    async def emit(self, name: str, data: object) -> None:
        """Tell an event of one's own."""
        if not _EMITTED_NAME.fullmatch(name):
            raise PayloadRefused(
                f"Event name {name[:80]!r} must start with a letter and have at most 128 of a-z 0-9 _ . : / | -"
            )
        text = encode(data, f"The event {name!r}")
        if len(text) > MAX_EMITTED_BYTES:
            raise PayloadRefused(
                f"The event {name!r} has {len(text)} characters as JSON; the limit is {MAX_EMITTED_BYTES}. "
                "Tell where to find it instead."
            )
        facts: dict[str, object] = {"name": name, "data": msgspec.Raw(text.encode())}
        self._publisher.emit(Emitted(self._lease, self._floor, facts))

    async def progress(self, done: int, total: int, text: str) -> None:
        """Tell how far the step is."""
        self._progress.facts = {"text": show_text(text), "done": done, "total": total}
        self._publisher.put(self._progress)

    async def say(self, text: str) -> None:
        """Tell in a sentence what was found or done."""
        self.last_said = show_text(text)
        self._progress.facts = {"text": self.last_said}
        self._publisher.put(self._progress)

    async def delta(self, message: str, text: str) -> None:
        """Append to a streamed message."""
        buffer = self._messages.get(message)
        if buffer is None:
            if not _MESSAGE_NAME.fullmatch(message):
                raise PayloadRefused(f"Message name {message[:80]!r} must be snake_case of at most 63 characters.")
            buffer = self._messages[message] = MessageBuffer(self._lease, message, self._floor)
        if len(buffer.sent) + len(buffer.pending) + len(text) > MAX_MESSAGE_CHARACTERS:
            raise PayloadRefused(
                f"Message {message!r} would pass {MAX_MESSAGE_CHARACTERS} characters; "
                "return long text as the step's output."
            )
        if text:
            buffer.pending += text.encode("utf-8", "replace").decode()
            self._publisher.put(buffer)

    async def announce(self, *findings: FindingAdded) -> None:
        """Write findings to the durable story, each key once; stops the step when its lease was lost."""
        run = self._lease.run
        fresh = {show_text(finding.key): finding for finding in reversed(findings)}
        async with self._database.tenant(self._lease.tenant) as transaction:
            story = Story(await queue_store.lock_runs(transaction, [run]))
            if not await store.holds_lease(transaction, run, self._lease.name, self._lease.map_key, self._lease.token):
                raise CancelledError
            told = {row["key"] for row in await store.find_told_keys(transaction, run, list(fresh))}
            for key, finding in reversed(fresh.items()):
                if key not in told:
                    story.tell(run, EventType.FINDING_ADDED, self._facts(finding), key=key)
            await story.write(transaction)
        self._publisher.tell(story.milestones)

    def _facts(self, finding: FindingAdded) -> dict[str, object]:
        return {
            **self._lease.facts,
            "severity": show_text(finding.severity),
            "title": show_text(finding.title),
            "text": show_text(finding.text),
        }
