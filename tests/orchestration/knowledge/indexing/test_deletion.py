"""After a deletion every table, column by column, and every object is searched: nothing of the document is left."""

import psycopg
import pytest
from psycopg import sql

from mainspring.foundation.engines import EngineUrls
from mainspring.orchestration.knowledge.errors import Superseded
from mainspring.orchestration.knowledge.indexing import content_hash, embedded_text
from mainspring.orchestration.knowledge.indexing.terms import term_id
from mainspring.orchestration.knowledge.types import Document, Failure, Label
from tests.orchestration.knowledge.workshop import Workshop, paragraphs

_MARKER = "zyxquorbl"


async def test_nothing_is_left_of_a_deleted_document_in_any_table_or_object(workshop: Workshop, engines: EngineUrls):
    kept = await workshop.bring_in("kept", paragraphs("apple"))
    document = await workshop.bring_in(_MARKER, paragraphs("apple", _MARKER))
    chunks = await workshop.indexes.list_chunks(workshop.platform, document.id)
    await _leave_traces(workshop, document)
    texts = [embedded_text(chunk) for chunk in chunks if _MARKER in chunk.text]
    wanted = [_MARKER, str(document.id), *(content_hash(text).hex() for text in texts)]
    found = _search(engines.database_admin_url, wanted)
    assert {"document", "chunk", "chunk_vector", "indexed_document", "document_label", "embedding_draft"} <= found
    assert "knowledge_index" in found
    assert await _counts(workshop, _MARKER) > 0
    assert await _objects_with(workshop, _MARKER)

    await workshop.documents.delete(workshop.tenant, document.id)
    assert _search(engines.database_admin_url, wanted) == set()
    assert await _counts(workshop, _MARKER) == 0
    assert await _objects_with(workshop, _MARKER) == []
    assert all(str(kept.id) in key for key in await workshop.keys())
    assert workshop.caches.forgotten == [workshop.tenant]
    assert await workshop.indexes.verify(workshop.tenant) == ()
    assert len(await workshop.chunk_texts(kept)) == 2  # one in each index


async def _leave_traces(workshop: Workshop, document: Document) -> None:
    """In both of two indexes, with a label, a failure, a draft and a cut of a revision that is not published."""
    tenant = workshop.tenant
    await workshop.indexes.start_rebuild(tenant, 0)
    await workshop.indexes.rebuild_some(tenant)
    await workshop.documents.set_labels(tenant, document.id, [Label(_MARKER, 0, 9, 1.0)])
    changed = await workshop.put(_MARKER, paragraphs("apple", _MARKER, f"{_MARKER} two"))
    await workshop.documents.parse(tenant, document.id)
    index = await workshop.indexes.active(tenant)
    await workshop.indexes.embed(tenant, document.id, index)
    with pytest.raises(Superseded):
        await workshop.indexes.publish(tenant, document.id, index, revision=1)
    await workshop.documents.fail(tenant, document.id, changed.revision, Failure("broken", f"{_MARKER} is broken."))
    async with workshop.homes.writing(tenant) as transaction:
        await transaction.run(
            """update knowledge_index set comparison = jsonb_build_object('failures', jsonb_build_object(
                   %(document)s::text, '{"revision": 2, "code": "x", "detail": "zyxquorbl"}'::jsonb))
                where tenant_id = %(tenant)s and status = 'building'""",
            tenant=tenant,
            document=document.id,
        )


def _search(url: str, wanted: list[str]) -> set[str]:
    """Tables of every schema, in which a row as text holds one of these words; partitions by their parent."""
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            """select n.nspname, c.relname
                 from pg_class c join pg_namespace n on n.oid = c.relnamespace
                where c.relkind in ('r', 'p') and n.nspname not in ('pg_catalog', 'information_schema')
                  and n.nspname not like 'pg_toast%' and not c.relispartition"""
        ).fetchall()
        found: set[str] = set()
        for schema, table in tables:
            asked = sql.SQL("select 1 from {table} as held where lower(held::text) like any(%s) limit 1")
            query = asked.format(table=sql.Identifier(schema, table))
            if connection.execute(query, [[f"%{word.lower()}%" for word in wanted]]).fetchone():
                found.add(table)
    return found


async def _counts(workshop: Workshop, word: str) -> int:
    async with workshop.homes.reading(workshop.tenant) as transaction:
        row = await transaction.one(
            """select count(*) as terms from term_count where tenant_id = %(tenant)s and term = %(term)s""",
            tenant=workshop.tenant,
            term=term_id("word", word),
        )
    return row["terms"]


async def _objects_with(workshop: Workshop, word: str) -> list[str]:
    keys = await workshop.keys()
    return [
        key
        for key in keys
        if word in key or word.encode() in (await workshop.objects.get(workshop.tenant, key)).lower()
    ]
