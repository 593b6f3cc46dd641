"""Vectors through the gateway: recorded, by the model that was asked and no other."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mainspring.foundation.db import Database
from mainspring.foundation.errors import InvalidInput
from mainspring.foundation.ids import TenantId
from mainspring.inference.gateway import LOCAL_EMBEDDING, Gateway
from mainspring.inference.gateway.testing import ScriptedProvider, SwitchBoard, scripted_gateway
from mainspring.orchestration.knowledge.errors import OtherModelServed
from mainspring.orchestration.knowledge.indexing import GatewayEmbedder
from mainspring.orchestration.knowledge.testing import HashEmbedder

_SCRIPTED = "openai/scripted"


@pytest.fixture
def switch() -> SwitchBoard:
    return SwitchBoard()


@pytest.fixture
async def gateway(database: Database, tmp_path: Path, switch: SwitchBoard) -> AsyncIterator[Gateway]:
    async with ScriptedProvider() as provider:
        opened = await scripted_gateway(provider, database, tmp_path, switch=switch)
        yield opened
        await opened.close()


async def test_texts_become_vectors_in_order(gateway: Gateway, tenant: TenantId):
    embedder = GatewayEmbedder(gateway, dimensions={_SCRIPTED: 384})
    first, second = await embedder.embed(tenant, ["one", "two"], model=_SCRIPTED)
    assert (len(first), embedder.dimensions(_SCRIPTED)) == (384, 384)
    assert [first] == await embedder.embed(tenant, ["one"], model=_SCRIPTED)
    assert first != second


async def test_vectors_of_another_model_than_the_one_asked_are_refused(gateway: Gateway, tenant: TenantId):
    with pytest.raises(OtherModelServed, match="scripted answered"):
        await GatewayEmbedder(gateway).embed(tenant, ["one"], model=LOCAL_EMBEDDING)


def test_models_that_are_not_known_to_make_vectors_are_named(gateway: Gateway):
    embedder = GatewayEmbedder(gateway)
    assert embedder.dimensions(LOCAL_EMBEDDING) == 384
    with pytest.raises(InvalidInput, match="openai/gpt"):
        embedder.dimensions("openai/gpt")


async def test_the_fake_gives_texts_that_share_words_vectors_that_are_near(tenant: TenantId):
    fake = HashEmbedder()
    one, near, far = await fake.embed(tenant, ["the red apple", "a red apple", "some blue sky"], model="m")
    (other,) = await fake.embed(tenant, ["the red apple"], model="n")

    def cosine(left: list[float], right: list[float]) -> float:
        return sum(a * b for a, b in zip(left, right, strict=True))

    assert cosine(list(one), list(one)) == pytest.approx(1.0)
    assert cosine(list(one), list(near)) > 0.5 > cosine(list(one), list(far))
    assert cosine(list(one), list(other)) < 0.5
