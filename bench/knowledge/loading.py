"""Fill the knowledge tables, as ingestion would leave them but by COPY and without checking keys row by row."""

from collections.abc import Callable, Iterable

from mainspring.orchestration.knowledge.indexing.terms import ALL_CHUNKS, term_id

from .corpus import CHUNKS_PER_DOCUMENT, Arrivals, Corpus
from .rig import Rig
from .rows import ASKED, HEADER, TRAILER, TermPool, document_id, vector_rows

VECTOR_COLUMNS = "tenant_id, index_id, document_id, ordinal, content_hash, embedding"
TERM_COLUMNS = "tenant_id, index_id, document_id, ordinal, terms"


def copy_rows(rig: Rig, table: str, columns: str, batches: Iterable[bytes]) -> None:
    """COPY in binary form as the owner, with keys unchecked."""
    rig.run("set session_replication_role = replica")
    with rig.admin.cursor().copy(f"copy {table} ({columns}) from stdin (format binary)".encode()) as copy:
        copy.write(HEADER)
        for batch in batches:
            copy.write(batch)
        copy.write(TRAILER)
    rig.run("set session_replication_role = origin")


def load(rig: Rig, corpus: Corpus, pool: TermPool) -> None:
    """Indexes, documents, vectors, terms and texts."""
    _load_records(rig, corpus)
    _say(rig, "vectors", lambda: copy_rows(rig, "chunk_vector", VECTOR_COLUMNS, _vectors(corpus)))
    terms = (pool.term_rows(corpus, batch) for batch in corpus.arrive())
    _say(rig, "terms", lambda: copy_rows(rig, "chunk_terms", TERM_COLUMNS, terms))
    _say(rig, "texts", lambda: _load_texts(rig))
    _load_counts(rig, corpus)
    rig.run("checkpoint")
    _say(rig, "vacuum and statistics", lambda: _settle(rig))


def _vectors(corpus: Corpus) -> Iterable[bytes]:
    return (vector_rows(corpus, batch) for batch in corpus.arrive())


def _say(rig: Rig, what: str, work: Callable[[], None]) -> None:
    rig.announce(f"loading {what} ...")
    work()


def _settle(rig: Rig) -> None:
    rig.run("vacuum (analyze) chunk_vector, chunk_terms, chunk, document, indexed_document, knowledge_index")


def _load_records(rig: Rig, corpus: Corpus) -> None:
    rig.run("set session_replication_role = replica")
    with rig.admin.cursor().copy(
        "copy knowledge_index (tenant_id, id, number, status, embedding_model, dimensions, settings_version) from stdin"
    ) as copy:
        for holding in corpus.holdings:
            copy.write_row((holding.tenant, holding.index, 1, "active", "local/minilm-l6-v2", 384, 0))
    documents = [row for batch in corpus.arrive() for row in _documents(corpus, batch)]
    with rig.admin.cursor().copy(
        "copy document (tenant_id, id, sha256, name, media_type, size_bytes, original_key, source, external_id, "
        "document_type, status) from stdin"
    ) as copy:
        for tenant, _, document, _ in documents:
            name = str(document)
            copy.write_row((tenant, document, name, name, "text/plain", 1, "x", "bench", name, "contract", "indexed"))
    with rig.admin.cursor().copy(
        "copy indexed_document (tenant_id, index_id, document_id, revision, chunks, tokens, terms, term_chunks) "
        "from stdin"
    ) as copy:
        for tenant, index, document, chunks in documents:
            copy.write_row((tenant, index, document, 1, chunks, 100 * chunks, "{}", "{}"))
    rig.run("set session_replication_role = origin")


def _documents(corpus: Corpus, batch: Arrivals) -> Iterable[tuple[object, object, object, int]]:
    for row in (batch.ordinal == 0).nonzero()[0]:
        number = int(batch.document[row])
        chunks = int((batch.document[row : row + CHUNKS_PER_DOCUMENT] == number).sum())
        holding = corpus.holdings[int(batch.place[row])]
        yield holding.tenant, holding.index, document_id(number), chunks


def _load_counts(rig: Rig, corpus: Corpus) -> None:
    """How many chunks hold the terms that whole searches ask for, about as their ranks make them."""
    rig.run("set session_replication_role = replica")
    with rig.admin.cursor().copy("copy term_count (tenant_id, index_id, term, chunks) from stdin") as copy:
        for holding in corpus.holdings:
            copy.write_row((holding.tenant, holding.index, ALL_CHUNKS, holding.chunks))
            for stem, rank in ASKED.items():
                held = max(1, int(holding.chunks * min(0.5, 4.5 / rank)))
                copy.write_row((holding.tenant, holding.index, term_id("word", stem), held))
    rig.run("set session_replication_role = origin")


def _load_texts(rig: Rig) -> None:
    """Every chunk has a text of some hundred characters."""
    rig.run("set session_replication_role = replica")
    rig.run("""
        insert into chunk (tenant_id, index_id, document_id, ordinal, start, "end", heading_path, tokens, text)
        select tenant_id, index_id, document_id, ordinal, ordinal * 600, ordinal * 600 + 522, '{}', 130,
               repeat('A clause of an invented contract. ', 15)
          from chunk_vector""")
    rig.run("set session_replication_role = origin")
