"""What the semantic cache kept for long enough is deleted."""

from mainspring.foundation.db import Database

from . import store


async def forget_expired(database: Database, *, limit: int = 1000) -> int:
    """Delete up to `limit` entries whose time is over, of any tenant; how many they were."""
    async with database.system() as transaction:
        return await store.delete_expired(transaction, limit=limit)
