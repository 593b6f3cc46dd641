"""Contracts, their findings and reports, feedback on findings, and playbooks."""

from alembic import op

from mainspring.migrations.isolation import isolate

revision = "0006"
down_revision = "0005"

_TABLES = {
    "contract": """
        create table contract (
            tenant_id uuid not null,
            id uuid not null,
            document_id uuid not null,
            name text not null,
            media_type text not null,
            size_bytes bigint not null,
            sha256 text not null,
            pages integer,
            language text,
            title text,
            playbook text not null,
            run_id uuid,
            run_status text not null default 'queued',
            created_by text not null,
            created_at timestamptz not null default now(),
            primary key (tenant_id, id),
            unique (tenant_id, sha256)
        )""",
    "finding": """
        create table finding (
            tenant_id uuid not null,
            id uuid not null,
            contract_id uuid not null,
            run_id uuid not null,
            place integer not null,
            rule text not null,
            kind text not null,
            severity text not null check (severity in ('critical', 'high', 'medium', 'low', 'info')),
            title text not null,
            why text not null,
            category text,
            citations jsonb not null,
            suggestion text,
            method text not null,
            confidence double precision not null,
            decision text not null default 'open' check (decision in ('open', 'accepted', 'dismissed', 'edited')),
            decided_by text,
            decided_at timestamptz,
            reason text,
            edited jsonb,
            primary key (tenant_id, id),
            unique (tenant_id, run_id, place),
            foreign key (tenant_id, contract_id) references contract (tenant_id, id) on delete cascade
        )""",
    "finding_feedback": """
        create table finding_feedback (
            tenant_id uuid not null,
            id uuid not null,
            finding_id uuid not null,
            run_id uuid not null,
            trace_id text,
            record_id uuid,
            decision text not null,
            reason text,
            edited jsonb,
            given_by text not null,
            given_at timestamptz not null default now(),
            primary key (tenant_id, id),
            foreign key (tenant_id, finding_id) references finding (tenant_id, id) on delete cascade
        )""",
    "report": """
        create table report (
            tenant_id uuid not null,
            run_id uuid not null,
            contract_id uuid not null,
            body jsonb not null,
            created_at timestamptz not null default now(),
            primary key (tenant_id, run_id),
            foreign key (tenant_id, contract_id) references contract (tenant_id, id) on delete cascade
        )""",
    "playbook": """
        create table playbook (
            tenant_id uuid not null,
            name text not null,
            version integer not null,
            yaml text not null,
            title text not null,
            side text not null,
            rules integer not null,
            created_by text not null,
            created_at timestamptz not null default now(),
            primary key (tenant_id, name, version)
        )""",
    "playbook_default": """
        create table playbook_default (
            tenant_id uuid primary key,
            name text not null
        )""",
}


def upgrade() -> None:
    for table, statement in _TABLES.items():
        op.execute(statement)
        isolate(op, table)
    op.execute("create index contract_newest on contract (tenant_id, created_at desc, id desc)")
    op.execute("create index finding_of_contract on finding (tenant_id, contract_id, run_id, place)")
    op.execute("create index report_of_contract on report (tenant_id, contract_id, run_id desc)")
    op.execute("create index feedback_of_finding on finding_feedback (tenant_id, finding_id)")
