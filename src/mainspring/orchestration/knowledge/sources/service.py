"""`Sources`: where a tenant's documents come from, set up, watched, synchronised and removed."""

import re
from collections.abc import Collection, Sequence
from dataclasses import replace

from mainspring.foundation.errors import Conflict, NotFound
from mainspring.foundation.ids import TenantId
from mainspring.foundation.principal import Principal
from mainspring.foundation.vault import Vault
from mainspring.orchestration.knowledge.documents import NewDocument
from mainspring.orchestration.knowledge.errors import InvalidSource, SourceBusy
from mainspring.orchestration.knowledge.homes import Homes
from mainspring.orchestration.knowledge.ingestion import Ingestion, Submission
from mainspring.orchestration.knowledge.ports import Caches
from mainspring.orchestration.pipelines import Pipeline, Pipelines, Run
from mainspring.orchestration.pipelines.types import RunId

from . import store
from .kinds import Kinds, keeps_to_itself
from .store import Due, Record, Settings
from .sync import REMOVE_SOURCE, SECRET_KIND
from .types import (
    MAX_EXTERNAL_ID_BYTES,
    MAX_NAME,
    MIN_EVERY_SECONDS,
    NewSource,
    PushConfig,
    Source,
    SourceConfig,
    SourceRef,
    SourceUpdate,
    UrlConfig,
    kind_of,
)

MANAGE, VIEW, EDIT = "knowledge.manage", "knowledge.view", "knowledge.edit"
BUILT_IN = frozenset({"uploads"})
"""Names of sources that have no row: of uploads, and what products of this package call theirs."""

_NAME = re.compile(rf"[a-z0-9][a-z0-9_-]{{0,{MAX_NAME - 1}}}")
_TYPE = re.compile(r"[a-z][a-z0-9_]{0,39}")
_MAX_EVERY = 366 * 86_400
_MAX_READERS = 1_000
_MAX_SECRET = 16_000


def subject_of_source(name: str) -> str:
    """What a run about a source says it is about."""
    return f"source:{name}"


class Sources:
    """Use cases on the sources of the principal's tenant.

    sync, removal  the pipelines of `build_sync` and `build_remove_source`
    reserved       names that no tenant may give a source
    """

    def __init__(  # noqa: PLR0913 - the doors to everything that a source touches, wired once
        self,
        homes: Homes,
        vault: Vault,
        kinds: Kinds,
        ingestion: Ingestion,
        caches: Caches,
        *,
        pipelines: Pipelines,
        sync: Pipeline,
        removal: Pipeline,
        reserved: Collection[str] = BUILT_IN,
    ) -> None:
        self._homes = homes
        self._vault = vault
        self._kinds = kinds
        self._ingestion = ingestion
        self._caches = caches
        self._pipelines = pipelines
        self._sync = sync
        self._removal = removal
        self._reserved = frozenset(reserved)

    def connectors(self) -> tuple[str, ...]:
        """The connectors that are installed, by name."""
        return self._kinds.connectors.names()

    async def create(self, principal: Principal, new: NewSource) -> Source:
        """Set up a source; one with a schedule is first synchronised at once. Needs `knowledge.manage`.

        raises   InvalidSource, UrlRefused; Conflict when the name is taken
        """
        principal.require(MANAGE)
        if not _NAME.fullmatch(new.name) or new.name in self._reserved:
            raise InvalidSource(
                f"The name {new.name[:MAX_NAME]!r} cannot be used; take 1 to {MAX_NAME} of a-z, 0-9, '-' and '_', "
                f"and none of {', '.join(sorted(self._reserved))}."
            )
        wanted = SourceUpdate(new.config, new.secret, new.document_type, new.readers, new.every_seconds)
        settings = await self._check(principal.tenant, new.name, wanted, stored=None)
        async with self._homes.writing(principal.tenant) as transaction:
            record = await store.insert(transaction, new.name, settings, by=principal.name)
        if record is None:
            raise Conflict(f"There is a source {new.name!r} already; update it, or take another name.")
        return record.source

    async def list(self, principal: Principal) -> Sequence[Source]:
        """Every source by name; needs `knowledge.view`."""
        principal.require(VIEW)
        async with self._homes.reading(principal.tenant) as transaction:
            return [record.source for record in await store.list_all(transaction)]

    async def get(self, principal: Principal, name: str) -> Source:
        """The source; needs `knowledge.view`; NotFound."""
        principal.require(VIEW)
        return (await self._get(principal.tenant, name)).source

    async def update(self, principal: Principal, name: str, wanted: SourceUpdate) -> Source:
        """Set a source's settings; needs `knowledge.manage`. Its kind stays what it is.

        Other readers are those of its documents from the next query on. A pause stops a synchronisation that is
        under way within a batch.
        raises   NotFound, InvalidSource, UrlRefused; SourceBusy while it is being removed
        """
        principal.require(MANAGE)
        tenant = principal.tenant
        record = await self._get(tenant, name)
        await self._refuse_removed(tenant, record.source)
        if kind_of(wanted.config) != record.source.kind:
            raise InvalidSource(f"The source {name!r} is of the kind {record.source.kind!r}, which stays as it is.")
        settings = await self._check(tenant, name, wanted, stored=record)
        async with self._homes.writing(tenant) as transaction:
            changed = await store.update(transaction, name, settings)
            if changed is not None and wanted.readers != record.source.readers:
                await store.set_readers(transaction, name, settings.readers)
        if changed is None:
            raise _not_found(name)
        if wanted.readers != record.source.readers:
            await self._caches.forget(tenant)
        return changed.source

    async def delete(self, principal: Principal, name: str) -> Run:
        """Remove a source and its documents; the run tells how far it is. Needs `knowledge.manage`.

        Nothing is taken in any more from this moment; the source is gone when the run has succeeded. Repeating it
        answers the same run, or starts another one if that failed.
        """
        principal.require(MANAGE)
        tenant = principal.tenant
        while True:
            record = await self._get(tenant, name)
            source, newest = record.source, await self._newest_run(tenant, record.source)
            if newest is not None and newest.pipeline == REMOVE_SOURCE and not newest.status.is_final:
                return newest
            run = await self._submit(tenant, source, self._removal, f"{source.run_id or 'first'}")
            async with self._homes.writing(tenant) as transaction:
                if await store.point_at_run(transaction, _ref(source), run.id, seen=source.run_id, pauses=True):
                    return run

    async def sync_now(self, principal: Principal, name: str) -> Run:
        """Synchronise a source now, or join the run that does; needs `knowledge.manage`.

        raises   NotFound; SourceBusy for one that is paused, pushed to or being removed
        """
        principal.require(MANAGE)
        record = await self._get(principal.tenant, name)
        source = record.source
        await self._refuse_removed(principal.tenant, source)
        if source.is_paused or isinstance(source.config, PushConfig):
            how = "paused; resume it first" if source.is_paused else "pushed to; there is nothing to fetch"
            raise SourceBusy(f"The source {name!r} is {how}.")
        newest = await self._newest_run(principal.tenant, source)
        if newest is not None and not newest.status.is_final:
            return newest
        return await self._start(principal.tenant, source, f"after/{source.run_id or 'first'}")

    async def push(self, principal: Principal, name: str, new: NewDocument) -> Submission:
        """Put a document into a source of the kind `push` under its external id; needs `knowledge.edit`.

        new     its `source` is set here; type and readers are the source's where it names none
        raises  NotFound, SourceBusy, InvalidSource, and what `Documents.put` refuses
        """
        principal.require(EDIT)
        source = await self._pushable(principal.tenant, name)
        _check_external_id(new.external_id)
        return await self._ingestion.add(
            principal,
            replace(
                new,
                source=name,
                document_type=new.document_type or source.document_type,
                readers=new.readers if new.readers is not None else source.readers,
            ),
        )

    async def withdraw(self, principal: Principal, name: str, external_id: str) -> None:
        """Take a pushed document away by its external id; one that is gone is fine. Needs `knowledge.edit`."""
        principal.require(EDIT)
        await self._pushable(principal.tenant, name)
        _check_external_id(external_id)
        async with self._homes.reading(principal.tenant) as transaction:
            known = await store.find_known(transaction, name, [external_id])
        for each in known.values():
            await self._ingestion.remove(principal.tenant, each.document)

    async def sync_due(self) -> int:
        """Start the synchronisations whose time has come, of all tenants, one for each tick; how many.

        Any number of workers may call it: a tick names its run, so they all start the same one.
        """
        started = 0
        for due in await self._homes.everywhere(store.find_due, tenant_of=lambda each: each.tenant):
            async with self._homes.reading(due.tenant) as transaction:
                record = await store.find(transaction, due.name)
            if record is None or record.source.due_at != due.due_at:
                continue
            newest = await self._newest_run(due.tenant, record.source)
            if newest is None or newest.status.is_final:
                await self._start(due.tenant, record.source, f"at/{due.due_at.isoformat()}")
                started += 1
            await self._advance(due)
        return started

    async def _advance(self, due: Due) -> None:
        async with self._homes.writing(due.tenant) as transaction:
            await store.advance(transaction, due)

    async def _start(self, tenant: TenantId, source: Source, tick: str) -> Run:
        run = await self._submit(tenant, source, self._sync, tick)
        async with self._homes.writing(tenant) as transaction:
            await store.point_at_run(transaction, _ref(source), run.id, seen=source.run_id)
        return run

    async def _submit(self, tenant: TenantId, source: Source, pipeline: Pipeline, tick: str) -> Run:
        born = int(source.created_at.timestamp() * 1_000_000)
        return await self._pipelines.submit(
            tenant,
            pipeline,
            _ref(source),
            idempotency_key=f"{pipeline.name}/{source.name}/{born}/{tick}",
            subject=subject_of_source(source.name),
        )

    async def _get(self, tenant: TenantId, name: str) -> Record:
        async with self._homes.reading(tenant) as transaction:
            record = await store.find(transaction, name) if "\0" not in name else None
        if record is None:
            raise _not_found(name)
        return record

    async def _pushable(self, tenant: TenantId, name: str) -> Source:
        source = (await self._get(tenant, name)).source
        if not isinstance(source.config, PushConfig) or source.is_paused:
            how = "is paused" if source.is_paused else f"is of the kind {source.kind!r}, and not pushed to"
            raise SourceBusy(f"The source {name!r} {how}.")
        return source

    async def _newest_run(self, tenant: TenantId, source: Source) -> Run | None:
        return await self._pipelines.find_run(tenant, RunId(source.run_id)) if source.run_id else None

    async def _refuse_removed(self, tenant: TenantId, source: Source) -> None:
        newest = await self._newest_run(tenant, source)
        if newest is not None and newest.pipeline == REMOVE_SOURCE:
            raise SourceBusy(f"The source {source.name!r} is being removed.")

    async def _check(self, tenant: TenantId, name: str, wanted: SourceUpdate, *, stored: Record | None) -> Settings:
        _check_terms(wanted)
        self._kinds.check(wanted.config, wanted.secret)
        if stored is not None and stored.secret and wanted.secret is None:
            _check_kept_secret(stored.source, wanted.config)
        return Settings(
            kind=kind_of(wanted.config),
            config=wanted.config,
            secret=await self._seal(tenant, name, wanted.secret),
            keeps_secret=stored is not None and wanted.secret is None,
            document_type=wanted.document_type,
            readers=sorted(set(wanted.readers)) if wanted.readers is not None else None,
            every_seconds=wanted.every_seconds,
            is_paused=wanted.is_paused,
        )

    async def _seal(self, tenant: TenantId, name: str, secret: str | None) -> bytes | None:
        if not secret:
            return None
        vault = await self._vault.open_tenant(tenant)
        return vault.seal(SECRET_KIND, name, secret.encode())


def _check_terms(wanted: SourceUpdate) -> None:
    every = wanted.every_seconds
    if every is not None and not MIN_EVERY_SECONDS <= every <= _MAX_EVERY:
        raise InvalidSource(f"every_seconds is {every}; it must be between {MIN_EVERY_SECONDS} and {_MAX_EVERY:,}.")
    if every is not None and isinstance(wanted.config, PushConfig):
        raise InvalidSource("A source that is pushed to has no schedule; leave every_seconds out.")
    if wanted.document_type is not None and not _TYPE.fullmatch(wanted.document_type):
        raise InvalidSource("document_type must be 1 to 40 of a-z, 0-9 and '_', beginning with a letter.")
    if len(wanted.readers or ()) > _MAX_READERS:
        raise InvalidSource(f"There are {len(wanted.readers or ())} readers; the limit is {_MAX_READERS}. Use a team.")
    if len(wanted.secret or "") > _MAX_SECRET:
        raise InvalidSource(f"The secret has {len(wanted.secret or '')} characters; the limit is {_MAX_SECRET:,}.")


def _check_kept_secret(source: Source, wanted: SourceConfig) -> None:
    if not keeps_to_itself(source.config, wanted):
        known = "hosts" if isinstance(wanted, UrlConfig) else "options"
        raise InvalidSource(
            f"The secret of {source.name!r} was given for other {known}; send `secret` again with this change, "
            'or "" to forget it.'
        )


def _check_external_id(external_id: str | None) -> None:
    if not external_id or "\0" in external_id or len(external_id.encode("utf-8", "replace")) > MAX_EXTERNAL_ID_BYTES:
        raise InvalidSource(f"The external id must have 1 to {MAX_EXTERNAL_ID_BYTES:,} bytes, without NUL.")


def _ref(source: Source) -> SourceRef:
    return SourceRef(source.name, source.created_at)


def _not_found(name: str) -> NotFound:
    return NotFound(f"There is no source {name[:MAX_NAME]!r}.")
