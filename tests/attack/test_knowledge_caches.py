"""What is kept to save a model's work is kept for one tenant: vectors by content, replies that quote a document."""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from mainspring.foundation.db import Database
from mainspring.foundation.ids import TenantId
from mainspring.foundation.objects import ObjectStore
from mainspring.foundation.valkey import Valkey
from mainspring.foundation.vault import LocalKeyWrapper, Vault
from mainspring.inference.gateway.cache import ReplyScope
from mainspring.inference.gateway.cache.exact import ExactCache
from mainspring.inference.gateway.cache.judge import LikenessJudge
from mainspring.inference.gateway.cache.semantic import SemanticCache
from mainspring.inference.gateway.cache.stores import ValkeyStore
from mainspring.inference.gateway.policy import CachePolicy
from mainspring.inference.messages import Completion, FinishReason, InferenceRequest, Usage, assistant, system, user
from mainspring.orchestration.knowledge.types import Reader
from tests.attack.twins import make_twin
from tests.orchestration.knowledge.retrieval.books import Library, clauses

QUOTE = Completion(assistant("Alderwood Limited pays within thirty days."), FinishReason.STOP, Usage(7, 5), "m", "r")
QUESTION = InferenceRequest((system("Answer from the passages."), user("When are the fees due?")))
ALIKE = CachePolicy(semantic_features=("ask",), semantic_error=0.05, shadow_share=0.0)

SAME = clauses("The fees are due within thirty days of the invoice.", "The laws of England govern this Agreement.")


async def test_no_vector_is_taken_from_a_tenant_that_has_the_same_text(
    database: Database, objects: ObjectStore, tenant: TenantId, other_tenant: TenantId
):
    """That would tell, by time and by cost, that somebody has the text. Inside a tenant it is computed once."""
    first, second = Library.open(database, objects, tenant), Library.open(database, objects, other_tenant)
    await first.add("agreement", SAME)
    await second.add("agreement", SAME)
    assert first.embedder.texts == second.embedder.texts != []
    before = len(second.embedder.texts)
    await second.add("the same again", SAME, source="elsewhere")
    assert len(second.embedder.texts) == before


async def test_the_same_bytes_are_two_documents_with_their_own_blobs(
    database: Database, objects: ObjectStore, tenant: TenantId, other_tenant: TenantId
):
    libraries = [Library.open(database, objects, each) for each in (tenant, other_tenant)]
    made = [await library.add("agreement", SAME) for library in libraries]
    assert made[0].id != made[1].id
    keys = [{key async for key in objects.iter_keys(each)} for each in (tenant, other_tenant)]
    assert all(str(made[1].id) not in key for key in keys[0])
    await libraries[0].documents.delete(tenant, made[0].id)
    assert {key async for key in objects.iter_keys(other_tenant)} == keys[1]
    assert await libraries[1].documents.read_original(Reader(other_tenant, None), made[1].id) == SAME.encode()


async def test_deleting_every_document_of_one_tenant_changes_no_answer_of_the_other(
    database: Database, objects: ObjectStore
):
    own, other = await make_twin(database, objects, "alderwood"), await make_twin(database, objects, "birchfield")
    before = await own.books.ask("who may terminate the agreement")
    for document in other.documents:
        await other.books.documents.delete(other.books.tenant, document)
    after = await own.books.ask("who may terminate the agreement")
    assert before.passages == after.passages != ()
    assert (await other.books.ask("who may terminate the agreement")).passages == ()


async def test_a_reply_that_quotes_a_document_is_found_by_its_tenant_alone(
    valkey: Valkey, tenant: TenantId, other_tenant: TenantId
):
    """The same question under the same key: as if both had been shown the same passages."""
    cache, key = ExactCache(ValkeyStore(valkey)), b"q" * 32
    assert await cache.keep(await cache.find(tenant, key), QUOTE, ttl_seconds=60)
    assert (await cache.find(tenant, key)).reply is not None
    assert (await cache.find(other_tenant, key)).reply is None


class _NeverExplores:
    def random(self) -> float:
        return 0.99


async def _same(texts: Sequence[str]) -> NDArray[np.float32]:
    """Every text means the same: the nearest reply is always near enough."""
    return np.tile(np.eye(1, 384, dtype=np.float32), (len(texts), 1))


async def test_a_reply_to_a_like_question_is_found_by_its_tenant_alone(
    database: Database, tenant: TenantId, other_tenant: TenantId
):
    async def embed(text: str) -> NDArray[np.float32]:
        return (await _same([text]))[0]

    vault = Vault(database, LocalKeyWrapper([b"w" * 32]))
    cache = SemanticCache(database, embed, "same@1", LikenessJudge(_same), vault.open_tenant, _NeverExplores())
    mine = ReplyScope(tenant, "openai", "openai/m-1", "ask", "ask@1")
    theirs = ReplyScope(other_tenant, "openai", "openai/m-1", "ask", "ask@1")
    for _ in range(8):
        lookup = await cache.find(mine, QUESTION, ALIKE)
        if lookup.outcome != "hit":
            await cache.learn(lookup, QUOTE, ttl=timedelta(hours=1))
    known = await cache.find(mine, QUESTION, ALIKE)
    assert known.entry is not None
    stranger = await cache.find(theirs, QUESTION, ALIKE)
    assert (stranger.outcome, stranger.entry) == ("miss", None)
