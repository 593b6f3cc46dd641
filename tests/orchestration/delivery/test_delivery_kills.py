"""Workers that are killed in the middle of sending: nothing is lost, and what comes twice has the same id."""

import asyncio
import random
import subprocess
import sys
from pathlib import Path

from mainspring.foundation.engines import EngineUrls
from mainspring.foundation.ids import show_id
from mainspring.orchestration.delivery import DeliveryState

from .receiver import Receiver
from .scenes import Post

ROOT = Path(__file__).parents[3]


def start(engines: EngineUrls, port: int) -> subprocess.Popen[bytes]:
    """A worker in a process of its own."""
    command = [sys.executable, "-m", "tests.orchestration.delivery.mortal", engines.database_url, str(port)]
    return subprocess.Popen(command, cwd=ROOT)


async def test_killed_workers_lose_no_delivery(post: Post, receiver: Receiver, engines: EngineUrls):
    created = await post.add(receiver.port)
    events = [await post.tell("a.b") for _ in range(60)]
    chance, workers = random.Random(5), [start(engines, receiver.port), start(engines, receiver.port)]
    seen = 0
    try:
        async with asyncio.timeout(60):
            while any(each.state is not DeliveryState.DELIVERED for each in await post.deliveries(created.endpoint.id)):
                if len(receiver.got) >= seen + 8:  # in the middle of what is under way
                    seen = len(receiver.got)
                    victim = chance.randrange(2)
                    workers[victim].kill()
                    workers[victim].wait()
                    workers[victim] = start(engines, receiver.port)
                await asyncio.sleep(0.002)
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    assert seen >= 8, "no worker was killed while it sent"
    assert set(receiver.ids) == {show_id("evt", event.id) for event in events}
