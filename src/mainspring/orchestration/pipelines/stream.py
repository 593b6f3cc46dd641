"""A run's live stream in Valkey: two keys, two scripts, and the one order that everyone sees.

Every event has an id `milestone-live`. Milestones come from Postgres and are `n-0`. What happens
between them (deltas, progress) exists in Valkey only and is `n-t`: after milestone n, at the
microsecond t of Valkey's clock, or one more than the last. The script gives the id, so ids only
grow; and since t is a time, they keep growing when Valkey was wiped and starts from nothing.

The script is also the fence. It keeps the newest attempt of each step and refuses the events of
older ones, and it keeps the text of each message and refuses a delta that does not continue it.
The writer then sends the whole text again as a reset. So after a wipe or a takeover the text that
clients see becomes right by itself.
"""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from mainspring.foundation.ids import TenantId
from mainspring.foundation.valkey import Valkey

from .types import EventId

EXPIRY = timedelta(hours=1)
"""After the last event or heartbeat; the milestones remain in Postgres."""

_EVENT_ID = re.compile(r"([0-9]{1,10})-([0-9]{1,16})")
MAX_ENTRIES = 10_000
PATIENCE_SECONDS = 1.5


def stream_keys(tenant: TenantId, run: UUID) -> tuple[str, str]:
    """The two keys of a run, both expiring after EXPIRY without an event.

    events  stream of `{e: event as JSON}` by event id; its name is also the channel it is published on
    state   hash: m, l the last id; epoch of this stream; since: complete after this id; final;
            `a:<step>` newest attempt; `t:<step>:<message>` the text so far
    """
    home = f"run:{tenant}:{run}"
    return f"{home}:events", f"{home}:state"


class Kind(StrEnum):
    """What an entry is to the script."""

    MILESTONE = "m"
    START = "s"  # the milestone of a step's start: fences older attempts, clears the step's messages
    END = "e"  # the milestone of the run's end: nothing live is taken any more
    LIVE = "l"
    DELTA = "d"
    TOUCH = "t"  # a heartbeat: renews the expiry


class Verdict(StrEnum):
    """What the script did with an entry."""

    TAKEN = "o"
    LATE = "l"  # a milestone that a later one overtook; readers take it from Postgres
    STALE = "s"  # of an older attempt, or after the end
    UNKNOWN = "u"  # no stream is there: say where the run stands by `is_floor_known`
    GAP = "g"  # the delta does not continue the text: send the whole


@dataclass(frozen=True, slots=True)
class Entry:
    """One event on its way into the stream.

    floor           number of a milestone that is known to precede it, or its own for a milestone
    is_floor_known  the floor was read from Postgres just now: a new stream may start there
    offset          bytes of the message before `text`; 0 starts the message anew
    payload         the event as JSON, without id and run
    """

    tenant: TenantId
    run: UUID
    kind: Kind
    floor: int
    payload: str
    step: str = ""
    attempt: int = 0
    message: str = ""
    offset: int = 0
    text: str = ""
    is_floor_known: bool = False


_APPEND = """
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000000 + tonumber(clock[2])
local expiry, most = tonumber(ARGV[1]), tonumber(ARGV[2])
local OK, LATE, STALE, UNKNOWN, GAP = 'o', 'l', 's', 'u', 'g'
local verdicts = {}

local function id_of(milestone, live) return string.format('%.0f-%.0f', milestone, live) end

local function forget_messages(state, step)
  local prefix = 't:' .. step .. ':'
  for _, field in ipairs(redis.call('HKEYS', state)) do
    if string.sub(field, 1, #prefix) == prefix then redis.call('HDEL', state, field) end
  end
end

local function append(events, state, kind, floor, known, step, attempt, message, offset, text, payload)
  local has = redis.call('HMGET', state, 'm', 'l', 'epoch', 'final')
  local m, l, epoch = tonumber(has[1]), tonumber(has[2]), has[3]
  if m and redis.call('EXISTS', events) == 0 then
    redis.call('DEL', state)
    m, l, epoch, has[4] = nil, nil, nil, false
  end
  if kind == 't' then
    redis.call('EXPIRE', events, expiry)
    redis.call('EXPIRE', state, expiry)
    return OK
  end
  local is_milestone = kind == 'm' or kind == 's' or kind == 'e'
  if not m and not is_milestone and not known then return UNKNOWN end
  local previous = m and id_of(m, l) or '0-0'
  local newest = tonumber(redis.call('HGET', state, 'a:' .. step) or '0')
  if kind == 's' and attempt > newest then
    redis.call('HSET', state, 'a:' .. step, attempt)
    forget_messages(state, step)
  end
  local id
  if is_milestone then
    if m and floor <= m then return LATE end
    id = {floor, 0}
  else
    if has[4] or attempt < newest then return STALE end
    if attempt > newest then forget_messages(state, step) end
    if kind == 'd' then
      local field = 't:' .. step .. ':' .. message
      local so_far = offset == 0 and '' or (redis.call('HGET', state, field) or '')
      if #so_far ~= offset then return GAP end
      redis.call('HSET', state, field, so_far .. text)
    end
    if attempt > newest then redis.call('HSET', state, 'a:' .. step, attempt) end
    id = {math.max(m or 0, floor), now}
    if m and id[1] == m and l >= now then id[2] = l + 1 end
  end
  if not m then
    epoch = string.format('%.0f', now)
    redis.call('HSET', state, 'epoch', epoch, 'since', floor == 1 and is_milestone and '0-0' or id_of(floor, 0))
  end
  local name = id_of(id[1], id[2])
  redis.call('XADD', events, name, 'e', payload)
  redis.call('HSET', state, 'm', id_of(id[1], 0):match('^%d+'), 'l', id_of(id[2], 0):match('^%d+'))
  if kind == 'e' then redis.call('HSET', state, 'final', '1') end
  if redis.call('XLEN', events) > most * 1.2 then
    redis.call('XTRIM', events, 'MAXLEN', most)
    redis.call('HSET', state, 'since', redis.call('XRANGE', events, '-', '+', 'COUNT', 1)[1][1])
  end
  redis.call('EXPIRE', events, expiry)
  redis.call('EXPIRE', state, expiry)
  redis.call('PUBLISH', events, epoch .. ' ' .. previous .. ' ' .. name .. ' ' .. payload)
  return OK
end

for nth, entry in ipairs(cmsgpack.unpack(ARGV[3])) do
  local of = entry[1] * 2
  verdicts[nth] = append(KEYS[of - 1], KEYS[of], unpack(entry, 2))
end
return table.concat(verdicts)
"""

_READ = """
local floor = tonumber(ARGV[1])
local has = redis.call('HMGET', KEYS[2], 'm', 'l', 'epoch', 'since')
if not has[1] then return {} end
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('DEL', KEYS[2])
  return {}
end
if floor > tonumber(has[1]) then
  redis.call('HSET', KEYS[2], 'm', ARGV[1], 'l', '0')
  has[1], has[2] = ARGV[1], '0'
end
local texts = {}
local state = redis.call('HGETALL', KEYS[2])
for at = 1, #state, 2 do
  if string.sub(state[at], 1, 2) == 't:' then
    texts[#texts + 1] = state[at]
    texts[#texts + 1] = state[at + 1]
  end
end
return {has[1], has[2], has[3], has[4], redis.call('XRANGE', KEYS[1], '(' .. ARGV[2], '+'), texts}
"""


@dataclass(frozen=True, slots=True)
class LiveEntry:
    """One live event as the stream holds it."""

    id: EventId
    payload: bytes


@dataclass(frozen=True, slots=True)
class Tail:
    """What a stream holds after some id, read in one instant.

    top       the last id given; later events have higher ones
    epoch     names this stream: another one means that Valkey was wiped meanwhile
    since     the stream is complete after this id
    messages  the whole text of each message by its name
    """

    top: EventId
    epoch: bytes
    since: EventId
    entries: tuple[LiveEntry, ...]
    messages: dict[str, str]


class Stream:
    """The two scripts. Both raise one of `ValkeyGone` or TimeoutError when Valkey is away."""

    def __init__(self, valkey: Valkey) -> None:
        self._append = valkey.register_script(_APPEND)
        self._read = valkey.register_script(_READ)

    async def append(self, entries: Sequence[Entry]) -> list[Verdict]:
        """Append and publish the entries in order; one verdict for each."""
        places: dict[UUID, int] = {}
        keys: list[str] = []
        rows: list[tuple[object, ...]] = []
        for entry in entries:
            place = places.get(entry.run)
            if place is None:
                place = places[entry.run] = len(places) + 1
                keys.extend(stream_keys(entry.tenant, entry.run))
            rows.append((place, entry.kind, entry.floor, entry.is_floor_known, entry.step, entry.attempt))
            rows[-1] += (entry.message, entry.offset, entry.text, entry.payload)
        arguments = [int(EXPIRY.total_seconds()), MAX_ENTRIES, msgspec.msgpack.encode(rows)]
        async with asyncio.timeout(PATIENCE_SECONDS):
            answer: Any = await self._append(keys=keys, args=arguments)
        return [Verdict(verdict) for verdict in bytes(answer).decode()]

    async def read(self, tenant: TenantId, run: UUID, *, floor: int, after: EventId) -> Tail | None:
        """What follows `after`; None when there is no stream.

        floor  number of the run's last milestone in Postgres: later live events will be ordered
               after it, so that the caller may show it
        """
        async with asyncio.timeout(PATIENCE_SECONDS):
            answer: Any = await self._read(keys=list(stream_keys(tenant, run)), args=[floor, str(after)])
        if not answer:
            return None
        milestone, live, epoch, since, entries, texts = answer
        return Tail(
            top=EventId(int(milestone), int(live)),
            epoch=bytes(epoch),
            since=read_event_id(since),
            entries=tuple(LiveEntry(read_event_id(name), fields[1]) for name, fields in entries),
            messages={
                bytes(field).decode().split(":", 2)[2]: bytes(text).decode()
                for field, text in zip(texts[::2], texts[1::2], strict=True)
            },
        )


def read_event_id(text: bytes | str) -> EventId:
    """The id behind its wire form; ValueError when it is none."""
    match = _EVENT_ID.fullmatch(text.decode() if isinstance(text, bytes) else text)
    if match is None:
        raise ValueError("not an event id")
    return EventId(int(match[1]), int(match[2]))
