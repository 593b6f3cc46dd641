"""Whoever guesses keys cannot load the database with it."""

import asyncio

from mainspring.foundation.ids import TenantId
from mainspring.inference.gateway.lookups import FreshLookups
from mainspring.inference.gateway.ports import CallerFacts, TenantFacts


class CountedDirectory:
    """A directory of nobody that counts who is asked for."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []

    async def load_tenants(self) -> list[TenantFacts]:
        return []

    async def find_tenant_facts(self, tenant: TenantId) -> TenantFacts | None:
        return None

    async def load_callers(self, tenant: TenantId | None = None) -> list[CallerFacts]:
        return []

    async def find_caller(self, secret_hash: bytes) -> CallerFacts | None:
        self.asked.append(secret_hash)
        await asyncio.sleep(0)


async def test_guessing_keys_reaches_the_database_a_few_times_a_second_only():
    directory = CountedDirectory()
    lookups = FreshLookups(directory, looks_per_second=20)
    await asyncio.gather(*(lookups.find(f"guess {number}".encode()) for number in range(5_000)))
    assert 20 <= len(directory.asked) <= 25


async def test_one_wrong_key_sent_again_and_again_is_looked_for_once():
    directory = CountedDirectory()
    lookups = FreshLookups(directory)
    await asyncio.gather(*(lookups.find(b"wrong") for _ in range(100)))
    for _ in range(100):
        assert await lookups.find(b"wrong") is None
    assert len(directory.asked) == 1
