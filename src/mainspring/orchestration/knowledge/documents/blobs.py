"""Where the bytes of documents are: every key under its document, the revision in its name.

    documents/{id}/original-{revision}-{start of the sha256}
    documents/{id}/parsed-{revision}-{parser version}.json
    documents/{id}/cut-{revision}-{fingerprint}.json

Two puts that race for one revision write different originals, and only one of them is pointed at.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

from mainspring.foundation.ids import TenantId
from mainspring.foundation.objects import ObjectStore

_KEY = re.compile(r"(?P<kind>original|parsed|cut)(?:-(?P<revision>\d+))?[-.]?(?P<rest>.*)")


def original_key(document: UUID, revision: int, sha256: str) -> str:
    """Of the bytes as they came in."""
    return f"documents/{document}/original-{revision}-{sha256[:16]}"


def parsed_key(document: UUID, revision: int, parser_version: str) -> str:
    """Of what a parser found in a revision."""
    return f"documents/{document}/parsed-{revision}-{parser_version}.json"


def cut_key(document: UUID, revision: int, fingerprint: str) -> str:
    """Of the chunks of a revision under one setup."""
    return f"documents/{document}/cut-{revision}-{fingerprint}.json"


def made_at(document: UUID) -> datetime:
    """When the id was made; a UUIDv7 begins with milliseconds."""
    return datetime.fromtimestamp((document.int >> 80) / 1000, UTC)


async def find_parsed(objects: ObjectStore, tenant: TenantId, document: UUID, revision: int) -> str | None:
    """The key of what was found in an earlier revision, None when it is gone."""
    keys = [key async for key in objects.iter_keys(tenant, f"documents/{document}/")]
    return max((key for key in keys if _read(key) == ("parsed", revision)), default=None)


async def delete_blobs(
    objects: ObjectStore, tenant: TenantId, document: UUID, *, is_old: Callable[[str, int], bool] | None = None
) -> None:
    """Remove the document's blobs, or those that `is_old` says so of by key and revision."""
    keys = [key async for key in objects.iter_keys(tenant, f"documents/{document}/")]
    for key in keys:
        if is_old is None or is_old(key, _read(key)[1]):
            await objects.delete(tenant, key)


def _read(key: str) -> tuple[str, int]:
    """Kind and revision; keys of before there were revisions are of the first."""
    found = _KEY.fullmatch(key.rpartition("/")[2])
    return (found["kind"], int(found["revision"] or 1)) if found else ("", 0)
