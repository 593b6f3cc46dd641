"""CloudEvents 1.0 in and out, held against the reference library, and the runs that they start."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from cloudevents.core.bindings.http import (
    HTTPMessage,
    from_binary_event,
    from_structured_event,
    to_binary_event,
    to_structured_event,
)
from cloudevents.core.v1.event import CloudEvent as TheirEvent
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook

from mainspring.foundation.db import Database
from mainspring.foundation.errors import Conflict, Forbidden, NotFound
from mainspring.foundation.ids import TenantId, new_id, show_id
from mainspring.foundation.valkey import Valkey
from mainspring.orchestration.delivery import CloudEvent, EndpointInvalid, EventInvalid, EventUnknown, Format
from mainspring.orchestration.delivery.cloudevents import BATCH, STRUCTURED, read_events, write_binary, write_structured
from mainspring.orchestration.delivery.incoming import Incoming
from mainspring.orchestration.delivery.starting import Starter
from mainspring.orchestration.pipelines import Pipeline, Pipelines, StepRun
from mainspring.orchestration.pipelines.errors import IdempotencyKeyReused

from .receiver import Receiver
from .scenes import SOURCE, Post, admin

AT = datetime(2026, 3, 1, 12, 30, 5, 250_000, tzinfo=UTC)
EVENT = CloudEvent(
    id="a-1",
    source="/billing",
    type="invoice.paid",
    data={"invoice": 7, "note": "für “Zoë”"},
    time=AT,
    subject='invoices/7 "é" 100%',
    extensions={"traceparent": "00-abc"},
)


def theirs(event: CloudEvent) -> dict[str, Any]:
    """The attributes as the reference library has them."""
    return {
        "id": event.id,
        "source": event.source,
        "type": event.type,
        "specversion": "1.0",
        "time": event.time,
        "subject": event.subject,
        "datacontenttype": "application/json",
        **event.extensions,
    }


def attributes_of(event: Any) -> dict[str, Any]:
    """What the library read."""
    return {name: value for name, value in event.get_attributes().items() if value is not None}


def test_the_reference_library_reads_what_we_write_structured():
    headers, body = write_structured(EVENT)
    read = from_structured_event(HTTPMessage(headers=headers, body=body))
    assert attributes_of(read) == theirs(EVENT)
    assert read.get_data() == EVENT.data


def test_the_reference_library_reads_what_we_write_binary():
    headers, body = write_binary(EVENT)
    assert all(value.isascii() for value in headers.values())
    read = from_binary_event(HTTPMessage(headers=headers, body=body))
    assert attributes_of(read) == theirs(EVENT)
    assert read.get_data() == EVENT.data


@pytest.mark.parametrize("write", [to_binary_event, to_structured_event])
def test_we_read_what_the_reference_library_writes(write: Any):
    data: Any = EVENT.data
    message = write(TheirEvent(attributes=theirs(EVENT), data=data))
    headers = {name.lower(): value for name, value in message.headers.items()}
    (read,) = read_events(headers, message.body)
    assert (read.id, read.source, read.type, read.time, read.subject) == (
        "a-1",
        "/billing",
        "invoice.paid",
        AT,
        EVENT.subject,
    )
    assert (read.data, read.extensions) == (EVENT.data, EVENT.extensions)


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=50))
def test_any_subject_survives_both_forms(subject: str):
    event = CloudEvent(id="1", source="/s", type="t", subject=subject)
    for headers, body in (write_binary(event), write_structured(event)):
        (read,) = read_events(headers, body)
        assert read.subject == subject


def test_bytes_survive_both_forms():
    event = CloudEvent(id="1", source="/s", type="t", data=b"\0\xff", datacontenttype="application/octet-stream")
    for headers, body in (write_binary(event), write_structured(event)):
        (read,) = read_events(headers, body)
        assert read.data == b"\0\xff"


def test_a_batch_is_read_in_order():
    batch = b"[" + b",".join(write_structured(EVENT)[1] for _ in range(3)) + b"]"
    assert len(read_events({"content-type": f"{BATCH}; charset=utf-8"}, batch)) == 3


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"content-type": "application/json"}, b"{}"),
        ({"content-type": STRUCTURED}, b"{"),
        ({"content-type": STRUCTURED}, b"[]"),
        ({"content-type": STRUCTURED}, b'{"specversion":"0.3","id":"1","source":"/s","type":"t"}'),
        ({"content-type": STRUCTURED}, b'{"specversion":"1.0","id":"1","source":"/s"}'),
        ({"content-type": STRUCTURED}, b'{"specversion":"1.0","id":"","source":"/s","type":"t"}'),
        ({"content-type": STRUCTURED}, b'{"specversion":"1.0","id":"1","source":"/s","type":"t","time":"yesterday"}'),
        ({"content-type": STRUCTURED}, b'{"specversion":"1.0","id":"1","source":"/s","type":"t","data_base64":"*"}'),
        ({"content-type": STRUCTURED}, b'{"specversion":"1.0","id":"1","source":"/s","type":"t","ext":{}}'),
        ({"content-type": BATCH}, b"{}"),
        ({"content-type": BATCH}, b"[" + b",".join([b"{}"] * 101) + b"]"),
        ({"ce-specversion": "1.0", "ce-id": "1"}, b""),
    ],
)
def test_what_is_no_event_is_refused(headers: dict[str, str], body: bytes):
    with pytest.raises(EventInvalid):
        read_events(headers, body)


@pytest.mark.parametrize("form", [Format.CLOUDEVENTS, Format.CLOUDEVENTS_BINARY])
async def test_an_endpoint_may_ask_for_cloudevents_and_they_are_signed_too(
    post: Post, receiver: Receiver, form: Format
):
    created = await post.add(receiver.port, form=form)
    run = new_id()
    event = await post.tell("run.finished", run=str(run), subject="ctr_1")
    await post.sender.deliver_due()
    (got,) = receiver.got
    read_theirs = from_structured_event if form is Format.CLOUDEVENTS else from_binary_event
    read = read_theirs(HTTPMessage(headers=dict(got.headers), body=got.body))
    assert (read.get_type(), read.get_source(), read.get_subject()) == ("run.finished", SOURCE, "ctr_1")
    assert read.get_id() == got.headers["webhook-id"] == show_id("evt", event.id)
    assert read.get_data() == {"run": show_id("run", run), "subject": "ctr_1"}
    assert created.secret
    Webhook(created.secret).verify(got.body, dict(got.headers))


@dataclass(frozen=True, slots=True)
class Invoice:
    invoice: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    invoice: int


def billing(version: int = 1) -> Pipeline:
    """A pipeline that events may start."""
    pipeline = Pipeline("billing.book", version=version)

    @pipeline.step("book", title="Book it")
    async def book(invoice: Invoice, run: StepRun) -> Done:
        return Done(invoice.invoice)

    return pipeline


@pytest.fixture
def incoming(database: Database, valkey: Valkey) -> Incoming:
    """The door for events, with one pipeline behind it."""
    return Incoming(database, Starter(Pipelines(database, valkey), [billing()]))


async def test_an_event_starts_one_run_however_often_it_comes(incoming: Incoming, tenant: TenantId):
    caller = admin(tenant, "delivery.manage", "ai.analysis.trigger")
    await incoming.subscribe(caller, "invoice.paid", None, "billing.book")
    (first,) = await incoming.accept(caller, [EVENT])
    (again,) = await incoming.accept(caller, [EVENT])
    assert first.runs[0].id == again.runs[0].id
    assert (first.runs[0].pipeline, first.runs[0].subject) == ("billing.book", "event:invoice.paid")
    other = CloudEvent(id="a-1", source="/elsewhere", type="invoice.paid", data={"invoice": 8})
    (elsewhere,) = await incoming.accept(caller, [other])
    assert elsewhere.runs[0].id != first.runs[0].id
    with pytest.raises(IdempotencyKeyReused):
        await incoming.accept(caller, [CloudEvent("a-1", "/billing", "invoice.paid", {"invoice": 9})])


async def test_a_batch_with_one_bad_event_starts_nothing(incoming: Incoming, tenant: TenantId, database: Database):
    caller = admin(tenant, "delivery.manage", "ai.analysis.trigger")
    await incoming.subscribe(caller, "invoice.paid", "/billing", "billing.book")
    for bad, error in (
        (CloudEvent("2", "/billing", "invoice.paid", {"invoice": "seven"}), EventInvalid),
        (CloudEvent("2", "/billing", "invoice.lost", {}), EventUnknown),
        (CloudEvent("2", "/elsewhere", "invoice.paid", {"invoice": 1}), EventUnknown),
    ):
        with pytest.raises(error):
            await incoming.accept(caller, [EVENT, bad])
    async with database.tenant(tenant) as transaction:
        assert await transaction.all("select from run") == []


async def test_subscriptions_are_kept_by_those_who_may_and_seen_by_no_other_tenant(
    incoming: Incoming, tenant: TenantId, other_tenant: TenantId
):
    keeper, sender = admin(tenant), admin(tenant, "ai.analysis.trigger")
    made = await incoming.subscribe(keeper, "invoice.paid", None, "billing.book")
    with pytest.raises(Conflict):
        await incoming.subscribe(keeper, "invoice.paid", None, "billing.book")
    with pytest.raises(EndpointInvalid, match=r"billing\.book"):
        await incoming.subscribe(keeper, "invoice.paid", None, "knowledge.delete_everything")
    with pytest.raises(Forbidden):
        await incoming.subscribe(sender, "invoice.paid", None, "billing.book")
    with pytest.raises(Forbidden):
        await incoming.accept(keeper, [EVENT])
    stranger = admin(other_tenant, "delivery.manage", "ai.analysis.trigger")
    assert await incoming.list(stranger) == []
    with pytest.raises(NotFound):
        await incoming.unsubscribe(stranger, made.id)
    with pytest.raises(EventUnknown):
        await incoming.accept(stranger, [EVENT])
    await incoming.unsubscribe(keeper, made.id)
    assert await incoming.list(keeper) == []


def test_an_event_is_plain_json():
    shown = json.loads(write_structured(EVENT)[1])
    assert shown["time"] == "2026-03-01T12:30:05.250000Z"
    assert shown["datacontenttype"] == "application/json"
