"""A call under way: what it holds, what was seen of its reply, and how it ends, once, whatever happens.

Ending does three things in one turn of the event loop: the record is closed, the limits are
settled with what was used, and the price of it is fixed. Nothing of this waits, so that a
cancelled task can still do it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID

from mainspring.foundation.errors import MainspringError, Unavailable
from mainspring.foundation.telemetry import get_logger
from mainspring.inference.messages import Delta, Message, Usage

from .collect import Collector
from .draft import Draft
from .engine.bookings import books_of, scopes_of
from .engine.orders import Order
from .errors import ModelError, StreamBroken
from .limits import Hold, Limiter, Scopes
from .models.types import Deployment
from .policy import TenantPolicy
from .recorder import Recording
from .routing.types import Demand
from .said import write_said
from .tokens import count_message
from .types import CallContext, Operation, RecordStatus

log = get_logger(__name__)

_UNUSED = Usage()
_ASKED = ("none", "miss", "shadow")
"""Cache states of calls that a model answered."""


@dataclass(slots=True)
class Call:
    """One call as a door brings it.

    demand         what a deployment must be able to do, and how much goes in and may come out
    input_tokens   estimate of all that goes in
    is_stream      the caller wants it piece by piece
    payload        what is recorded of the request, in `dialect`; None records none
    choices        replies that are asked for at once; each may be as long as `demand` allows
    tier           the provider's tier of service that is asked for, where the call is passed on
    """

    context: CallContext
    operation: Operation
    model: str | None
    order: Order
    demand: Demand
    input_tokens: int = 0
    is_stream: bool = False
    payload: bytes | None = None
    dialect: str | None = None
    choices: int = 1
    tier: str | None = None


class Keys(Protocol):
    """The tenant's own keys at providers."""

    def provider_key(self, provider: str) -> str | MainspringError | None:
        """The key; None when there is none; the error to raise when it cannot be read."""
        ...


@dataclass(slots=True)
class Flight:
    """A call that was admitted: candidates to go to, in order, and everything that ends with it.

    larger      finds models for a call that was too long, and holds what they may cost
    booked_as   the model under whose name the call is held and opened in the books
    unanswered  attempts of which it is not known what the provider did: under way, or lost
    tier        the provider's tier of service, where it told one
    """

    call: Call
    policy: TenantPolicy
    keys: Keys
    candidates: tuple[Deployment, ...]
    recording: Recording
    limiter: Limiter | None
    hold: Hold | None
    deadline: float
    warnings: tuple[str, ...] = ()
    larger: "Callable[[Flight], Awaitable[tuple[Deployment, ...]]] | None" = None
    booked_as: str = ""
    deployment: Deployment | None = None
    collector: Collector = field(default_factory=Collector)
    is_counted: bool = False
    unanswered: int = 0
    tier: str | None = None

    @property
    def id(self) -> UUID:
        """The call's own id, which is its record's."""
        return self.recording.draft.id

    @property
    def draft(self) -> Draft:
        """The record so far."""
        return self.recording.draft

    def own_key(self, deployment: Deployment) -> str | None:
        """The tenant's own key for a deployment's provider; raises ProviderKeyUnreadable."""
        found = self.keys.provider_key(deployment.endpoint.provider)
        if isinstance(found, MainspringError):
            raise found
        return found

    def goes_to(self, deployment: Deployment, *, own_key: bool) -> None:
        """The next attempt goes there."""
        draft = self.recording.draft
        self.deployment = deployment
        draft.attempts += 1
        self.unanswered += 1
        draft.provider = deployment.endpoint.provider
        draft.region = deployment.regions.processing
        draft.own_key = own_key
        if deployment.price:
            draft.currency, draft.price_version = "USD", deployment.price.version

    def failed(self, failure: ModelError) -> None:
        """The attempt under way failed; one that was lost may have cost something, a refusal has not."""
        if not (failure.is_unanswered or isinstance(failure, StreamBroken)):
            self.unanswered = max(0, self.unanswered - 1)

    def saw(self, delta: Delta) -> None:
        """The provider sent a piece of the reply."""
        self.collector.add(delta)
        if self.recording.draft.ttft_ms is None and self.collector.has_content:
            self.saw_token()

    def saw_token(self) -> None:
        """The reply itself has begun."""
        if self.recording.draft.ttft_ms is None:
            self.recording.draft.ttft_ms = self.recording.elapsed_ms()

    def count(self, usage: Usage, *, model: str | None, reason: str | None) -> None:
        """What a reply that was not collected piece by piece used."""
        draft = self.recording.draft
        draft.usage, draft.finish_reason, draft.model_served = usage, reason, model or draft.model_served
        self.is_counted = True

    def count_words(self, message: Message) -> None:
        """After `count`, for a reply whose provider told no counts: its words, and the estimate of what went in."""
        draft = self.recording.draft
        written = count_message(message)
        draft.usage = replace(
            draft.usage, input_tokens=draft.usage.input_tokens or self.call.input_tokens, output_tokens=written
        )
        draft.usage_source = "counted"

    async def succeed(self, output: bytes | None = None, dialect: str | None = None) -> None:
        """Make the record durable; the result may be released after this.

        raises   Unavailable when the spool cannot be written, or a record to be committed cannot be
        """
        if not self.recording.is_open:
            return
        try:
            self._end(RecordStatus.OK, None, output if output is not None else self._said(None), dialect)
        except OSError as failure:
            raise Unavailable(
                f"Model calls cannot be recorded ({failure.strerror}): check the data folder's disk and rights."
            ) from failure
        if self.policy.durability == "committed":
            await self.recording.commit()

    def fail(self, status: RecordStatus, code: str, *, vendor_text: str | None = None) -> None:
        """The call ended without a whole result; after `succeed` this changes nothing."""
        try:
            self._end(status, code, self._said(vendor_text), None)
        except OSError as failure:  # its opening stays and will read as broken
            log.error("inference_record_not_closed", error=failure.strerror)

    def fail_with(self, failure: MainspringError) -> None:
        """The call ended with this error."""
        status = RecordStatus.BROKEN if isinstance(failure, StreamBroken) else RecordStatus.ERROR
        self.fail(status, failure.code, vendor_text=failure.vendor_text if isinstance(failure, ModelError) else None)

    @contextmanager
    def closing(self) -> Generator[None]:
        """Whatever ends the block ends the call."""
        try:
            yield
        except BaseException as failure:
            self.end_with(failure)
            raise

    def end_with(self, failure: BaseException) -> None:
        """The call ended with this, be it an error, a cancellation or a fault of ours."""
        if isinstance(failure, MainspringError):
            self.fail_with(failure)
        elif isinstance(failure, asyncio.CancelledError | GeneratorExit):
            self.fail(RecordStatus.CANCELLED, "cancelled")
        else:
            self.fail(RecordStatus.ERROR, "internal_error")

    def _end(self, status: RecordStatus, code: str | None, output: bytes | None, dialect: str | None) -> None:
        if not self.recording.is_open:
            return
        draft = self.recording.draft
        if not self.is_counted:
            self._count_collected(draft)
            if self.unanswered and status is not RecordStatus.OK:
                self._assume_input(draft)
        self._price(draft)
        moved = self._book_as_served(draft)
        try:
            payload = output if self.policy.payloads == "keep" else None
            self.recording.close(status, code, payload, dialect)
        finally:
            self._settle(draft, moved)

    def _assume_input(self, draft: Draft) -> None:
        """Nothing came of a call that was sent: its provider has read it, and charges for that at least."""
        if not (draft.usage.input_tokens or draft.usage.output_tokens):
            draft.usage = Usage(input_tokens=self.call.input_tokens)
            draft.usage_source = "estimated"

    def _book_as_served(self, draft: Draft) -> Scopes | None:
        """Book it under the model that served, where that is another than was held; None where it is the same."""
        if self.deployment is None or self.deployment.model.name == self.booked_as or draft.cache_status not in _ASKED:
            return None
        scopes, subjects = scopes_of(self.call.context, self.deployment.model.name)
        self.recording.books = books_of(subjects, self.hold)
        return scopes

    def _count_collected(self, draft: Draft) -> None:
        seen = self.collector
        draft.usage = seen.usage if draft.operation is Operation.CHAT else draft.usage
        if seen.is_estimate:
            draft.usage_source = "counted"
            draft.usage = replace(draft.usage, input_tokens=draft.usage.input_tokens or self.call.input_tokens)
        draft.model_served = seen.model or draft.model_served
        draft.finish_reason = seen.reason

    def _price(self, draft: Draft) -> None:
        if draft.cache_status not in _ASKED:
            draft.cost_micros, draft.currency = 0, "USD"
            return
        price = self.deployment.price if self.deployment else None
        if price is None:
            draft.cost_micros = None if self.deployment else 0
        elif draft.usage is _UNUSED or not (draft.usage.input_tokens or draft.usage.output_tokens):
            draft.cost_micros = 0
        else:
            variant = self.tier if self.tier in price.variants else None
            began = datetime.fromtimestamp(draft.at, UTC) if price.hours else None
            draft.cost_micros = price.cost(draft.usage, variant=variant, at=began)

    def _settle(self, draft: Draft, moved: Scopes | None) -> None:
        if self.hold and self.limiter:
            is_fresh = draft.cache_status in _ASKED
            tokens = draft.usage.input_tokens + draft.usage.output_tokens if is_fresh else 0
            hold = self.hold if moved is None else self.limiter.move(self.hold, moved)
            self.limiter.settle(hold, tokens=tokens, cost_micros=self.charge(draft))

    def charge(self, draft: Draft) -> int:
        """What the call costs the tenant here: nothing when its own key paid."""
        return 0 if draft.own_key else draft.cost_micros or 0

    def _said(self, vendor_text: str | None) -> bytes | None:
        seen = self.collector
        if not (seen.has_content or vendor_text):
            return None
        return write_said(seen.message() if seen.has_content else None, vendor_text)
