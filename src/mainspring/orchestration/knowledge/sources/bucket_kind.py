"""The kind `prefix`: objects in the tenant's inbox, or in a bucket that the operator opened to tenants.

A tenant names no place freely. Its inbox is `inbox/<name>/` in its own area of the platform's object store; any other
place must begin as one of the operator's templates does, each of which holds `{tenant}` and so leads every tenant to
a place of its own. Local directories are not reached this way at all, and links in an inbox do not lead out of it.
"""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import obstore
from obstore.store import LocalStore, from_url
from obstore.store import ObjectStore as Bucket

from mainspring.foundation.db import forbid_open_transaction
from mainspring.foundation.ids import TenantId
from mainspring.orchestration.knowledge.errors import FileTooLarge, InvalidSource, SourceUnreachable

from .items import Content, EndOfListing, Fetched, Gone, Item, Listing
from .types import PrefixConfig

OpenBucket = Callable[[str], Bucket]

TENANT = "{tenant}"
_LOCAL = "file://"
_REST = re.compile(r"[A-Za-z0-9._/-]*")
_SCHEMES = ("s3://", "gs://", "az://", "abfss://", "https://")


class Buckets:
    """The places that tenants' objects are read from.

    platform  URL of the platform's own object store
    allowed   the operator's templates of other buckets, such as `s3://documents/{tenant}/`
    """

    def __init__(
        self,
        platform: str,
        allowed: tuple[str, ...] = (),
        *,
        max_bytes: int = 50_000_000,
        open_bucket: OpenBucket = from_url,
    ) -> None:
        for template in allowed:
            if TENANT not in template or not template.startswith(_SCHEMES) or not template.endswith("/"):
                raise InvalidSource(
                    f"The bucket {template!r} cannot be opened to tenants: it needs the form "
                    "s3://bucket/{tenant}/, ending with a slash."
                )
        self._platform = platform
        self._allowed = allowed
        self._max_bytes = max_bytes
        self._open = open_bucket

    def check(self, config: PrefixConfig) -> None:
        """InvalidSource unless the place is one that tenants may name."""
        if config.url is None:
            return
        for template in self._allowed:
            rest = config.url.removeprefix(template)
            if rest != config.url and _REST.fullmatch(rest) and not {"..", "."} & set(rest.split("/")):
                return
        shown = ", ".join(self._allowed) or "none; leave `url` out to use the inbox"
        raise InvalidSource(f"The place {config.url[:100]!r} is not open to sources. Open are: {shown}.")

    async def list_objects(self, tenant: TenantId, name: str, config: PrefixConfig) -> Listing:
        """Every object below the prefix; what is not listed is gone."""
        forbid_open_transaction("an object store")
        self.check(config)
        if config.url is None:
            bucket, prefix = _open_platform(self._platform), f"{tenant}/inbox/{name}/"
        else:
            bucket, prefix = self._open(config.url.replace(TENANT, str(tenant))), ""
        try:
            async for page in obstore.list(bucket, prefix=prefix or None):
                for entry in page:
                    path = entry["path"]
                    if config.url is None and not self._stays_inside(path, prefix):
                        continue
                    version = entry["e_tag"] or f"{entry['last_modified'].isoformat()} {entry['size']}"
                    yield Item(
                        path.removeprefix(prefix),
                        path.rpartition("/")[2],
                        partial(self._fetch, bucket, path, entry["size"], version, prefix),
                        version=version,
                    )
        except (obstore.exceptions.BaseError, OSError) as failure:
            raise SourceUnreachable(f"The object store could not be listed ({type(failure).__name__}).") from None
        yield EndOfListing(is_complete=True)

    def _stays_inside(self, path: str, prefix: str) -> bool:
        """Whether an object of the inbox is there itself: in a directory it may be a link that leads elsewhere."""
        if not self._platform.startswith(_LOCAL):
            return True
        root = Path(self._platform.removeprefix(_LOCAL))
        try:
            return (root / path).resolve(strict=True).is_relative_to((root / prefix).resolve())
        except (OSError, RuntimeError):  # gone meanwhile, or links in a circle
            return False

    async def _fetch(
        self, bucket: Bucket, path: str, size: int, version: str, prefix: str, known: str | None
    ) -> Fetched:
        if prefix and not self._stays_inside(path, prefix):
            return Gone()
        if size > self._max_bytes:
            raise FileTooLarge(f"The object has {size:,} bytes; the limit is {self._max_bytes:,}.")
        try:
            answer = await obstore.get_async(bucket, path)
            return Content(bytes(await answer.bytes_async()), version)
        except FileNotFoundError:
            return Gone()
        except (obstore.exceptions.BaseError, OSError) as failure:
            raise SourceUnreachable(f"The object could not be read ({type(failure).__name__}).") from None


def _open_platform(url: str) -> Bucket:
    """The platform's own store, which may be a directory."""
    if url.startswith(_LOCAL):
        return LocalStore(prefix=Path(url.removeprefix(_LOCAL)), mkdir=True)
    return from_url(url)
