"""Dead letters: one for every step that failed for good, alike ones under one fingerprint.

Ids and numbers in a message differ from run to run, and are masked before it is compared.
"""

import hashlib
import re
from collections.abc import Sequence

import msgspec

from mainspring.foundation.ids import new_id

from . import queue_store
from .codec import show_text
from .outcomes import Ended
from .story import Story

_ID = re.compile(r"\b(?:[a-z]{2,8}_[0-9a-z]{26}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{12,})\b")
_NUMBER = re.compile(r"\d+")


def fingerprint(pipeline: str, step: str, code: str, detail: str) -> str:
    """32 hexadecimal digits, the same for errors that differ in ids and numbers only, in every version."""
    masked = _NUMBER.sub("0", _ID.sub("*", detail))
    return hashlib.sha256("\0".join((pipeline, step, code, masked)).encode()).hexdigest()[:32]


async def bury(transaction: queue_store.Transaction, story: Story, ended: Sequence[Ended]) -> None:
    """Keep a dead letter for each of these that failed."""
    rows: list[dict[str, object]] = []
    for each in ended:
        if each.failure is None:
            continue
        run, detail = story.row(each.run), show_text(each.failure.detail)
        rows.append(
            {
                "id": new_id(),
                "tenant_id": run["tenant_id"],
                "run_id": each.run,
                "step": each.name,
                "map_key": each.map_key,
                "pipeline": run["pipeline"],
                "version": run["version"],
                "error_code": each.failure.code,
                "error_detail": detail,
                "fingerprint": fingerprint(run["pipeline"], each.name, each.failure.code, detail),
            }
        )
    if rows:
        await queue_store.insert_letters(transaction, msgspec.json.encode(rows).decode())
