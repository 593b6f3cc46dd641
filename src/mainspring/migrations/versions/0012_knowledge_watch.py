"""What the watch over embeddings and retrieval writes, and the questions that tenants know the answers to.

`embedding_canary` belongs to no tenant: it holds what models made of texts of the platform's own. Only system
transactions reach it.
"""

from alembic import op

from mainspring.migrations.isolation import allow_system, isolate

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    _canaries()
    _checks()
    _questions()


def _canaries() -> None:
    op.execute("""
        create table embedding_canary (
            model text not null,
            version integer not null,
            day date not null,
            is_done boolean not null default false,
            claimed_at timestamptz not null,
            vectors bytea,
            figures jsonb not null default '{}',
            constraint embedding_canary_key primary key (model, version, day)
        )""")
    op.execute("alter table embedding_canary enable row level security")
    op.execute("alter table embedding_canary force row level security")
    allow_system(op, "embedding_canary", "select, insert, update, delete")


def _checks() -> None:
    op.execute("""
        create table knowledge_check (
            tenant_id uuid not null,
            kind text not null,
            subject text not null,
            day date not null,
            status text not null default 'running',
            claimed_at timestamptz not null,
            figures jsonb not null default '{}',
            ranks jsonb,
            constraint knowledge_check_key primary key (tenant_id, kind, subject, day),
            constraint knowledge_check_status_known check (status in ('running', 'learning', 'normal', 'moved'))
        )""")
    isolate(op, "knowledge_check")
    op.execute("""
        create table knowledge_alert (
            tenant_id uuid not null,
            id uuid not null,
            kind text not null,
            subject text not null,
            opened_on date not null,
            opened_at timestamptz not null,
            moved jsonb not null,
            acknowledged_at timestamptz,
            acknowledged_by text,
            resolved_at timestamptz,
            constraint knowledge_alert_key primary key (tenant_id, id)
        )""")
    op.execute("""
        create unique index knowledge_alert_unresolved on knowledge_alert (tenant_id, kind, subject)
         where resolved_at is null""")
    isolate(op, "knowledge_alert")


def _questions() -> None:
    """No key into `document`: a question outlives its document, so that whoever asked it sees that it is gone."""
    op.execute("""
        create table golden_question (
            tenant_id uuid not null,
            id uuid not null,
            question text not null,
            document_id uuid not null,
            revision integer not null,
            start integer,
            "end" integer,
            created_by text not null,
            created_at timestamptz not null default now(),
            constraint golden_question_key primary key (tenant_id, id),
            constraint golden_question_span check (
                (start is null) = ("end" is null) and (start is null or (0 <= start and start < "end")))
        )""")
    isolate(op, "golden_question")
