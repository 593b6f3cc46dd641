"""Who carries out a call, and what came of it: each call of a scope is done by one process, and answered once.

The row in `tool_call` is the claim. Its holder renews a short lease; when the holder dies, whoever calls again takes
the call over with a higher fence, under which the dead one could write nothing more. A finished call keeps its
result, sealed, and gives it to everybody who calls again.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import msgspec

from mainspring.foundation.db import Database, DatabaseGone, Row
from mainspring.foundation.ids import TenantId, new_id
from mainspring.foundation.stopping import stop_all
from mainspring.foundation.telemetry import get_logger
from mainspring.foundation.vault import Vault

from . import store
from .types import Json, ResultStatus, Tool, ToolCaller, ToolFailure, ToolResult

log = get_logger(__name__)

_KIND = "tool_result"
_LOOK_AGAIN = 0.1


@dataclass(frozen=True, slots=True)
class Claim:
    """A call that this process carries out.

    is_repeat    another process had begun it, and died
    approval     the approval that it waits or waited for, and the digest that binds it
    """

    tenant: TenantId
    id: UUID
    fence: int
    is_repeat: bool = False
    approval: UUID | None = None
    approval_digest: str | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """The call was made before; this came of it."""

    result: ToolResult


@dataclass(frozen=True, slots=True)
class Busy:
    """Somebody else carries it out and has not finished in time."""


@dataclass(frozen=True, slots=True)
class Reused:
    """The call id was used in this scope for something else."""


Taken = Claim | Answered | Busy | Reused


class ClaimLost(Exception):
    """Another process has taken the call over."""


class Claims:
    """Takes calls, holds them and finishes them.

    lease   a call whose holder was not heard of for so long is free; renewed at a third of it
    """

    def __init__(self, database: Database, vault: Vault, *, lease: timedelta = timedelta(seconds=15)) -> None:
        self._database = database
        self._vault = vault
        self._lease = lease

    async def find(self, caller: ToolCaller, call_id: str) -> bool:
        """Whether there is such a call already."""
        async with self._database.tenant(caller.tenant) as transaction:
            return await store.find_call(transaction, caller.scope, call_id) is not None

    async def take(self, caller: ToolCaller, tool: Tool, arguments: Json, *, call_id: str) -> Taken:
        """The call for this process, or what came of it; waits for another holder as long as the tool may take."""
        digest = digest_of(tool.name, arguments)
        patience = self._lease + tool.timeout * (tool.retries + 1)
        with suppress(TimeoutError):
            async with asyncio.timeout(patience.total_seconds()):
                while True:
                    taken = await self._try(caller, tool, digest, call_id)
                    if not isinstance(taken, Busy):
                        return taken
                    await asyncio.sleep(_LOOK_AGAIN)
        return Busy()

    async def _try(self, caller: ToolCaller, tool: Tool, digest: bytes, call_id: str) -> Taken:
        async with self._database.tenant(caller.tenant) as transaction:
            row = await store.insert_call(transaction, _row(caller, tool, digest, call_id), lease=self._lease)
            if row is not None:
                return _claim(row)
            found = await store.find_call(transaction, caller.scope, call_id)
            if found is None:  # forgotten between the two statements
                return Busy()
            if found["tool"] != tool.name or bytes(found["arguments_digest"]) != digest:
                return Reused()
            if found["status"] == "awaiting":
                row = await store.start_awaited(transaction, found["id"], lease=self._lease)
                return _claim(row) if row else Busy()
            if found["is_abandoned"]:
                row = await store.take_over(transaction, found["id"], lease=self._lease)
                return _claim(row, is_repeat=True) if row else Busy()
        return Answered(await self._open(found)) if found["status"] == "done" else Busy()

    @asynccontextmanager
    async def holding(self, claim: Claim) -> AsyncGenerator[None]:
        """Renew the lease while the block runs; ends it with ClaimLost when another holder has taken the call."""
        holder, lost = asyncio.current_task(), asyncio.Event()
        keeping = asyncio.create_task(self._keep(claim, holder, lost))
        try:
            try:
                yield
            finally:
                await stop_all([keeping])
        except asyncio.CancelledError:
            if lost.is_set() and holder is not None and holder.uncancel() == 0:
                raise ClaimLost from None
            raise
        if not keeping.cancelled():
            keeping.result()

    async def _keep(self, claim: Claim, holder: asyncio.Task[Any] | None, lost: asyncio.Event) -> None:
        while True:
            await asyncio.sleep(self._lease.total_seconds() / 3)
            try:
                async with self._database.tenant(claim.tenant) as transaction:
                    is_held = await store.renew(transaction, claim.id, claim.fence, lease=self._lease)
            except DatabaseGone as gone:
                log.warning("tool_call_not_renewed", error=type(gone).__name__)
                continue
            if not is_held and holder is not None:
                lost.set()
                holder.cancel("the tool call was taken over")
                return

    async def park(self, claim: Claim, *, approval: UUID, digest: str) -> bool:
        """Leave the call until it is made again after its approval."""
        async with self._database.tenant(claim.tenant) as transaction:
            return await store.await_approval(transaction, claim.id, claim.fence, approval=approval, digest=digest)

    async def drop(self, claim: Claim) -> None:
        """Forget a call that was not begun."""
        async with self._database.tenant(claim.tenant) as transaction:
            await store.drop_call(transaction, claim.id, claim.fence)

    async def finish(
        self, claim: Claim, caller: ToolCaller, result: ToolResult, *, source: str, record: UUID | None
    ) -> bool:
        """Keep the result, and mark the scope when it is untrusted; False when another holder has the call."""
        vault = await self._vault.open_tenant(claim.tenant)
        sealed = vault.seal(_KIND, claim.id, msgspec.json.encode(result))
        async with self._database.tenant(claim.tenant) as transaction:
            if result.is_untrusted:
                await store.mark_untrusted(transaction, caller.scope, source)
            return await store.finish(
                transaction,
                claim.id,
                claim.fence,
                result_status=result.status.value,
                error_code=result.error.code if result.error else None,
                is_untrusted=result.is_untrusted,
                result=sealed,
                record=record,
            )

    async def _open(self, row: Row) -> ToolResult:
        vault = await self._vault.open_tenant(TenantId(row["tenant_id"]))
        return msgspec.json.decode(vault.unseal(_KIND, row["id"], bytes(row["result"])), type=ToolResult)


def digest_of(tool: str, arguments: Json) -> bytes:
    """What tells two calls apart that came under one id."""
    return sha256(msgspec.json.encode([tool, arguments], order="sorted")).digest()


def interrupted() -> ToolResult:
    """What is said of a call that may or may not have been carried out."""
    return ToolResult(
        ResultStatus.FAILED,
        error=ToolFailure(
            "outcome_unknown",
            "The call was interrupted, and nobody knows whether it was carried out. It was not made again. "
            "Look at the other side before you call it once more.",
        ),
    )


def _row(caller: ToolCaller, tool: Tool, digest: bytes, call_id: str) -> dict[str, object]:
    return {
        "id": new_id(),
        "scope": caller.scope,
        "call_id": call_id,
        "tool": tool.name,
        "arguments_digest": digest,
        "principal": caller.principal.name,
        "run": caller.run,
        "step": caller.step,
        "agent": caller.agent,
    }


def _claim(row: Row, *, is_repeat: bool = False) -> Claim:
    return Claim(
        TenantId(row["tenant_id"]), row["id"], row["fence"], is_repeat, row["approval_id"], row["approval_digest"]
    )
