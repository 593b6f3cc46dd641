"""What a tenant seals opens for it alone, as what it was sealed for, and only with the platform's key."""

import asyncio
import base64
import logging
import os
import stat
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from mainspring.foundation.db import Database
from mainspring.foundation.engines import EngineUrls
from mainspring.foundation.errors import InvalidInput
from mainspring.foundation.ids import TenantId, new_id
from mainspring.foundation.vault import LocalKeyWrapper, TenantVault, Unreadable, Vault, open_local_wrapper

OLD, NEW = bytes(range(32)), bytes(range(32, 64))
SECRET = b"sk-live-0123456789abcdef"


def encoded(*keys: bytes) -> str:
    return ",".join(base64.b64encode(key).decode() for key in keys)


@pytest.fixture
def vault(database: Database) -> Vault:
    return Vault(database, LocalKeyWrapper([OLD]))


async def test_what_was_sealed_opens_again_also_in_another_process(database: Database, vault: Vault, tenant: TenantId):
    identifier = new_id()
    sealed = (await vault.open_tenant(tenant)).seal("payload", identifier, SECRET)
    elsewhere = await Vault(database, LocalKeyWrapper([OLD])).open_tenant(tenant)
    assert elsewhere.unseal("payload", identifier, sealed) == SECRET
    assert SECRET not in sealed
    assert len(sealed) == len(SECRET) + 47


async def test_it_opens_for_no_other_tenant_kind_or_id(vault: Vault, tenant: TenantId, other_tenant: TenantId):
    mine, theirs = await vault.open_tenant(tenant), await vault.open_tenant(other_tenant)
    identifier = new_id()
    sealed = mine.seal("payload", identifier, SECRET)
    for opener, kind, of in (
        (theirs, "payload", identifier),
        (mine, "provider_key", identifier),
        (mine, "payload", new_id()),
        (mine, "payload", str(identifier)),
        (TenantVault(other_tenant, {1: OLD}), "payload", identifier),
    ):
        with pytest.raises(Unreadable, match="sealed for something else"):
            opener.unseal(kind, of, sealed)


def test_two_tenants_with_the_same_data_key_still_do_not_open_each_others(
    tenant: TenantId, other_tenant: TenantId
) -> None:
    sealed = TenantVault(tenant, {1: OLD}).seal("payload", "a", SECRET)
    with pytest.raises(Unreadable):
        TenantVault(other_tenant, {1: OLD}).unseal("payload", "a", sealed)


def test_kind_and_id_can_not_be_shifted_into_each_other(tenant: TenantId):
    vault = TenantVault(tenant, {1: OLD})
    with pytest.raises(Unreadable):
        vault.unseal("payloads", "x", vault.seal("payload", "sx", SECRET))


def test_every_changed_byte_and_every_cut_is_noticed(tenant: TenantId):
    vault = TenantVault(tenant, {1: OLD})
    sealed = vault.seal("payload", "a", SECRET)
    changed = [sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :] for at in range(len(sealed))]
    for bad in [*changed, *(sealed[:length] for length in range(len(sealed))), sealed + b"\0"]:
        with pytest.raises(Unreadable) as refused:
            vault.unseal("payload", "a", bad)
        assert "store it anew" in refused.value.detail
        assert refused.value.__suppress_context__ or refused.value.__context__ is None


def test_sealing_the_same_twice_looks_different_and_never_repeats_a_nonce(tenant: TenantId):
    vault = TenantVault(tenant, {1: OLD})
    nonces = {vault.seal("payload", "a", SECRET)[3:31] for _ in range(5_000)}
    assert len(nonces) == 5_000


def test_an_older_data_key_goes_on_opening_and_the_newest_seals(tenant: TenantId):
    before = TenantVault(tenant, {1: OLD}).seal("payload", "a", SECRET)
    both = TenantVault(tenant, {1: OLD, 2: NEW})
    assert both.unseal("payload", "a", before) == SECRET
    assert TenantVault(tenant, {2: NEW}).unseal("payload", "a", both.seal("payload", "a", SECRET)) == SECRET
    with pytest.raises(Unreadable, match="version 1"):
        TenantVault(tenant, {2: NEW}).unseal("payload", "a", before)


async def test_many_openers_at_once_get_one_data_key(database: Database, tenant: TenantId):
    openers = [Vault(database, LocalKeyWrapper([OLD])) for _ in range(8)]
    vaults = await asyncio.gather(*(opener.open_tenant(tenant) for opener in openers for _ in range(3)))
    for vault in vaults:
        assert vaults[0].unseal("payload", "a", vault.seal("payload", "a", SECRET)) == SECRET
    async with database.tenant(tenant) as transaction:
        assert (await transaction.one("select count(*) as n from tenant_data_key"))["n"] == 1


_OPEN = """
import asyncio, sys
from pathlib import Path
from uuid import UUID
from mainspring.foundation.db import Database
from mainspring.foundation.vault import Vault, open_local_wrapper

async def main(url, folder, tenant):
    wrapper = open_local_wrapper(Path(folder))
    database = await Database.open(url, connections=1)
    vault = await Vault(database, wrapper).open_tenant(UUID(tenant))
    sys.stdout.write(vault.seal("payload", "a", b"hello").hex())
    await database.close()

asyncio.run(main(*sys.argv[1:]))
"""


async def test_processes_that_start_at_once_agree_on_one_file_and_one_data_key(
    database: Database, engines: EngineUrls, tmp_path: Path, tenant: TenantId
):
    command = [sys.executable, "-c", _OPEN, engines.database_url, str(tmp_path), str(tenant)]
    started = [await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE) for _ in range(4)]
    sealed = [bytes.fromhex((await process.communicate())[0].decode()) for process in started]
    vault = await Vault(database, open_local_wrapper(tmp_path)).open_tenant(tenant)
    assert [vault.unseal("payload", "a", each) for each in sealed] == [b"hello"] * 4
    assert [path.name for path in (tmp_path / "secrets").iterdir()] == ["kek"]


def test_the_file_is_for_its_owner_alone_and_refused_when_others_may_read_it(tmp_path: Path):
    open_local_wrapper(tmp_path)
    file = tmp_path / "secrets" / "kek"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    os.chmod(file, 0o640)
    with pytest.raises(InvalidInput, match="chmod 600"):
        open_local_wrapper(tmp_path)


async def test_a_given_key_makes_no_file_and_a_file_goes_on_unwrapping(tmp_path: Path):
    wrapped = await open_local_wrapper(tmp_path).wrap(SECRET, b"a")
    assert await open_local_wrapper(tmp_path, encoded(NEW)).unwrap(wrapped, b"a") == SECRET
    open_local_wrapper(tmp_path / "other", encoded(NEW))
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("text", ["", "short", encoded(OLD)[:-4], "!" * 44, encoded(OLD) + ",", encoded(OLD + b"x")])
def test_a_setting_that_is_no_key_is_refused_without_showing_it(tmp_path: Path, text: str):
    with pytest.raises(InvalidInput, match="MAINSPRING_MASTER_KEY must hold 32 bytes in base64") as refused:
        open_local_wrapper(tmp_path, text)
    assert not text or text not in refused.value.detail


async def test_with_another_key_the_error_says_which_one_is_missing(database: Database, vault: Vault, tenant: TenantId):
    await vault.open_tenant(tenant)
    stranger = Vault(database, LocalKeyWrapper([NEW]))
    with pytest.raises(Unreadable, match="append it to MAINSPRING_MASTER_KEY"):
        await stranger.open_tenant(tenant)
    found = await stranger.open_tenants([tenant])
    assert isinstance(found[tenant], Unreadable)
    async with database.tenant(tenant) as transaction:
        assert (await transaction.one("select count(*) as n from tenant_data_key"))["n"] == 1


async def test_a_new_key_in_front_opens_the_old_and_rewrapping_lets_the_old_one_go(database: Database):
    tenants = [TenantId(new_id()) for _ in range(3)]
    old = Vault(database, LocalKeyWrapper([OLD]))
    sealed = {tenant: (await old.open_tenant(tenant)).seal("payload", "a", SECRET) for tenant in tenants}
    both = Vault(database, LocalKeyWrapper([NEW, OLD]))
    assert (await both.open_tenant(tenants[0])).unseal("payload", "a", sealed[tenants[0]]) == SECRET
    unreadable = (await both.rewrap()).unreadable  # of other tests, under keys that are not known here
    assert not set(tenants) & set(unreadable)
    assert (await both.rewrap()).done == 0
    new = Vault(database, LocalKeyWrapper([NEW]))
    for tenant in tenants:
        assert (await new.open_tenant(tenant)).unseal("payload", "a", sealed[tenant]) == SECRET
    assert set(tenants) <= set((await old.rewrap()).unreadable)
    assert (await Vault(database, LocalKeyWrapper([OLD, NEW])).rewrap()).done >= 3


async def test_a_wrapped_key_of_another_tenant_does_not_open(
    database: Database, engines: EngineUrls, vault: Vault, tenant: TenantId, other_tenant: TenantId
):
    await vault.open_tenant(tenant)
    await vault.open_tenant(other_tenant)
    with psycopg.connect(engines.database_admin_url) as connection:
        connection.execute(
            "update tenant_data_key set wrapped = (select wrapped from tenant_data_key where tenant_id = %s)"
            " where tenant_id = %s",
            (other_tenant, tenant),
        )
    with pytest.raises(Unreadable, match="belongs to another tenant"):
        await Vault(database, LocalKeyWrapper([OLD])).open_tenant(tenant)


async def test_another_tenants_data_key_does_not_exist(
    database: Database, vault: Vault, tenant: TenantId, other_tenant: TenantId
):
    await vault.open_tenant(tenant)
    async with database.tenant(other_tenant) as transaction:
        assert await transaction.all("select * from tenant_data_key") == []


async def test_a_vault_is_not_opened_inside_a_transaction(database: Database, vault: Vault, tenant: TenantId):
    async with database.tenant(tenant):
        with pytest.raises(RuntimeError, match="transaction is open"):
            await vault.open_tenant(tenant)


async def test_only_so_many_vaults_stay_open(database: Database):
    vault = Vault(database, LocalKeyWrapper([OLD]), most_open=2)
    tenants = [TenantId(new_id()) for _ in range(3)]
    sealed = {tenant: (await vault.open_tenant(tenant)).seal("payload", "a", SECRET) for tenant in tenants}
    assert [vault.find_open(tenant) is not None for tenant in tenants] == [False, True, True]
    assert (await vault.open_tenant(tenants[0])).unseal("payload", "a", sealed[tenants[0]]) == SECRET


async def test_no_key_shows_in_what_is_printed_or_logged(
    vault: Vault, tenant: TenantId, caplog: pytest.LogCaptureFixture
):
    with caplog.at_level(logging.DEBUG):
        opened = await vault.open_tenant(tenant)
        shown = f"{vault!r} {opened!r} {LocalKeyWrapper([OLD])!r} {caplog.text}"
    assert str(tenant) in shown
    assert not any(key in shown for key in (OLD.hex(), encoded(OLD), repr(OLD)))
