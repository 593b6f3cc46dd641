"""Amendments to contracts, as they were drafted after somebody approved them."""

from alembic import op

from mainspring.migrations.isolation import isolate

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("""
        create table amendment (
            tenant_id uuid not null,
            id uuid not null,
            contract_id uuid not null,
            key text not null,
            clause text,
            page integer,
            start_at integer not null,
            end_at integer not null,
            old_text text not null,
            new_text text not null,
            why text not null,
            drafted_by text not null,
            run_id uuid,
            created_at timestamptz not null default now(),
            primary key (tenant_id, id),
            unique (tenant_id, contract_id, id),
            unique (tenant_id, key),
            foreign key (tenant_id, contract_id) references contract (tenant_id, id) on delete cascade,
            constraint amendment_has_a_place check (start_at >= 0 and start_at < end_at)
        )""")
    isolate(op, "amendment")
    # A draft is what was approved: nobody rewrites it afterwards.
    op.execute("revoke update on amendment from mainspring_tenant")
