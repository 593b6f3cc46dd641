"""A tenant's setup in versions: nothing is overwritten, nobody's change is lost, and it can be tried before use."""

import asyncio

import msgspec
import pytest

from mainspring.foundation.db import Database
from mainspring.foundation.errors import InvalidInput, NotFound
from mainspring.foundation.ids import TenantId
from mainspring.foundation.principal import Principal, PrincipalKind
from mainspring.orchestration.knowledge.chunking import FixedChunking
from mainspring.orchestration.knowledge.errors import InvalidSetup, SetupUnreadable, StaleSetup
from mainspring.orchestration.knowledge.homes import Homes
from mainspring.orchestration.knowledge.setup import RetrievalSetup, Setup, Setups, StoredSetup
from mainspring.orchestration.knowledge.types import ParsedDocument

_MODELS = {"local/minilm-l6-v2": 384}
_FIVE = Setup(retrieval=RetrievalSetup(limit=5))
_SIX = Setup(retrieval=RetrievalSetup(limit=6))


@pytest.fixture
def setups(database: Database) -> Setups:
    return Setups(Homes(database), _MODELS.get)


def _caller(tenant: TenantId) -> Principal:
    return Principal(tenant, PrincipalKind.USER, "Ana", frozenset({"knowledge.manage"}))


async def test_the_defaults_are_version_0_until_something_is_saved(setups: Setups, tenant: TenantId):
    assert await setups.current(tenant) == StoredSetup(0, Setup())
    assert await setups.get(tenant, 0) == StoredSetup(0, Setup())
    assert await setups.list_versions(tenant) == [StoredSetup(0, Setup())]


async def test_saving_makes_a_version_that_comes_back_whole(setups: Setups, tenant: TenantId):
    value = setups.read(
        {
            "chunking": {"memo": {"chunker": "rows", "max_rows": 7}},
            "retrieval": {"relevance_floor": 0.35, "weights": {"text": 2}, "rerank": "model"},
        }
    )
    saved = await setups.save(_caller(tenant), value, base_version=0, note="  Longer rows ")
    assert (saved.version, saved.value, saved.note, saved.created_by) == (1, value, "Longer rows", "Ana")
    assert saved.created_at is not None
    assert await setups.current(tenant) == saved == await setups.get(tenant, 1)


async def test_another_tenant_keeps_its_own(setups: Setups, tenant: TenantId, other_tenant: TenantId):
    await setups.save(_caller(tenant), _FIVE, base_version=0)
    assert (await setups.current(other_tenant)).version == 0
    with pytest.raises(NotFound, match="no version 1"):
        await setups.get(other_tenant, 1)


async def test_a_change_made_from_an_older_version_is_refused(setups: Setups, tenant: TenantId):
    await setups.save(_caller(tenant), _FIVE, base_version=0)
    with pytest.raises(StaleSetup, match="at version 1 by now"):
        await setups.save(_caller(tenant), _SIX, base_version=0)
    assert (await setups.current(tenant)).value == _FIVE
    assert (await setups.save(_caller(tenant), _SIX, base_version=None)).version == 2


async def test_of_two_who_save_at_once_one_is_told(setups: Setups, tenant: TenantId):
    answers = await asyncio.gather(
        setups.save(_caller(tenant), _FIVE, base_version=0),
        setups.save(_caller(tenant), _SIX, base_version=0),
        return_exceptions=True,
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["StaleSetup", "StoredSetup"]
    assert [each.version for each in await setups.list_versions(tenant)] == [1, 0]


async def test_saving_what_is_so_already_makes_no_version(setups: Setups, tenant: TenantId):
    assert (await setups.save(_caller(tenant), Setup(), base_version=0)).version == 0
    first = await setups.save(_caller(tenant), _FIVE, base_version=0)
    assert await setups.save(_caller(tenant), _FIVE, base_version=1) == first
    assert await setups.save(_caller(tenant), _FIVE, base_version=0) == first, "as when the answer was lost"


async def test_undo_is_saving_an_old_version_again(setups: Setups, tenant: TenantId):
    for number, value in enumerate((_FIVE, _SIX)):
        await setups.save(_caller(tenant), value, base_version=number)
    for version, number in ((1, 3), (0, 4)):
        old = await setups.get(tenant, version)
        assert (await setups.save(_caller(tenant), old.value, base_version=number - 1)).version == number
    assert (await setups.current(tenant)).value == Setup()
    assert [each.version for each in await setups.list_versions(tenant)] == [4, 3, 2, 1, 0]


async def test_versions_are_listed_by_the_page(setups: Setups, tenant: TenantId):
    for number, value in enumerate((_FIVE, _SIX, _FIVE)):
        await setups.save(_caller(tenant), value, base_version=number)
    assert [each.version for each in await setups.list_versions(tenant, limit=2)] == [3, 2]
    assert [each.version for each in await setups.list_versions(tenant, before=2, limit=2)] == [1, 0]
    assert await setups.list_versions(tenant, before=0) == []


async def test_a_setup_that_cannot_be_is_not_stored(setups: Setups, tenant: TenantId):
    with pytest.raises(InvalidSetup, match="vendor/unknown"):
        await setups.save(_caller(tenant), Setup(embedding_model="vendor/unknown"), base_version=0)
    for note in ("x" * 501, "a\0b"):
        with pytest.raises(InvalidInput, match="note"):
            await setups.save(_caller(tenant), _FIVE, base_version=0, note=note)
    assert (await setups.current(tenant)).version == 0


@pytest.mark.parametrize("version", [-1, 1, 2**31, 10**30])
async def test_a_version_that_was_never_saved_is_not_found(setups: Setups, tenant: TenantId, version: int):
    with pytest.raises(NotFound, match="no version"):
        await setups.get(tenant, version)


async def test_a_setup_of_another_release_is_told_apart_and_can_be_replaced(
    setups: Setups, database: Database, tenant: TenantId
):
    await setups.save(_caller(tenant), _FIVE, base_version=0)
    async with database.tenant(tenant) as transaction:
        await transaction.run("""update knowledge_settings set body = '{"colour": 1}'""")
    with pytest.raises(SetupUnreadable, match="Version 1"):
        await setups.current(tenant)
    assert (await setups.save(_caller(tenant), _FIVE, base_version=1)).value == _FIVE


async def test_a_setup_is_tried_on_a_document_without_being_stored(setups: Setups, tenant: TenantId):
    document = ParsedDocument("One sentence goes here. " * 40, "text/plain", ())
    value = msgspec.structs.replace(Setup(), chunking={"text": FixedChunking(300, 0)})
    by_default = await setups.preview(tenant, document, "text")
    tried = await setups.preview(tenant, document, "text", value)
    assert (len(by_default), len(tried)) == (1, 4)
    assert (await setups.current(tenant)).version == 0
    await setups.save(_caller(tenant), value, base_version=0)
    assert await setups.preview(tenant, document, "text") == tried


async def test_a_preview_refuses_what_saving_would_refuse(setups: Setups, tenant: TenantId):
    document = ParsedDocument("words", "text/plain", ())
    with pytest.raises(InvalidSetup, match="max_chars"):
        await setups.preview(tenant, document, "text", Setup(chunking={"text": FixedChunking(2, 0)}))
