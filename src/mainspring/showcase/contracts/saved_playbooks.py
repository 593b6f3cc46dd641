"""A tenant's playbooks: the two that ship with the package, and what the tenant made of them.

A shipped playbook is version 1 of its name for everyone; saving under that name stores version 2.
Versions are never changed, so a run can say which one it used and load it again.
"""

from collections.abc import Sequence

from mainspring.foundation.db import Database
from mainspring.foundation.errors import InvalidInput, NotFound
from mainspring.foundation.ids import TenantId
from mainspring.foundation.principal import Principal

from . import store
from .errors import StalePlaybook
from .playbook import DEFAULT_PLAYBOOKS, default_playbook_text, parse_playbook
from .rules import Playbook
from .types import SavedPlaybook


class Playbooks:
    """Read and save playbooks."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._shipped = {name: _shipped(name) for name in DEFAULT_PLAYBOOKS}

    async def list_newest(self, tenant: TenantId) -> Sequence[tuple[SavedPlaybook, bool]]:
        """The newest version of each, by name, and whether it is the default."""
        async with self._database.tenant(tenant) as transaction:
            saved = {each.name: each for each in await store.latest_playbooks(transaction)}
            default = await store.default_playbook(transaction) or _DEFAULT
        newest = {**self._shipped, **saved}
        return [(newest[name], name == default) for name in sorted(newest)]

    async def default_name(self, tenant: TenantId) -> str:
        """The playbook for contracts that name none."""
        async with self._database.tenant(tenant) as transaction:
            return await store.default_playbook(transaction) or _DEFAULT

    async def get(self, tenant: TenantId, name: str, version: int | None = None) -> SavedPlaybook:
        """The newest version, or the named one; NotFound lists what there is."""
        async with self._database.tenant(tenant) as transaction:
            saved = await store.find_playbook(transaction, name, version)
        shipped = self._shipped.get(name)
        if saved is None and shipped and version in (None, shipped.version):
            saved = shipped
        if saved is None:
            known = ", ".join(each.name for each, _ in await self.list_newest(tenant))
            wanted = name[:60] if version is None else f"{name[:60]}, version {version}"
            raise NotFound(f"There is no playbook {wanted!r}; there are: {known}.")
        return saved

    async def load(self, tenant: TenantId, name: str, version: int) -> Playbook:
        """The rules of a version."""
        return parse_playbook((await self.get(tenant, name, version)).yaml)

    async def versions(self, tenant: TenantId, name: str) -> Sequence[SavedPlaybook]:
        """Every version, newest first."""
        async with self._database.tenant(tenant) as transaction:
            saved = await store.playbook_versions(transaction, name)
        shipped = self._shipped.get(name)
        if not saved and shipped is None:
            await self.get(tenant, name)
        return [*saved, *([shipped] if shipped else [])]

    async def save(
        self, principal: Principal, name: str, text: str, *, is_default: bool | None, base_version: int | None
    ) -> SavedPlaybook:
        """Validate and store a new version; InvalidPlaybook lists every problem, StalePlaybook a lost race."""
        playbook = parse_playbook(text)
        if playbook.name != name:
            raise InvalidInput(f"The YAML is of playbook {playbook.name!r}, but was sent to {name!r}: make them agree.")
        async with self._database.tenant(principal.tenant) as transaction:
            newest = await store.find_playbook(transaction, name, None) or self._shipped.get(name)
            current = newest.version if newest else 0
            if base_version is not None and base_version != current:
                raise _stale(name, current)
            saved = SavedPlaybook(
                name, current + 1, text, playbook.title, playbook.side, len(playbook.rules), principal.name
            )
            if not await store.add_playbook(transaction, saved):
                raise _stale(name, current + 1)
            if is_default:
                await store.set_default_playbook(transaction, name)
        return await self.get(principal.tenant, name, saved.version)


_DEFAULT = "buyer"


def _stale(name: str, version: int) -> StalePlaybook:
    return StalePlaybook(
        f"Playbook {name!r} is at version {version} by now: read it again, make your change there, and save."
    )


def _shipped(name: str) -> SavedPlaybook:
    text = default_playbook_text(name)
    playbook = parse_playbook(text)
    return SavedPlaybook(name, 1, text, playbook.title, playbook.side, len(playbook.rules), "Mainspring")
