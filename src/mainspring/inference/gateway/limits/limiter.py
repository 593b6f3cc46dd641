"""Admits calls: one script in Valkey checks and holds everything, another settles it.

What a wipe of Valkey can lose. Counters are seeded from what Postgres has booked; a call counts again
when it is under way during the wipe and settled after the seeding, or was booked before it. So only
calls that closed before the seeding and were not yet booked are missing: those of about the last
second. Rates and concurrency begin at nothing after a wipe. A settlement that Valkey did not answer
is sent again when the connection is back, which is safe: a hold is settled once.
"""

import asyncio
import struct
import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from datetime import date, timedelta
from logging import getLogger
from uuid import UUID

from mainspring.foundation.errors import Unavailable
from mainspring.foundation.valkey import ValkeyGone
from mainspring.foundation.valkey_wire import Reply, ValkeyWire
from mainspring.inference.gateway.policy import TenantPolicy

from .checks import SETTLE_HEAD, Check, Checks, ChecksMemo, settle_call
from .errors import LimitsAway, PriceUnknown
from .explain import refusal
from .holds import Hold
from .keys import read_hold, tenant_keys
from .ports import SpendTotals
from .scripts import RESERVE, SEED, SETTLE
from .types import NOTHING_SPENT, Kind, LimitUse, Scopes, month_of

logger = getLogger(__name__)

_VARYING = struct.Struct("<16s6d")
_HEAD = struct.Struct("<2d")
_REFUSED = struct.Struct("<6d")
_SPENT = struct.Struct("<4d")
_DAY_MS = 86_400_000
_EPOCH = date(1970, 1, 1)
_SOFT, _IS_REFUSED, _UNSEEDED, _OTHER_MONTH = 1, 2, 3, 4
_MAX_UNSENT = 20_000
_SEED_SECONDS = 2.0
_COMPLAIN_SECONDS = 5.0
NO_SHIFT = timedelta()


class Limiter:
    """The limits of all tenants as one process sees them; any number may share a Valkey."""

    def __init__(
        self, wire: ValkeyWire, totals: SpendTotals, *, shift: Callable[[], timedelta] = lambda: NO_SHIFT
    ) -> None:
        """`shift` is added to the server's clock, so that tests reach the end of a lease or a month."""
        self._wire = wire
        self._totals = totals
        self._shift = shift
        self._memo = ChecksMemo()
        self._seeding: dict[bytes, asyncio.Task[None]] = {}
        self._unsent: deque[bytes] = deque(maxlen=_MAX_UNSENT)
        self._month = (0, 0)
        self._complain_at = 0.0
        wire.on_connect(self._begin)

    def checks(self, policy: TenantPolicy, scopes: Scopes) -> Checks:
        """The limits of a call, memoized; give the same policy object as long as it is in force."""
        return self._memo.checks(policy, scopes)

    async def reserve(
        self, checks: Checks, request_id: UUID, *, tokens: int, cost_micros: int | None, lease: timedelta
    ) -> Hold:
        """Hold an estimate in every scope, or in none.

        request_id   unique to the call; reserve once with it
        tokens       upper estimate, prompt plus completion
        cost_micros  upper estimate; None when no price is known
        lease        after which the hold gives itself back, at most a day; what is settled later still counts
        raises       LimitReached, BudgetExceeded, CallTooLarge (429), PriceUnknown (422), LimitsAway (503)
        """
        if not checks.entries:
            return Hold(checks, request_id, (self._now_ms(), 0, 0), b"")
        if cost_micros is None:
            if checks.has_budget:
                raise _price_unknown(checks)
            cost_micros = 0
        lease_ms = lease // _MILLISECOND if checks.is_held else 0
        try:
            for _ in range(4):
                arguments = (tokens, cost_micros, lease_ms, self._shift() // _MILLISECOND, *self._month)
                message = b"%b%b\r\n" % (checks.reserve, _VARYING.pack(request_id.bytes, *arguments))
                sent = self._wire.run(RESERVE, message)
                try:
                    reply = await _Patient(sent)
                except asyncio.CancelledError:
                    self._let_go(sent, checks, request_id, tokens=tokens, cost_micros=cost_micros)
                    raise
                assert isinstance(reply, bytes)
                code, now_ms = _HEAD.unpack_from(reply)
                if code <= _SOFT:
                    return Hold(checks, request_id, (now_ms, tokens, cost_micros), reply)
                await self._mend(checks, reply, tokens=tokens, cost_micros=cost_micros)
            raise Unavailable("The counters of the limits could not be seeded.")
        except (*ValkeyGone, Unavailable) as away:
            return self._pass_unchecked(checks, request_id, away)

    def settle(self, hold: Hold, *, tokens: int, cost_micros: int) -> None:
        """Count what a call has used and give the rest back; sent with this turn's calls, never waits.

        Settling again changes nothing; settling after the hold expired counts once.
        """
        self._settle(hold, tokens, cost_micros, 1)

    def release(self, hold: Hold) -> None:
        """Give everything back for a call that never went out: no call, token or money is counted."""
        self._settle(hold, 0, 0, 0)

    def move(self, hold: Hold, scopes: Scopes) -> Hold:
        """Give a hold back, and take one for the same call in other scopes that is to be settled at once.

        It was not checked there: the call is over, and counts where it belongs.
        """
        checks = self._memo.checks(hold.checks.policy, scopes)
        if checks is hold.checks:
            return hold
        self.release(hold)
        return Hold(checks, hold.request_id, (hold.at, 0, 0), b"")

    async def settle_orphan(self, hold_text: bytes, *, tokens: int, cost_micros: int) -> bool:
        """Settle for a process that died, from `Hold.text`, before its record is booked; False when it was settled.

        Raises one of `ValkeyGone` when Valkey is away, ValueError when the text is not that of a hold.
        """
        if not hold_text:
            return False
        tenant, member, suffixes = read_hold(hold_text)
        prefix = settle_call(tenant_keys(tenant), suffixes)
        return await self._wire.run(SETTLE, self._settlement(prefix, member, (tokens, cost_micros, 1))) != 0

    def _let_go(
        self, answered: asyncio.Future[Reply], checks: Checks, request_id: UUID, *, tokens: int, cost_micros: int
    ) -> None:
        """The caller went while the answer was on its way: what it brought is given back."""
        if not answered.done() or answered.cancelled() or answered.exception() is not None:
            return
        reply = answered.result()
        assert isinstance(reply, bytes)
        code, now_ms = _HEAD.unpack_from(reply)
        if code <= _SOFT:
            self.release(Hold(checks, request_id, (now_ms, tokens, cost_micros), reply))

    def _settle(self, hold: Hold, tokens: int, cost_micros: int, calls: int) -> None:
        member = hold.member
        if member:
            message = self._settlement(hold.checks.settle, member, (tokens, cost_micros, calls))
            self._wire.run_unheard(SETTLE, message, self._unsent.append)

    def _settlement(self, prefix: bytes, member: bytes, used: tuple[int, int, int]) -> bytes:
        head = SETTLE_HEAD.pack(*used, self._shift() // _MILLISECOND, self._now_ms())
        return b"%b%b%b\r\n" % (prefix, head, member)

    def _begin(self) -> None:
        """First of all on a new connection: the scripts, and the settlements that had no answer before."""
        for script in (RESERVE, SETTLE, SEED):
            self._wire.load(script)
        unsent, self._unsent = self._unsent, deque(maxlen=_MAX_UNSENT)
        for message in unsent:
            self._wire.run_unheard(SETTLE, message, self._unsent.append)

    def _now_ms(self) -> int:
        return time.time_ns() // 1_000_000 + self._shift() // _MILLISECOND

    async def _mend(self, checks: Checks, reply: bytes, *, tokens: int, cost_micros: int) -> None:
        """Raise for a refusal; else mend what the script lacked, so that it can be asked again."""
        code, now_ms = _HEAD.unpack_from(reply)
        today = _EPOCH + timedelta(days=now_ms // _DAY_MS)
        if code == _OTHER_MONTH:
            first, following = month_of(today)
            self._month = ((first - _EPOCH).days, (following - _EPOCH).days)
        elif code == _UNSEEDED:
            await self._seed(checks, today)
        else:
            assert code == _IS_REFUSED
            _, _, where, kind, used, wait_ms = _REFUSED.unpack(reply)
            check = checks.entries[int(where) - 1]
            use = LimitUse(*check.subject, Kind(int(kind)), check.limits[int(kind)], int(used))
            raise refusal(use, tokens=tokens, cost_micros=cost_micros, wait_ms=int(wait_ms), now_ms=int(now_ms))

    async def _seed(self, checks: Checks, today: date) -> None:
        """Seed every counter of the checks, each by one task however many calls wait for it."""
        windowed = [check for check in checks.entries if check.is_windowed]
        missing = [check for check in windowed if checks.keys.home + check.suffix not in self._seeding]
        if missing:
            task = asyncio.create_task(self._read_and_seed(checks, missing, today))
            for key in [checks.keys.home + check.suffix for check in missing]:
                self._seeding[key] = task
                task.add_done_callback(lambda _, key=key: self._seeding.pop(key))
        tasks = {self._seeding[checks.keys.home + check.suffix] for check in windowed}
        try:
            async with asyncio.timeout(_SEED_SECONDS):
                for task in tasks:
                    await asyncio.shield(task)
        except TimeoutError as slow:
            raise Unavailable("What was spent so far could not be read in time.") from slow

    async def _read_and_seed(self, checks: Checks, missing: Sequence[Check], today: date) -> None:
        read_at = self._now_ms()
        spent = await self._totals.read(checks.scopes.tenant, [check.subject for check in missing], today)
        found = [spent.get(check.subject, NOTHING_SPENT) for check in missing]
        rows = [(s.calls_of_day, s.calls_of_month, s.micros_of_day, s.micros_of_month) for s in found]
        day, month = (today - _EPOCH).days, (month_of(today)[0] - _EPOCH).days
        keys = [checks.keys.home + check.suffix for check in missing]
        sums = b"".join([_SPENT.pack(*row) for row in rows])
        times = _SPENT.pack(self._shift() // _MILLISECOND, day, month, read_at)
        await self._wire.run(SEED, b"%b%b\r\n" % (SEED.prepare(keys, sums, last_size=_SPENT.size), times))

    def _pass_unchecked(self, checks: Checks, request_id: UUID, away: Exception) -> Hold:
        if (now := time.monotonic()) >= self._complain_at:
            self._complain_at = now + _COMPLAIN_SECONDS
            logger.warning("limits cannot be checked: %s", away)
        if checks.policy.when_limits_away == "closed":
            raise LimitsAway(
                "The limits cannot be checked now, and the tenant's policy admits no unchecked calls; "
                "try again shortly.",
                retry_after_seconds=1,
            ) from away
        return Hold(checks, request_id, (self._now_ms(), 0, 0), b"")


class _Patient:
    """Waits for a reply even when its task is cancelled, which then happens as soon as the reply is there.

    As `asyncio.shield`, but that it costs 0.4 us instead of 2.7; replies of Valkey have a deadline of their own.
    """

    __slots__ = ("_asyncio_future_blocking", "_reply", "add_done_callback", "get_loop")

    def __init__(self, reply: asyncio.Future[Reply]) -> None:
        self._reply = reply
        self._asyncio_future_blocking = False
        self.add_done_callback = reply.add_done_callback
        self.get_loop = reply.get_loop

    def cancel(self, msg: object = None) -> bool:
        """Not now: the task remembers it."""
        return False

    def __await__(self) -> Generator["_Patient", None, Reply]:
        if not self._reply.done():
            self._asyncio_future_blocking = True
            yield self
        return self._reply.result()


_MILLISECOND = timedelta(milliseconds=1)


def _price_unknown(checks: Checks) -> PriceUnknown:
    model = f"the model {checks.scopes.model!r}" if checks.scopes.model else "this model"
    return PriceUnknown(
        f"A budget applies to this call, but no price of {model} is known, so its cost cannot be held. "
        "Set a price for it in the tenant's policy (`prices`), or use a model with a known price."
    )
