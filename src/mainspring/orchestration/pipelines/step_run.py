"""The context of a running step: what it is, and how it tells others (`types.StepRun`)."""

import re
from asyncio import CancelledError

from mainspring.foundation.db import Database
from mainspring.foundation.ids import TenantId

from . import queue_store, store
from .codec import show_text
from .errors import PayloadRefused
from .outcomes import Lease
from .publisher import MessageBuffer, Progress, Publisher
from .story import Story
from .types import MAX_MESSAGE_CHARACTERS, EventType, FindingAdded, RunId

_MESSAGE_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


class LiveStepRun:
    """One attempt of one step, as its function sees it.

    floor  number of the milestone that started the attempt
    """

    def __init__(self, lease: Lease, *, floor: int, database: Database, publisher: Publisher) -> None:
        self._lease = lease
        self._floor = floor
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
        """The same for every attempt."""
        return "/".join(filter(None, (str(self._lease.run), self._lease.name, self._lease.map_key)))

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
            if not await store.holds_lease(transaction, run, self._lease.name, self._lease.token):
                raise CancelledError
            told = {row["key"] for row in await store.find_told_keys(transaction, run, list(fresh))}
            for key, finding in reversed(fresh.items()):
                if key not in told:
                    story.tell(run, EventType.FINDING_ADDED, self._facts(finding), key=key)
            await story.write(transaction)
        self._publisher.tell(story.milestones)

    def _facts(self, finding: FindingAdded) -> dict[str, object]:
        return {
            "step": self._lease.name,
            "severity": show_text(finding.severity),
            "title": show_text(finding.title),
            "text": show_text(finding.text),
        }
