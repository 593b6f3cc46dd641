"""What a call holds of its limits until it is settled."""

import struct
from collections.abc import Iterator
from datetime import UTC, date, datetime
from uuid import UUID

from .checks import NO_LIMIT, Checks
from .keys import MEMBER
from .types import Kind, LimitUse

STATE = struct.Struct("<19d")
_LEVELS = struct.Struct("<8xd8xd")
_HEAD_BYTES = 16
_UNITS = 60_000


class Hold:
    """What was reserved for one call; settle it once, or let it expire.

    is_unlimited     nothing was checked: no limit applies, or they are away and the policy lets calls pass
    is_away          the second of these
    """

    def __init__(self, checks: Checks, request_id: UUID, numbers: tuple[float, float, float], reply: bytes) -> None:
        """`numbers`: since when in ms of the server, tokens and micros held; `reply`: the script's, empty when away."""
        self.checks = checks
        self.at, self.tokens, self.cost_micros = numbers
        self.request_id = request_id
        self._reply = reply
        self._member: bytes | None = None
        self.is_away = not reply and bool(checks.entries)
        self.is_unlimited = not reply

    @property
    def member(self) -> bytes:
        """Its name among the leases of its tenant; empty when there is nothing to settle."""
        member = self._member
        if member is None:
            if self.checks.is_held:
                numbers = (self.request_id.bytes, self.at, self.tokens, self.cost_micros, self.is_away)
                member = MEMBER.pack(*numbers) + self.checks.suffixes
            else:
                member = b""
            self._member = member
        return member

    @property
    def text(self) -> bytes:
        """Everything `Limiter.settle_orphan` needs, for the spool; empty when there is nothing to settle."""
        member = self.member
        return self.checks.tenant + member if member else b""

    @property
    def day(self) -> date:
        """The calendar day (UTC) the call counts in, whenever it ends: book its spend on it."""
        return datetime.fromtimestamp(self.at / 1000, UTC).date()

    @property
    def warnings(self) -> tuple[LimitUse, ...]:
        """Limits whose soft share is passed with this call; empty in the common case, at no cost."""
        if not self._reply or self._reply[7] == 0:  # the first double is 0 or 1: only in 1 is its last byte set
            return ()
        return tuple(_passed(self.checks, self._states()))

    def rate_lines(self) -> str:
        """Header lines of the tightest rates after this call: `x-ratelimit-limit-requests` and its five companions.

        Named and written as OpenAI does; empty where no rate is limited. Costs about 2 us.
        """
        if not self._reply:
            return ""
        requests = tokens = (2.0, 0, 0.0)
        place = _HEAD_BYTES
        for check in self.checks.entries:
            levels = _LEVELS.unpack_from(self._reply, place)
            place += STATE.size
            limit = check.limits[0]
            if limit < NO_LIMIT and (left := 1 - levels[0] / (limit * _UNITS)) < requests[0]:
                requests = (left, limit, levels[0])
            limit = check.limits[1]
            if limit < NO_LIMIT and (left := 1 - levels[1] / (limit * _UNITS)) < tokens[0]:
                tokens = (left, limit, levels[1])
        return (_rate_lines("requests", *requests) if requests[1] else "") + (
            _rate_lines("tokens", *tokens) if tokens[1] else ""
        )

    def _states(self) -> Iterator[tuple[float, ...]]:
        return STATE.iter_unpack(memoryview(self._reply)[_HEAD_BYTES:])


def _passed(checks: Checks, states: Iterator[tuple[float, ...]]) -> Iterator[LimitUse]:
    for check, state in zip(checks.entries, states, strict=True):
        for kind, limit, used in zip(Kind, check.limits, _uses(state), strict=True):
            if limit < NO_LIMIT and used * 100 >= limit * check.soft_percent:
                yield LimitUse(check.subject.scope, check.subject.value, kind, limit, int(used))


def _uses(state: tuple[float, ...]) -> tuple[float, ...]:
    (_, requests, _, tokens, _, live, *_) = state
    return (
        -(-requests // _UNITS),
        -(-tokens // _UNITS),
        live,
        state[10] + state[14],
        state[11] + state[15],
        state[12] + state[16],
        state[13] + state[17],
    )


def _rate_lines(name: str, _: float, limit: int, level: float) -> str:
    left = max(0, int((limit * _UNITS - level) // _UNITS))
    return (
        f"x-ratelimit-limit-{name}: {limit}\r\nx-ratelimit-remaining-{name}: {left}\r\n"
        f"x-ratelimit-reset-{name}: {_duration(int(-(-level // limit)))}\r\n"
    )


def _duration(milliseconds: int) -> str:
    """`20ms`, `1.5s`, `6m0s`."""
    if milliseconds < 1000:
        return f"{milliseconds}ms"
    minutes, rest = divmod(milliseconds, 60_000)
    seconds = f"{rest / 1000:g}s"
    return f"{minutes}m{seconds}" if minutes else seconds
