"""Documents and their chunks, partitioned by tenant, each chunk with its vector."""

from alembic import op

from mainspring.migrations.isolation import isolate

revision = "0005"
down_revision = "0004"

PARTITIONS = 16


def upgrade() -> None:
    op.execute("""
        create table document (
            tenant_id uuid not null,
            id uuid not null,
            sha256 text not null,
            name text not null,
            media_type text not null,
            size_bytes bigint not null,
            original_key text not null,
            parsed_key text,
            parser_version text,
            pages integer,
            language text,
            title text,
            created_at timestamptz not null default now(),
            constraint document_key primary key (tenant_id, id),
            constraint document_once_per_tenant unique (tenant_id, sha256),
            constraint document_parsed_whole check ((parsed_key is null) = (parser_version is null))
        )""")
    isolate(op, "document")
    # A partition holds every sixteenth tenant whole, so a search never reads more than one of them.
    op.execute("""
        create table chunk (
            tenant_id uuid not null,
            document_id uuid not null,
            index integer not null,
            start integer not null,
            "end" integer not null,
            number text,
            heading_path text[] not null,
            page integer,
            text text not null,
            content_hash text not null,
            chunker_version text not null,
            embedding halfvec(384),
            embedding_model text,
            constraint chunk_key primary key (tenant_id, document_id, index),
            constraint chunk_of_document foreign key (tenant_id, document_id)
                references document (tenant_id, id) on delete cascade,
            constraint chunk_span check (0 <= start and start < "end"),
            constraint chunk_vector_has_model check ((embedding is null) = (embedding_model is null))
        ) partition by hash (tenant_id)""")
    for remainder in range(PARTITIONS):
        op.execute(
            f"create table chunk_p{remainder:02d} partition of chunk "
            f"for values with (modulus {PARTITIONS}, remainder {remainder})"
        )
    op.execute("create index chunk_by_tenant on chunk (tenant_id)")
    isolate(op, "chunk")
