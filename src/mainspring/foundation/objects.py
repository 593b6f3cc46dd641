"""The object store: documents and large payloads, every key under its tenant.

A local directory by default; any URL that obstore understands (s3://, gs://, az://) in
production. A put is atomic: a reader meets the old object, the new one, or none.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import obstore
from obstore.store import LocalStore, from_url
from obstore.store import ObjectStore as Backend

from mainspring.foundation.db import forbid_open_transaction
from mainspring.foundation.errors import NotFound
from mainspring.foundation.ids import TenantId


class ObjectStore:
    """Bytes by tenant and key. Keys are relative, such as `documents/<sha256>/original`."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    @classmethod
    def open(cls, url: str) -> "ObjectStore":
        """Open `file:///dir` (made when absent) or a bucket URL; credentials come from the environment."""
        if url.startswith("file://"):
            directory = Path(url.removeprefix("file://"))
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            return cls(LocalStore(prefix=directory))
        return cls(from_url(url))

    async def put(self, tenant: TenantId, key: str, content: bytes) -> None:
        """Store `content`, replacing what was there."""
        forbid_open_transaction("the object store")
        await obstore.put_async(self._backend, _path(tenant, key), content)

    async def get(self, tenant: TenantId, key: str) -> bytes:
        """The bytes at `key`; NotFound when there are none."""
        forbid_open_transaction("the object store")
        try:
            answer = await obstore.get_async(self._backend, _path(tenant, key))
        except FileNotFoundError:
            raise NotFound(f"There is no stored object {key!r}.") from None
        return bytes(await answer.bytes_async())

    async def delete(self, tenant: TenantId, key: str) -> None:
        """Remove the object; absent is fine."""
        forbid_open_transaction("the object store")
        try:
            await obstore.delete_async(self._backend, _path(tenant, key))
        except FileNotFoundError:
            return

    async def iter_keys(self, tenant: TenantId, prefix: str = "") -> AsyncIterator[str]:
        """Every key of the tenant below `prefix`."""
        home = f"{tenant}/"
        async for page in obstore.list(self._backend, prefix=home + prefix):
            for entry in page:
                yield entry["path"].removeprefix(home)


def _path(tenant: TenantId, key: str) -> str:
    if key.startswith("/") or ".." in key.split("/"):
        raise ValueError(f"object key {key!r} must be relative and without '..'")
    return f"{tenant}/{key}"
