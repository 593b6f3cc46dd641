"""A role that may build and drop indexes on the vectors while the platform runs, and what those indexes answered.

Postgres lets only a table's owner create an index. So the partitions of `chunk_vector` get an owner of their own,
`mainspring_keeper`, which owns nothing else. It may index rows without being able to read them: the partitions
force row-level security and have no policy, and the owner's own privileges on them are revoked. The partitioned
table above them, with its policies and keys, stays with the login that migrates. See docs/decisions/0013.
"""

from alembic import op

from mainspring.migrations.isolation import isolate

revision = "0010"
down_revision = "0009"

PARTITIONS = 16

_ROLE = """
do $$ begin
  create role mainspring_keeper nologin noinherit;
exception when duplicate_object or unique_violation then null;
end $$"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute(_ROLE)
    # Who migrates has to stay able to alter these tables; a superuser is able anyway.
    op.execute("grant mainspring_keeper to current_user with inherit true, set true")
    op.execute("grant mainspring_keeper to mainspring_app with inherit false, set true")
    op.execute("grant usage, create on schema public to mainspring_keeper")
    for remainder in range(PARTITIONS):
        partition = f"chunk_vector_p{remainder:02d}"
        op.execute(f"alter table {partition} enable row level security")
        op.execute(f"alter table {partition} force row level security")
        op.execute(f"alter table {partition} owner to mainspring_keeper")
        op.execute(f"revoke all on {partition} from mainspring_keeper")
    _recall()


def _recall() -> None:
    """How an approximate index did against comparing every vector, each time that it was looked at."""
    op.execute("""
        create table knowledge_recall (
            tenant_id uuid not null,
            index_id uuid not null,
            measured_at timestamptz not null default now(),
            recall real not null,
            queries integer not null,
            exact_ms real not null,
            approximate_ms real not null,
            constraint knowledge_recall_key primary key (tenant_id, index_id, measured_at),
            constraint knowledge_recall_index foreign key (tenant_id, index_id)
                references knowledge_index (tenant_id, id) on delete cascade,
            constraint knowledge_recall_share check (recall between 0 and 1)
        )""")
    isolate(op, "knowledge_recall")
