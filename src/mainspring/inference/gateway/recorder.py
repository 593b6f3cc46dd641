"""The record of each call, kept by the gateway itself so that nobody can forget it.

`record` opens the record, and however the block ends, the record is closed with what was seen
until then: the closing is a plain write to the spool, so that a cancelled task can still do it.
Costs: local models cost nothing; for others `cost_micros` and `price_version` stay empty until
price tables come. Prices are never typed in here.
"""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

from mainspring.foundation.clock import Clock, now
from mainspring.foundation.db import Database, DatabaseGone
from mainspring.foundation.errors import Unavailable
from mainspring.foundation.ids import new_id
from mainspring.foundation.telemetry import get_logger
from mainspring.inference.messages import Delta, InferenceRequest, Usage

from .catalog import Route
from .collect import Collector
from .errors import ModelError, StreamBroken
from .providers.wire import to_json
from .shipper import Shipper
from .spool import Segment
from .types import CallContext, Embeddings, InferenceRecord, Operation, RecordStatus

log = get_logger(__name__)

MAX_PAYLOAD_BYTES = 8 * 1024 * 1024


class Recording:
    """One call in progress; it closes once."""

    def __init__(self, record: InferenceRecord, segment: Segment, shipper: Shipper, *, is_committed: bool) -> None:
        self._record = record
        self._segment = segment
        self._shipper = shipper
        self._is_committed = is_committed
        self._collector = Collector()
        self._began = time.monotonic()
        self._is_open = True

    def attempt(self, number: int) -> None:
        """Attempt `number`, from 1, is about to be made."""
        self._record = replace(self._record, attempts=number)

    def saw(self, delta: Delta) -> None:
        """The provider sent a piece of the reply."""
        self._collector.add(delta)
        if self._record.ttft_ms is None and self._collector.has_content:
            self._record = replace(self._record, ttft_ms=self._elapsed())

    def count(self, embeddings: Embeddings) -> None:
        """The provider sent embeddings."""
        self._record = replace(self._record, model_served=embeddings.model, input_tokens=embeddings.usage.input_tokens)

    async def succeed(self) -> None:
        """Make the record durable; the result may be released after this.

        raises   Unavailable when the spool cannot be written, or in mode `committed` Postgres is away
        """
        try:
            self._close(RecordStatus.OK)
        except OSError as failure:
            raise _no_spool(failure) from failure
        if self._is_committed:
            await self._shipper.committed(self._record)

    def fail(self, status: RecordStatus, error_code: str, *, vendor_text: str | None = None) -> None:
        """The call ended without a result; after `succeed` this changes nothing."""
        if not self._is_open:
            return
        try:
            self._close(status, error_code, vendor_text)
        except OSError as failure:  # its opening stays and will read as broken
            log.error("inference_record_not_closed", error=failure.strerror)

    def _close(self, status: RecordStatus, error_code: str | None = None, vendor_text: str | None = None) -> None:
        self._is_open = False
        seen = self._collector
        self._record = replace(
            self._record,
            **_tokens(seen.usage) if self._record.operation is Operation.CHAT else {},
            model_served=seen.model or self._record.model_served,
            latency_ms=self._elapsed(),
            status=status,
            error_code=error_code,
            finish_reason=seen.reason,
        )
        output = {"message": seen.message() if seen.has_content else None, "vendor_text": vendor_text}
        is_worth_it = seen.has_content or vendor_text
        self._segment.close(self._record, _payload(output) if is_worth_it else None)
        self._shipper.ring()

    def _elapsed(self) -> int:
        return round((time.monotonic() - self._began) * 1000)


@dataclass(frozen=True, slots=True)
class Recorder:
    """Opens and closes records; `durability` is when a result may be released."""

    shipper: Shipper
    database: Database
    durability: Literal["spooled", "committed"]
    clock: Clock = now

    @classmethod
    def open(cls, data_dir: Path, database: Database, durability: Literal["spooled", "committed"]) -> "Recorder":
        """A recorder with its spool in `data_dir/spool`."""
        return cls(Shipper(data_dir / "spool", database), database, durability)

    def start(self) -> None:
        """Begin to ship, also what dead processes left."""
        self.shipper.start()

    async def close(self) -> None:
        """Ship what is there and stop."""
        await self.shipper.close()

    @asynccontextmanager
    async def record(
        self,
        context: CallContext,
        route: Route,
        operation: Operation,
        *,
        request: InferenceRequest | None = None,
        is_stream: bool = False,
    ) -> AsyncGenerator[Recording]:
        """Open a record and close it however the block ends.

        raises   Unavailable, before anything is spent, when the spool cannot be written, or in mode
                 `committed` Postgres is away
        """
        record = replace(_draft(context, route, operation, self.clock()), stream=is_stream)
        payload = _payload(request) if request else None
        self.start()
        is_committed = self.durability == "committed"
        if is_committed:
            await self._check_database()
        try:
            segment = self.shipper.segment()
            segment.open(record, payload)
        except OSError as failure:
            raise _no_spool(failure) from failure
        recording = Recording(record, segment, self.shipper, is_committed=is_committed)
        try:
            yield recording
        except ModelError as failure:
            status = RecordStatus.BROKEN if isinstance(failure, StreamBroken) else RecordStatus.ERROR
            recording.fail(status, failure.code, vendor_text=failure.vendor_text)
            raise
        except (asyncio.CancelledError, GeneratorExit):
            recording.fail(RecordStatus.CANCELLED, "cancelled")
            raise
        except BaseException:
            recording.fail(RecordStatus.ERROR, "internal_error")
            raise

    async def _check_database(self) -> None:
        try:
            async with asyncio.timeout(1):
                await self.database.ping()
        except (TimeoutError, *DatabaseGone):
            raise Unavailable("No model is called while its record cannot be committed; try again shortly.") from None


def _draft(context: CallContext, route: Route, operation: Operation, at: datetime) -> InferenceRecord:
    """The record as it must read if the process dies now."""
    is_local = route.provider.is_local
    return InferenceRecord(
        tenant_id=context.tenant,
        id=new_id(),
        at=at,
        operation=operation,
        model_asked=route.name,
        provider=route.provider.name,
        region=route.provider.region,
        principal=context.principal,
        run_id=context.run,
        step=context.step,
        session=context.session,
        feature=context.feature,
        trace_id=context.trace_id,
        span_id=context.span_id,
        parent_span_id=context.parent_span_id,
        prompt_name=context.prompt_name,
        prompt_version=context.prompt_version,
        idempotency_key=context.idempotency_key,
        cost_micros=0 if is_local else None,
        currency="USD" if is_local else None,
        price_version="local" if is_local else None,
        status=RecordStatus.BROKEN,
        error_code="process_died",
    )


def _no_spool(failure: OSError) -> Unavailable:
    return Unavailable(f"Model calls cannot be recorded ({failure.strerror}): check the data folder's disk and rights.")


def _tokens(usage: Usage) -> dict[str, int]:
    return {
        "input_tokens": usage.input_tokens,
        "cached_tokens": usage.cached_tokens,
        "output_tokens": usage.output_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
    }


def _payload(content: object) -> bytes:
    encoded = to_json(content)
    if len(encoded) > MAX_PAYLOAD_BYTES:
        return to_json({"omitted": "too large", "bytes": len(encoded), "limit": MAX_PAYLOAD_BYTES})
    return encoded
