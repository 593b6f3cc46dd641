"""A worker that sends deliveries, to be killed: `python -m tests.orchestration.delivery.mortal URL PORT`."""

import asyncio
import sys
from datetime import timedelta

from mainspring.foundation.db import Database
from mainspring.foundation.ids import TenantId, new_id
from mainspring.orchestration.delivery import Places

from .scenes import gate, post_office


async def main(url: str, port: int) -> None:
    """Send until killed."""
    database = await Database.open(url, connections=4)
    places = Places(lease=timedelta(seconds=1), per_endpoint=8)
    post = post_office(database, TenantId(new_id()), gate(port), places=places)
    await post.sender.run(asyncio.Event())


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
