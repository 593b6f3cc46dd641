"""The throttle holds without Valkey too, with half the allowance and a bounded memory."""

import asyncio

import pytest
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from mainspring.application.identity import Allowance, Attempt, Identity, IdentitySettings
from mainspring.application.identity import throttle as throttle_module
from mainspring.application.identity.errors import SignInRefused, SignInThrottled
from mainspring.application.identity.testing import CHEAP_PASSWORDS
from mainspring.application.identity.throttle import Throttle, throttle_key
from mainspring.foundation.db import Database
from mainspring.foundation.ids import new_id
from mainspring.foundation.valkey import Valkey, open_valkey

NOWHERE = "redis://127.0.0.1:1/0"


class Seconds:
    """A stopwatch that the test advances."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def gone():
    """A client of a Valkey that is not there, which notices without trying again."""
    client = Valkey.from_url(NOWHERE, retry=Retry(NoBackoff(), 0))
    yield client
    await client.aclose()


async def refused_after(throttle: Throttle, *, email: str | None = None, address: str | None = None) -> int:
    for admitted in range(100):
        try:
            await throttle.admit(email=email or str(new_id()), address=address or str(new_id()))
        except SignInThrottled:
            return admitted
    return 100


async def test_emails_and_addresses_are_counted_apart(valkey: Valkey):
    throttle = Throttle(valkey, Allowance(per_email=4, per_address=6))
    assert await refused_after(throttle, email=str(new_id())) == 4
    assert await refused_after(throttle, address=str(new_id())) == 6
    assert await refused_after(throttle) == 100


async def test_every_count_expires_with_its_window(valkey: Valkey):
    email, address = str(new_id()), str(new_id())
    await Throttle(valkey, Allowance()).admit(email=email, address=address)
    for key in (throttle_key("email", email), throttle_key("address", address)):
        assert 0 < await valkey.ttl(key) <= 300
        assert email.encode() not in key.encode()


async def test_a_wiped_valkey_only_starts_the_window_anew(valkey: Valkey):
    throttle, email = Throttle(valkey, Allowance(per_email=2)), str(new_id())
    assert await refused_after(throttle, email=email) == 2
    await valkey.delete(throttle_key("email", email))
    assert await refused_after(throttle, email=email) == 2


async def test_without_valkey_half_the_allowance_holds_until_the_window_ends(gone: Valkey):
    seconds = Seconds()
    throttle, email = Throttle(gone, Allowance(per_email=6), seconds=seconds), str(new_id())
    assert await refused_after(throttle, email=email) == 3
    seconds.now += 299
    with pytest.raises(SignInThrottled) as refused:
        await throttle.admit(email=email, address=str(new_id()))
    assert refused.value.retry_after_seconds == 1
    seconds.now += 1
    await throttle.admit(email=email, address=str(new_id()))


async def test_a_right_password_is_forgiven_without_valkey_too(gone: Valkey):
    throttle, email = Throttle(gone, Allowance(per_email=4)), str(new_id())
    assert await refused_after(throttle, email=email) == 2
    await throttle.forgive(email=email)
    assert await refused_after(throttle, email=email) == 2


async def test_local_counts_are_bounded(gone: Valkey, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(throttle_module, "_MOST_LOCAL_COUNTS", 5)
    throttle, address = Throttle(gone, Allowance(per_address=200)), str(new_id())
    for _ in range(8):
        await throttle.admit(email=str(new_id()), address=address)
    assert len(throttle._counts) <= 5  # pyright: ignore[reportPrivateUsage] - the bound is the promise


async def test_a_sign_in_answers_quickly_while_valkey_is_away(database: Database):
    unreachable = open_valkey(NOWHERE)
    identity = Identity(database, unreachable, settings=IdentitySettings(password_cost=CHEAP_PASSWORDS))
    async with asyncio.timeout(3):
        with pytest.raises(SignInRefused):
            await identity.sessions.sign_in(Attempt("nobody@example.com", "guess", str(new_id())))
    await unreachable.aclose()
