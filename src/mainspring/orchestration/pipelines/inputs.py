"""What a claimed step is given: the run's input and earlier outputs came with the claim, the rest is read here.

A step after a fan-out receives every item's output, and a compensation what its step had and gave. Both are read
in a transaction of their own, so that claims stay small and quick for all others.
"""

from dataclasses import dataclass
from uuid import UUID

import msgspec
from msgspec import Raw

from mainspring.foundation.db import Database, Row
from mainspring.foundation.ids import TenantId

from . import fan_store
from .codec import assemble, decode
from .errors import Abandon
from .fitting import SUBMITTED
from .flow import MAX_ITEMS, Undo
from .outcomes import SUSPECT_FROM, Lease
from .pipeline import StepDefinition
from .types import RunId

MAX_GATHERED_BYTES = 64 * 1_048_576
"""Upper bound of all the outputs of one fan-out; larger things go to the object store, by reference."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A leased step with what it needs to run.

    submitted, earlier  JSON of the run's input, and of the outputs of the steps it follows by name
    item                JSON of the item, when it is one of a fan-out
    failures, losses    attempts that raised before this one, and that lost their worker
    origin              the run in whose name things are done once
    cost_left           micros the run may still spend; None for no ceiling
    """

    lease: Lease
    definition: StepDefinition
    seq: int
    failures: int
    losses: int
    submitted: str
    earlier: str | None
    item: str | None
    origin: UUID
    initiator: frozenset[str]
    cost_left: int | None

    @property
    def is_suspect(self) -> bool:
        """Whether it may be what its workers were lost by."""
        return self.losses >= SUSPECT_FROM

    @property
    def is_fan_out(self) -> bool:
        """Whether the list is yet to be found that the step is run for the items of."""
        return self.definition.each is not None and self.item is None

    @property
    def is_limited(self) -> bool:
        """Whether a cost ceiling may keep it from starting: what undoes must run however much was spent."""
        return not self.definition.undoes

    @property
    def given(self) -> str:
        """JSON of all that came with the claim, for whoever looks at a dead letter."""
        if self.item is not None:
            return f'{{"item": {self.item}}}'
        return f'{{"submitted": {self.submitted}, "earlier": {self.earlier or "{}"}}}'


def read_claim(row: Row, definition: StepDefinition) -> Claim:
    """A claim from a row of the claiming statement."""
    ceiling = row["cost_ceiling_micros"]
    return Claim(
        lease=Lease(
            TenantId(row["tenant_id"]), RunId(row["run_id"]), row["name"], row["map_key"], row["token"], row["attempt"]
        ),
        definition=definition,
        seq=row["seq"],
        failures=row["failures"],
        losses=row["losses"],
        submitted=row["input"] or "null",
        earlier=row["earlier"],
        item=row["item"],
        origin=row["origin"],
        initiator=frozenset(row["initiator"]),
        cost_left=None if ceiling is None else ceiling - row["cost_micros"],
    )


async def read_input(claim: Claim, database: Database) -> object:
    """The one argument of the step's function."""
    definition = claim.definition
    if claim.item is None:
        given = assemble(definition, claim.submitted, await _earlier(claim, database))
    else:
        given = decode(claim.item, definition.input_type)
    return await _undo(claim, given, database) if definition.undoes else given


async def find_items(claim: Claim, database: Database) -> list[Raw]:
    """The items of the list that the step is to be run for; Abandon when there are too many."""
    assert claim.definition.each is not None
    head, *fields = claim.definition.each.split(".")
    given = {SUBMITTED: Raw(claim.submitted.encode()), **_outputs(await _earlier(claim, database))}
    found = given[head]
    for name in fields:
        found = msgspec.json.decode(found, type=dict[str, Raw])[name]
    items = msgspec.json.decode(found, type=list[Raw])
    if len(items) > MAX_ITEMS:
        raise Abandon(
            f"{claim.definition.each} has {len(items)} items; the limit is {MAX_ITEMS}. Put several into one item.",
            code="too_many_items",
        )
    return items


async def _earlier(claim: Claim, database: Database) -> str | None:
    """The outputs of the steps it follows, those of fan-outs as `Gathered`."""
    gathers = claim.definition.gathers
    if not gathers:
        return claim.earlier
    outputs = _outputs(claim.earlier)
    async with database.tenant(claim.lease.tenant) as transaction:
        for name in sorted(gathers):
            size = await fan_store.measure_items(transaction, claim.lease.run, name)
            if size > MAX_GATHERED_BYTES:
                raise Abandon(
                    f"The items of {name} gave {size} bytes together; the limit is {MAX_GATHERED_BYTES}. "
                    "Put them into the object store and pass their keys on.",
                    code="payload_refused",
                )
            outputs[name] = _gathered(await fan_store.read_items(transaction, claim.lease.run, name))
    return msgspec.json.encode(outputs).decode()


def _gathered(rows: list[Row]) -> Raw:
    """JSON of a `Gathered`."""
    failures = [
        {"index": int(row["map_key"]), "failure": {"code": row["error_code"], "detail": row["error_detail"] or ""}}
        for row in rows
        if row["output"] is None
    ]
    outputs = [Raw(row["output"].encode()) for row in rows if row["output"] is not None]
    return Raw(msgspec.json.encode({"outputs": outputs, "failures": failures, "total": len(rows)}))


async def _undo(claim: Claim, had: object, database: Database) -> Undo[object, object]:
    undone = claim.definition.undoes
    assert undone is not None
    async with database.tenant(claim.lease.tenant) as transaction:
        output = await fan_store.read_output(transaction, claim.lease.run, undone, claim.lease.map_key)
    return Undo(had, decode(output, claim.definition.undone_type))


def _outputs(earlier: str | None) -> dict[str, Raw]:
    return msgspec.json.decode(earlier or "{}", type=dict[str, Raw])
