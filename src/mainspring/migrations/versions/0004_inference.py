"""Inference records, and apart from them what was said."""

from alembic import op

from mainspring.migrations.isolation import allow_system, isolate

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("""
        create table inference_record (
            tenant_id uuid not null,
            id uuid not null,
            at timestamptz not null,
            operation text not null,
            model_asked text not null,
            provider text not null,
            principal text not null,
            run_id uuid,
            step text,
            session text,
            feature text,
            trace_id text,
            span_id text,
            parent_span_id text,
            prompt_name text,
            prompt_version text,
            idempotency_key text,
            model_served text,
            region text,
            route_reason text not null,
            cache_status text not null,
            input_tokens integer not null,
            cached_tokens integer not null,
            output_tokens integer not null,
            reasoning_tokens integer not null,
            cost_micros bigint,
            currency text,
            price_version text,
            latency_ms integer,
            ttft_ms integer,
            status text not null,
            error_code text,
            finish_reason text,
            stream boolean not null,
            attempts integer not null,
            primary key (tenant_id, id)
        )""")
    op.execute("create index inference_record_run on inference_record (tenant_id, run_id, id)")
    isolate(op, "inference_record")
    allow_system(op, "inference_record", "select, insert")
    op.execute("""
        create table inference_payload (
            tenant_id uuid not null,
            record_id uuid not null,
            at timestamptz not null,
            input bytea,
            output bytea,
            primary key (tenant_id, record_id)
        )""")
    op.execute("create index inference_payload_age on inference_payload (at)")
    isolate(op, "inference_payload")
    allow_system(op, "inference_payload", "select, insert, delete")
