"""How often a tenant may call a tool: the generic cell rate algorithm (ITU-T I.371, 1993), one script in Valkey.

The state is one instant, the theoretical arrival time (TAT): how far calls that were let through reach into the time
to come. A call takes `per / count` of it, and is refused when it would reach further than `per`. The server's own
clock decides. A wiped Valkey forgets what was used; while it is away nothing is refused, for the limit protects what
the tool calls, and a tool that is down because of ours would be the greater harm.
"""

from datetime import timedelta

from mainspring.foundation.ids import TenantId
from mainspring.foundation.telemetry import get_logger
from mainspring.foundation.valkey import Valkey, ValkeyGone

from .types import Rate

log = get_logger(__name__)

# KEYS[1] the state, in microseconds; ARGV[1] microseconds for a call, ARGV[2] those of the whole allowance.
# Returns 0 when the call is let through, else the microseconds until it would be.
TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local reach = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now) + ARGV[1]
if reach - now > tonumber(ARGV[2]) then
  return string.format('%.0f', reach - now - ARGV[2])
end
redis.call('SET', KEYS[1], string.format('%.0f', reach), 'PX', math.ceil((reach - now) / 1000))
return '0'
"""
_MICROSECOND = timedelta(microseconds=1)


def rate_key(tenant: TenantId, tool: str) -> str:
    """`toolrate:{tenant}:<tool>`: a text, the TAT in microseconds; expires when the allowance is whole again."""
    return f"toolrate:{{{tenant.hex}}}:{tool}"


class Rates:
    """Lets calls through, or says how long to wait."""

    def __init__(self, valkey: Valkey) -> None:
        self._valkey = valkey

    async def take(self, tenant: TenantId, tool: str, rate: Rate) -> timedelta | None:
        """None when the call may be made, and is counted; else how long until one may."""
        whole = rate.per // _MICROSECOND
        try:
            waits = await self._valkey.eval(TAKE, 1, rate_key(tenant, tool), str(whole // rate.count), str(whole))
        except ValkeyGone as gone:
            log.warning("tool_rate_not_checked", error=type(gone).__name__)
            return None
        microseconds = int(waits)
        return timedelta(microseconds=microseconds) if microseconds else None
