"""What the worker does each hour, and how a whole system ends."""

import threading
from pathlib import Path

import httpx

from mainspring.entry.rounds import do_duty, forget_replies
from mainspring.foundation.db import Database, TenantTransaction
from mainspring.foundation.errors import Conflict
from mainspring.foundation.ids import TenantId
from mainspring.inference.gateway import LOCAL_CHAT
from tests.stack import run_stack


async def test_every_kept_reply_whose_time_is_over_is_forgotten_and_no_other(database: Database, tenant: TenantId):
    async with database.tenant(tenant) as transaction:
        await _keep(transaction, tenant, count=1_200, days=-1)
        await _keep(transaction, tenant, count=3, days=1)
    assert await forget_replies(database) >= 1_200
    async with database.tenant(tenant) as transaction:
        assert await transaction.one("select count(*) as entries from semantic_entry") == {"entries": 3}


async def test_a_duty_that_fails_stops_no_other_and_comes_again():
    async def fail() -> int:
        raise Conflict("One tenant's documents are in disorder.")

    async def go_on() -> int:
        return 3

    assert [await do_duty("first", fail()), await do_duty("second", go_on())] == [None, 3]


def test_a_stream_that_was_begun_is_finished_before_the_system_ends(tmp_path: Path):
    lines: list[str] = []
    begun = threading.Event()
    with run_stack(tmp_path) as running:
        url, key = running.gateway_url, running.person("acme").key

        def listen() -> None:
            body = {
                "model": LOCAL_CHAT,
                "stream": True,
                "max_tokens": 300,
                "messages": [{"role": "user", "content": "Tell me a long story about a ship."}],
            }
            headers = {"authorization": f"Bearer {key}"}
            with httpx.stream("POST", f"{url}/v1/chat/completions", headers=headers, json=body, timeout=60) as answer:
                for line in answer.iter_lines():
                    lines.append(line)
                    begun.set()

        caller = threading.Thread(target=listen)
        caller.start()
        assert begun.wait(30)
    caller.join(30)
    assert [line for line in lines if line][-1] == "data: [DONE]"
    assert not list(tmp_path.glob("stack.json"))


async def _keep(transaction: TenantTransaction, tenant: TenantId, *, count: int, days: int) -> None:
    await transaction.run(
        """
        insert into semantic_entry (tenant_id, id, context, feature, embedding, reply, expires_at)
        select %(tenant)s, gen_random_uuid(), 'x', 'help', array_fill(0.0, array[384])::vector::halfvec, 'x',
               now() + make_interval(days => %(days)s)
          from generate_series(1, %(count)s)""",
        tenant=tenant,
        count=count,
        days=days,
    )
