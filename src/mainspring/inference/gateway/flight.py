"""A call under way: what was seen of its reply, and how it ends, once, whatever happens."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager

from mainspring.foundation.errors import Unavailable
from mainspring.foundation.telemetry import get_logger
from mainspring.inference.messages import Delta

from .collect import Collector
from .errors import ModelError, StreamBroken
from .providers.wire import to_json
from .recorder import Recording
from .types import Embeddings, Operation, RecordStatus

log = get_logger(__name__)


class Flight:
    """Fills a recording's draft from the deltas of a reply, and closes it."""

    def __init__(self, recording: Recording, *, is_committed: bool) -> None:
        self._recording = recording
        self._draft = recording.draft
        self._is_committed = is_committed
        self._collector = Collector()

    def attempt(self, number: int) -> None:
        """Attempt `number`, from 1, is about to be made."""
        self._draft.attempts = number

    def saw(self, delta: Delta) -> None:
        """The provider sent a piece of the reply."""
        self._collector.add(delta)
        if self._draft.ttft_ms is None and self._collector.has_content:
            self._draft.ttft_ms = self._recording.elapsed_ms()

    def count(self, embeddings: Embeddings) -> None:
        """The provider sent embeddings."""
        self._draft.model_served, self._draft.usage = embeddings.model, embeddings.usage

    async def succeed(self) -> None:
        """Make the record durable; the result may be released after this.

        raises   Unavailable when the spool cannot be written, or a record to be committed cannot be
        """
        try:
            self._close(RecordStatus.OK)
        except OSError as failure:
            raise Unavailable(
                f"Model calls cannot be recorded ({failure.strerror}): check the data folder's disk and rights."
            ) from failure
        if self._is_committed:
            await self._recording.commit()

    def fail(self, status: RecordStatus, error_code: str, *, vendor_text: str | None = None) -> None:
        """The call ended without a result; after `succeed` this changes nothing."""
        try:
            self._close(status, error_code, vendor_text)
        except OSError as failure:  # its opening stays and will read as broken
            log.error("inference_record_not_closed", error=failure.strerror)

    @contextmanager
    def closing(self) -> Generator[None]:
        """Whatever ends the block ends the record."""
        try:
            yield
        except ModelError as failure:
            status = RecordStatus.BROKEN if isinstance(failure, StreamBroken) else RecordStatus.ERROR
            self.fail(status, failure.code, vendor_text=failure.vendor_text)
            raise
        except (asyncio.CancelledError, GeneratorExit):
            self.fail(RecordStatus.CANCELLED, "cancelled")
            raise
        except BaseException:
            self.fail(RecordStatus.ERROR, "internal_error")
            raise

    def _close(self, status: RecordStatus, error_code: str | None = None, vendor_text: str | None = None) -> None:
        seen, draft = self._collector, self._draft
        if draft.operation is Operation.CHAT:
            draft.usage = seen.usage
        draft.model_served = seen.model or draft.model_served
        draft.finish_reason = seen.reason
        output = {"message": seen.message() if seen.has_content else None, "vendor_text": vendor_text}
        is_worth_it = seen.has_content or vendor_text
        self._recording.close(status, error_code, to_json(output) if is_worth_it else None, None)
