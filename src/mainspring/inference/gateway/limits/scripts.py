"""The scripts that decide: everything a call counts in is read, checked and written in one of them.

A state is the string of 19 doubles of one scope and value:

    1 at        when the levels held, in ms               10 month     first day of the month counted
    2 requests  level of the bucket, in 1/60000 request   11 12 calls closed in the day, the month
    3 rpm       limit it drains by                        13 14 micros spent in the day, the month
    4 tokens    level of the bucket, in 1/60000 token     15 16 calls held in the day, the month
    5 tpm       limit it drains by                        17 18 micros held in the day, the month
    6 live      holds not settled                          7 born      when the state began, in ms
    9 day       counted, in days since 1970                8 seeded    since when it knows what was spent; 0 never
                                                          19 due       when its expiry is to be set again, in ms

Requests are limited by GCRA in its form as a meter: the level falls by the limit each minute, and a
call is admitted while it fits under the limit. Unlike a theoretical arrival time, a level means the
same under any limit, so that a changed plan acts at once; a lower one cuts the level to itself, so
that nobody waits for longer than a minute. Tokens are counted likewise, by estimate and then by use:
what was held too much is refunded, less and less over a minute, as the bucket has drained it meanwhile.

All integers stay below 2^53, so doubles are exact. The clock is the server's, plus a shift for tests.
A limit that is not set is 1e15: every check is the same few comparisons, without branches. To set an
expiry costs more than to write in place, so that is done once an hour (for mere rates, a minute) and
with the first of several holds; an empty member keeps the leases, and so their expiry, when none is held.
"""

from mainspring.foundation.valkey_wire import Script

_CONSTANTS = """
local F = '<ddddddddddddddddddd'
local DAY, WEEK = 86400000, 604800000
"""

_CLOCK = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000) + shift
"""

_DRAIN = """
local function drain(s, now)
  local elapsed = now - s[1]
  if elapsed > 0 then
    s[1] = now
    local level = s[2] - elapsed * s[3]
    s[2] = level > 0 and level or 0
    level = s[4] - elapsed * s[5]
    s[4] = level > 0 and level or 0
  end
end
"""

_GIVE_BACK = """
local function refund(s, at, now, change)
  local share = 1 - (now - at) / 60000
  local level = s[4] + (share > 0 and math.ceil(change * share) or 0)
  s[4] = level > 0 and level or 0
end

local function give_back(s, at, cost)
  s[6] = s[6] - 1
  local day = math.floor(at / DAY)
  if day == s[9] then s[15] = s[15] - 1; s[17] = s[17] - cost end
  if day >= s[10] then s[16] = s[16] - 1; s[18] = s[18] - cost end
end
"""

_ROLL = """
local function roll(s, day, month)
  if s[9] ~= day then
    s[9] = day; s[11] = 0; s[13] = 0; s[15] = 0; s[17] = 0
    if s[10] ~= month then s[10] = month; s[12] = 0; s[14] = 0; s[16] = 0; s[18] = 0 end
  end
end
"""

# KEYS leases, expired, state...
# ARGV 1: 9 doubles per state: the seven limits in the order of Kind, soft percent, whether it must be seeded
#      2: the states' suffixes, as they end a hold   3: id, tokens, cost, lease (0: no hold), shift, month, next month
# answers doubles: 0 or 1 (a soft limit is passed), now, and the states
#               (`now` is since when the call is held)
#               or 2 (refused), now, state, kind, what is used, ms to wait (1e15: for ever)
#               or 3 (a state must be seeded), now      or 4 (the day is not in the month that was given), now
RESERVE = Script(
    _CONSTANTS
    + "local id, tokens, cost, lease, shift, month, next_month = struct.unpack('<c16dddddd', ARGV[3])"
    + _CLOCK
    + """
local day = math.floor(now / DAY)
if day < month or day >= next_month then return struct.pack('<dd', 4, now) end

local function sweep()
  local dead = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, 500)
  if #dead == 0 then return false end
"""
    + _DRAIN
    + _GIVE_BACK
    + """
  local home = string.sub(KEYS[1], 1, -2)
  for _, member in ipairs(dead) do
    local _, at, held_tokens, held_cost, _, count, place = struct.unpack('<c16ddddB', member)
    for _ = 1, count do
      local suffix
      suffix, place = struct.unpack('<Hc0', member, place)
      local raw = redis.call('GET', home .. suffix)
      local s = raw and {struct.unpack(F, raw)}
      if s and s[7] <= at then
        drain(s, now)
        refund(s, at, now, -held_tokens * 60000)
        give_back(s, at, held_cost)
        redis.call('SETRANGE', home .. suffix, 0, struct.pack(F, unpack(s, 1, 19)))
      end
    end
    redis.call('ZREM', KEYS[1], member)
    redis.call('ZADD', KEYS[2], now + WEEK, member)
  end
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
  redis.call('PEXPIRE', KEYS[2], WEEK)
  return true
end

local limits, packed, fresh = ARGV[1], {}, {}
local code, wait, where, kind, used = 0, -1, 0, 0, 0
local scaled, held, at = tokens * 60000, lease > 0 and 1 or 0, now
"""
    + _ROLL
    + """
local function refuse(i, k, w, u)
  if w > wait then wait = w; where = i; kind = k; used = u end
end
local function refuse_window(i, k, closed, own, limit, u, ends)
  if own > limit then ends = 1e15 elseif closed + own <= limit then ends = 1000 end
  refuse(i, k, ends, u)
end

local function decide()
  code, wait = 0, -1
  local raws = redis.call('MGET', unpack(KEYS, 3))
  for i = 1, #raws do
    local rpm, tpm, live, day_calls, month_calls, day_cost, month_cost, soft, windowed =
      struct.unpack('<ddddddddd', limits, i * 72 - 71)
    local raw, s = raws[i], nil
    if raw then
      s = {struct.unpack(F, raw)}
      local elapsed = now - s[1]
      if elapsed < 0 then elapsed = 0 end
      s[1] = s[1] + elapsed
      local level = s[2] - elapsed * s[3]
      s[2] = level > 0 and level or 0
      level = s[4] - elapsed * s[5]
      s[4] = level > 0 and level or 0
      if s[3] ~= rpm then s[3] = rpm; if s[2] > rpm * 60000 then s[2] = rpm * 60000 end end
      if s[5] ~= tpm then s[5] = tpm; if s[4] > tpm * 60000 then s[4] = tpm * 60000 end end
      if s[9] ~= day then roll(s, day, month) end
    else
      s = {now, 0, rpm, 0, tpm, 0, now, 0, day, month, 0, 0, 0, 0, 0, 0, 0, 0, 0}
    end
    if s[7] > at then at = s[7] end -- a clock that was set back must not make the hold older than its state
    if windowed == 1 and s[8] == 0 then return struct.pack('<dd', 3, now) end

    local a, b, c = s[2] + 60000, s[4] + scaled, s[6] + 1
    local d, e, f, g = s[11] + s[15] + 1, s[12] + s[16] + 1, s[13] + s[17] + cost, s[14] + s[18] + cost
    local most_a, most_b = rpm * 60000, tpm * 60000
    if a > most_a or b > most_b or c > live or d > day_calls or e > month_calls or f > day_cost or g > month_cost then
      local day_ends, month_ends = (day + 1) * DAY - now, next_month * DAY - now
      if a > most_a then refuse(i, 0, math.ceil((a - most_a) / rpm), math.ceil(s[2] / 60000)) end
      if b > most_b then
        refuse(i, 1, tokens > tpm and 1e15 or math.ceil((b - most_b) / tpm), math.ceil(s[4] / 60000))
      end
      if c > live then refuse(i, 2, 1000, s[6]) end
      if d > day_calls then refuse_window(i, 3, s[11], 1, day_calls, d - 1, day_ends) end
      if e > month_calls then refuse_window(i, 4, s[12], 1, month_calls, e - 1, month_ends) end
      if f > day_cost then refuse_window(i, 5, s[13], cost, day_cost, f - cost, day_ends) end
      if g > month_cost then refuse_window(i, 6, s[14], cost, month_cost, g - cost, month_ends) end
    end
    soft = soft / 100
    if a >= most_a * soft or b >= most_b * soft or c >= live * soft or d >= day_calls * soft
      or e >= month_calls * soft or f >= day_cost * soft or g >= month_cost * soft then code = 1 end
    if wait < 0 then
      s[2] = a
      if held == 1 then
        s[4] = b; s[6] = c
        s[15] = s[15] + 1; s[16] = s[16] + 1; s[17] = s[17] + cost; s[18] = s[18] + cost
      end
      if now >= s[19] or (held == 1 and c == 1) then
        local is_kept = s[6] > 0
        s[19] = now + (is_kept and 3600000 or 60000)
        fresh[i] = is_kept and 90000000 + lease or 720000
      else
        fresh[i] = false
      end
      packed[i] = struct.pack(F, unpack(s, 1, 19))
    end
  end
end

-- What expired is given back before a call is refused for it, and now and then.
if now % 64 == 0 then sweep() end
local unseeded = decide()
if wait >= 0 and not unseeded and sweep() then unseeded = decide() end
if unseeded then return unseeded end
if wait >= 0 then return struct.pack('<dddddd', 2, now, where, kind, used, wait) end

local is_stale = false
for i = 1, #packed do
  if fresh[i] then
    is_stale = true
    redis.call('SET', KEYS[i + 2], packed[i], 'PX', fresh[i])
  else
    redis.call('SETRANGE', KEYS[i + 2], 0, packed[i])
  end
end
if held == 1 then
  local member = struct.pack('<c16dddd', id, at, tokens, cost, 0) .. ARGV[2]
  if is_stale then
    redis.call('ZADD', KEYS[1], now + lease, member, 'inf', '')
    redis.call('PEXPIRE', KEYS[1], WEEK + DAY)
  else
    redis.call('ZADD', KEYS[1], now + lease, member)
  end
end
return struct.pack('<dd', code, at) .. table.concat(packed)
"""
)

# KEYS leases, expired, state...   ARGV tokens, cost, calls, shift, when it closed, and the hold
# A hold that is in neither set was settled before, or its state was wiped: a state younger than the hold
# never counted it, and is charged unless it was seeded after the call had closed.
SETTLE = Script(
    _CONSTANTS
    + _DRAIN
    + _GIVE_BACK
    + """
local tokens, cost, calls, shift, closed = struct.unpack('<ddddd', ARGV[1])
local member = string.sub(ARGV[1], 41)
local id, at, held_tokens, held_cost, away = struct.unpack('<c16dddd', member)
local is_held = redis.call('ZREM', KEYS[1], member) == 1
local is_new = is_held or redis.call('ZREM', KEYS[2], member) == 1
local day, marked, now = math.floor(at / DAY), nil, nil
local raws = redis.call('MGET', unpack(KEYS, 3))
for i = 1, #raws do
  local s = raws[i] and {struct.unpack(F, raws[i])}
  if s then
    local is_younger = s[7] > at or away == 1
    local counts = is_new
    if is_younger and closed < s[8] then
      counts = false
    elseif is_younger and not is_new then
      if marked == nil then
        marked = redis.call('SET', string.sub(KEYS[1], 1, -2) .. 'd:' .. id, '1', 'NX', 'PX', WEEK) and true or false
      end
      counts = marked
    end
    if counts then
      local is_back = is_held and not is_younger
      local change = (is_back and tokens - held_tokens or tokens) * 60000
      if s[5] < 1e15 then
        if not now then
          local time = redis.call('TIME')
          now = time[1] * 1000 + math.floor(time[2] / 1000) + shift
        end
        drain(s, now)
        if change < 0 then refund(s, at, now, change) else s[4] = s[4] + change end
      end
      if is_back then give_back(s, at, held_cost) end
      if day == s[9] then s[11] = s[11] + calls; s[13] = s[13] + cost end
      if day >= s[10] then s[12] = s[12] + calls; s[14] = s[14] + cost end
      redis.call('SETRANGE', KEYS[i + 2], 0, struct.pack(F, unpack(s, 1, 19)))
    end
  end
end
return is_held and 1 or is_new and 2 or marked and 3 or 0
"""
)

# KEYS state...   ARGV 1: 4 doubles per state: calls of day, month, micros of day, month
#                      2: shift, day, month, when the sums were read   answers 1, or 0 when the day is over
SEED = Script(
    _CONSTANTS
    + _ROLL
    + "local shift, day, month, read_at = struct.unpack('<dddd', ARGV[2])"
    + _CLOCK
    + """
if math.floor(now / DAY) ~= day then return 0 end
for i, key in ipairs(KEYS) do
  local raw = redis.call('GET', key)
  local s = raw and {struct.unpack(F, raw)} or {now, 0, 0, 0, 0, 0, now, 0, day, month, 0, 0, 0, 0, 0, 0, 0, 0, 0}
  if s[8] == 0 then
    roll(s, day, month)
    s[8] = read_at < now and read_at or now
    s[11], s[12], s[13], s[14] = struct.unpack('<dddd', ARGV[1], i * 32 - 31)
    redis.call('SET', key, struct.pack(F, unpack(s, 1, 19)), 'PX', 90000000)
  end
end
return 1
"""
)
