"""Valkey: doorbells, live streams and throttles. It may be wiped at any instant; the truth is in Postgres.

Every room builds its keys in one function, with the tenant in them. Only commands that Valkey 8
and Redis 7 share are used.
"""

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

Valkey = Redis

ValkeyGone = (RedisError, ConnectionError)
"""What a lost, restarting or wiped Valkey looks like; callers fall back on Postgres."""


def open_valkey(url: str) -> Valkey:
    """A client with a pool; connects on first use, answers within 5 s or raises one of `ValkeyGone`."""
    return Redis.from_url(
        url,
        socket_timeout=5,
        socket_connect_timeout=2,
        health_check_interval=15,
        retry=Retry(ExponentialBackoff(cap=0.2, base=0.02), 2),
        retry_on_error=[RedisConnectionError, RedisTimeoutError],
    )
