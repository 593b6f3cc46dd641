"""Knowledge as it grows: sources, settings, document revisions, index versions, and chunks made to be searched.

What a search reads is kept apart from what it shows: a scan over `chunk_vector` and `chunk_terms` touches narrow
rows only. What was embedded before was embedded without its headings, so every document is pending after the
upgrade and is indexed anew in the background.
"""

from alembic import op

from mainspring.migrations.isolation import allow_system, isolate

revision = "0009"
down_revision = "0008"

PARTITIONS = 16


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    _settings()
    _sources()
    _documents()
    _indexes()
    _drafts()
    op.execute("drop table chunk")
    _chunks()
    _labels()
    _homes()
    for table in ("knowledge_source", "document", "knowledge_index", "indexed_document", "document_tombstone"):
        allow_system(op, table, "select")


def _settings() -> None:
    op.execute("""
        create table knowledge_settings (
            tenant_id uuid not null,
            version integer not null,
            body jsonb not null,
            note text,
            created_by text not null,
            created_at timestamptz not null default now(),
            constraint knowledge_settings_key primary key (tenant_id, version),
            constraint knowledge_settings_version check (version > 0)
        )""")
    isolate(op, "knowledge_settings")


def _sources() -> None:
    op.execute("""
        create table knowledge_source (
            tenant_id uuid not null,
            name text not null,
            kind text not null,
            config jsonb not null default '{}',
            secret bytea,
            document_type text,
            readers text[],
            is_paused boolean not null default false,
            every_seconds integer,
            due_at timestamptz,
            cursor jsonb,
            run_id uuid,
            synced_at timestamptz,
            error_code text,
            error_detail text,
            created_by text not null,
            created_at timestamptz not null default now(),
            constraint knowledge_source_key primary key (tenant_id, name),
            constraint knowledge_source_interval check (every_seconds >= 60)
        )""")
    op.execute("create index knowledge_source_due on knowledge_source (due_at) where due_at is not null")
    isolate(op, "knowledge_source")


def _documents() -> None:
    op.execute("""
        alter table document
            drop constraint document_once_per_tenant,
            add column source text not null default 'contracts',
            add column external_id text,
            add column uri text,
            add column document_type text not null default 'contract',
            add column metadata jsonb not null default '{}',
            add column readers text[],
            add column revision integer not null default 1,
            add column status text not null default 'pending',
            add column error_code text,
            add column error_detail text,
            add column run_id uuid,
            add column updated_at timestamptz not null default now(),
            add column changed bigint generated always as identity""")
    op.execute("update document set external_id = sha256")
    op.execute("""
        alter table document
            alter column external_id set not null,
            alter column source drop default,
            alter column document_type drop default,
            add constraint document_once_per_source unique (tenant_id, source, external_id),
            add constraint document_status_known check (status in ('pending', 'indexed', 'failed')),
            add constraint document_failed_has_error check ((status = 'failed') = (error_code is not null)),
            add constraint document_revision_positive check (revision > 0)""")
    op.execute("create index document_newest on document (tenant_id, id)")
    op.execute("create index document_by_hash on document (tenant_id, sha256)")
    op.execute("create index document_pending on document (updated_at) where status = 'pending'")
    op.execute("""
        create table document_tombstone (
            tenant_id uuid not null,
            document_id uuid not null,
            deleted_at timestamptz not null default now(),
            constraint document_tombstone_key primary key (tenant_id, document_id)
        )""")
    isolate(op, "document_tombstone")


def _indexes() -> None:
    op.execute("""
        create table knowledge_index (
            tenant_id uuid not null,
            id uuid not null,
            number integer not null,
            status text not null,
            embedding_model text not null,
            dimensions integer not null,
            settings_version integer not null,
            comparison jsonb,
            error_code text,
            error_detail text,
            created_at timestamptz not null default now(),
            activated_at timestamptz,
            retired_at timestamptz,
            promoted_at timestamptz,
            constraint knowledge_index_key primary key (tenant_id, id),
            constraint knowledge_index_numbered unique (tenant_id, number),
            constraint knowledge_index_status_known check (status in ('building', 'active', 'retired'))
        )""")
    op.execute("create unique index knowledge_index_active on knowledge_index (tenant_id) where status = 'active'")
    op.execute("create unique index knowledge_index_building on knowledge_index (tenant_id) where status = 'building'")
    isolate(op, "knowledge_index")
    # The record of what is in an index, written in the transaction that writes the chunks.
    op.execute("""
        create table indexed_document (
            tenant_id uuid not null,
            index_id uuid not null,
            document_id uuid not null,
            revision integer not null,
            chunks integer not null,
            tokens integer not null,
            terms integer[] not null,
            term_chunks integer[] not null,
            indexed_at timestamptz not null default now(),
            constraint indexed_document_key primary key (tenant_id, index_id, document_id),
            constraint indexed_document_index foreign key (tenant_id, index_id)
                references knowledge_index (tenant_id, id) on delete cascade,
            constraint indexed_document_document foreign key (tenant_id, document_id)
                references document (tenant_id, id) on delete cascade,
            constraint indexed_document_terms check (cardinality(terms) = cardinality(term_chunks))
        )""")
    op.execute("create index indexed_document_by_document on indexed_document (tenant_id, document_id)")
    isolate(op, "indexed_document")


def _drafts() -> None:
    op.execute("""
        create table embedding_draft (
            tenant_id uuid not null,
            document_id uuid not null,
            model text not null,
            content_hash bytea not null,
            embedding halfvec not null,
            created_at timestamptz not null default now(),
            constraint embedding_draft_key primary key (tenant_id, document_id, model, content_hash),
            constraint embedding_draft_document foreign key (tenant_id, document_id)
                references document (tenant_id, id) on delete cascade
        )""")
    op.execute("alter table embedding_draft alter column embedding set storage plain")
    isolate(op, "embedding_draft")


_OF_A_DOCUMENT = """
            foreign key (tenant_id, index_id, document_id)
                references indexed_document (tenant_id, index_id, document_id) on delete cascade"""


def _chunks() -> None:
    _partitioned(
        "chunk",
        f"""
            tenant_id uuid not null,
            index_id uuid not null,
            document_id uuid not null,
            ordinal integer not null,
            start integer not null,
            "end" integer not null,
            number text,
            heading_path text[] not null,
            page integer,
            attributes jsonb not null default '{{}}',
            tokens integer not null,
            text text not null,
            constraint chunk_key primary key (tenant_id, index_id, document_id, ordinal),
            constraint chunk_of_document {_OF_A_DOCUMENT},
            constraint chunk_span check (0 <= start and start < "end")""",
    )
    _partitioned(
        "chunk_vector",
        f"""
            tenant_id uuid not null,
            index_id uuid not null,
            document_id uuid not null,
            ordinal integer not null,
            content_hash bytea not null,
            embedding halfvec not null,
            constraint chunk_vector_key primary key (tenant_id, index_id, document_id, ordinal),
            constraint chunk_vector_of_document {_OF_A_DOCUMENT}""",
    )
    op.execute("create index chunk_vector_by_hash on chunk_vector (tenant_id, content_hash)")
    _partitioned(
        "chunk_terms",
        f"""
            tenant_id uuid not null,
            index_id uuid not null,
            document_id uuid not null,
            ordinal integer not null,
            terms sparsevec not null,
            constraint chunk_terms_key primary key (tenant_id, index_id, document_id, ordinal),
            constraint chunk_terms_of_document {_OF_A_DOCUMENT}""",
    )
    # How many chunks of an index hold a term: what the rarity of a query's words is computed from.
    _partitioned(
        "term_count",
        """
            tenant_id uuid not null,
            index_id uuid not null,
            term integer not null,
            chunks integer not null,
            constraint term_count_key primary key (tenant_id, index_id, term),
            constraint term_count_of_index foreign key (tenant_id, index_id)
                references knowledge_index (tenant_id, id) on delete cascade""",
    )
    for table, column in (("chunk_vector", "embedding"), ("chunk_terms", "terms")):
        for remainder in range(PARTITIONS):
            storage = "plain" if table == "chunk_vector" else "main"
            op.execute(f"alter table {table}_p{remainder:02d} alter column {column} set storage {storage}")


def _partitioned(table: str, columns: str) -> None:
    """A partition holds every sixteenth tenant whole, so a search never reads more than one of them."""
    op.execute(f"create table {table} ({columns}) partition by hash (tenant_id)")
    for remainder in range(PARTITIONS):
        op.execute(
            f"create table {table}_p{remainder:02d} partition of {table} "
            f"for values with (modulus {PARTITIONS}, remainder {remainder})"
        )
    isolate(op, table)


def _labels() -> None:
    """What products found a place to be, such as a kind of clause; by place, so that it outlives a new chunker."""
    op.execute("""
        create table document_label (
            tenant_id uuid not null,
            document_id uuid not null,
            label text not null,
            start integer not null,
            "end" integer not null,
            score real not null,
            constraint document_label_key primary key (tenant_id, document_id, label, start, "end"),
            constraint document_label_document foreign key (tenant_id, document_id)
                references document (tenant_id, id) on delete cascade,
            constraint document_label_span check (0 <= start and start < "end"),
            constraint document_label_score check (score between 0 and 1)
        )""")
    op.execute("create index document_label_by_label on document_label (tenant_id, label)")
    isolate(op, "document_label")


def _homes() -> None:
    """Where a tenant's knowledge lives; a tenant without a row is at home in the shared tables."""
    op.execute("""
        create table knowledge_home (
            tenant_id uuid not null constraint knowledge_home_key primary key,
            tier text not null,
            schema_name text,
            database_name text,
            status text not null default 'settled',
            moved_at timestamptz not null default now(),
            constraint knowledge_home_tier_known check (tier in ('shared', 'schema', 'database')),
            constraint knowledge_home_status_known check (status in ('settled', 'moving'))
        )""")
    isolate(op, "knowledge_home")
    allow_system(op, "knowledge_home", "select, insert, update, delete")
