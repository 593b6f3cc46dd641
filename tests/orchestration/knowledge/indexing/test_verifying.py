"""Index and record that drift apart while success is reported are found, and mended."""

from typing import LiteralString

import pytest

from mainspring.orchestration.knowledge.types import Document, DocumentStatus
from tests.orchestration.knowledge.workshop import Workshop, paragraphs

_TAMPERING: tuple[tuple[str, LiteralString], ...] = (
    ("chunks", "delete from chunk where tenant_id = %(tenant)s and document_id = %(document)s and ordinal = 0"),
    ("vectors", "delete from chunk_vector where tenant_id = %(tenant)s and document_id = %(document)s and ordinal = 1"),
    ("terms", "delete from chunk_terms where tenant_id = %(tenant)s and document_id = %(document)s"),
    (
        "terms",
        """insert into chunk_terms (tenant_id, index_id, document_id, ordinal, terms)
           select tenant_id, index_id, document_id, 7, terms from chunk_terms
            where tenant_id = %(tenant)s and document_id = %(document)s and ordinal = 0""",
    ),
    (
        "texts",
        """update chunk set text = 'Something else.'
            where tenant_id = %(tenant)s and document_id = %(document)s and ordinal = 1""",
    ),
    ("not_indexed", "delete from indexed_document where tenant_id = %(tenant)s and document_id = %(document)s"),
    ("stale", "update indexed_document set revision = 9 where tenant_id = %(tenant)s and document_id = %(document)s"),
    (
        "term_counts",
        "update term_count set chunks = chunks + 1 where tenant_id = %(tenant)s and %(document)s is not null",
    ),
    ("term_counts", "delete from term_count where tenant_id = %(tenant)s and %(document)s is not null"),
)


@pytest.mark.parametrize(("kind", "tampering"), _TAMPERING)
async def test_rows_that_were_tampered_with_are_named_and_mended(
    workshop: Workshop, kind: str, tampering: LiteralString
):
    document = await workshop.bring_in("a", paragraphs("apple", "banana"))
    texts = await workshop.chunk_texts(document)
    assert await workshop.indexes.verify(workshop.tenant) == ()
    await _tamper(workshop, document, tampering)
    found = await workshop.indexes.verify(workshop.tenant)
    assert kind in {difference.kind for difference in found}
    assert {difference.document_id for difference in found} <= {document.id, None}

    assert await workshop.indexes.repair(workshop.tenant) == (0 if kind == "term_counts" else 1)
    assert (await workshop.standing(document)).status is (
        DocumentStatus.INDEXED if kind == "term_counts" else DocumentStatus.PENDING
    )
    await workshop.ingest(document)
    assert await workshop.indexes.verify(workshop.tenant) == ()
    assert await workshop.chunk_texts(document) == texts
    assert len(workshop.embedder.texts) <= 4  # at most those whose vectors were lost are made again


async def test_an_index_that_is_being_built_is_verified_and_mended_too(workshop: Workshop):
    document = await workshop.bring_in("a", paragraphs("apple", "banana"))
    building = await workshop.indexes.start_rebuild(workshop.tenant, 0)
    await workshop.indexes.rebuild_some(workshop.tenant)
    async with workshop.homes.writing(workshop.tenant) as transaction:
        await transaction.run(
            "delete from chunk_vector where tenant_id = %(tenant)s and index_id = %(index)s",
            tenant=workshop.tenant,
            index=building.id,
        )
    (found,) = await workshop.indexes.verify(workshop.tenant)
    assert (found.index_id, found.document_id, found.kind) == (building.id, document.id, "vectors")
    assert await workshop.indexes.repair(workshop.tenant) == 1
    assert (await workshop.indexes.rebuild_some(workshop.tenant)).done == 1
    assert await workshop.indexes.verify(workshop.tenant) == ()


async def test_nothing_is_repaired_where_nothing_differs(workshop: Workshop):
    document = await workshop.bring_in("a", paragraphs("apple"))
    assert await workshop.indexes.repair(workshop.tenant) == 0
    assert (await workshop.standing(document)).status is DocumentStatus.INDEXED


async def _tamper(workshop: Workshop, document: Document, tampering: LiteralString) -> None:
    async with workshop.homes.writing(workshop.tenant) as transaction:
        await transaction.run(tampering, tenant=workshop.tenant, document=document.id)
