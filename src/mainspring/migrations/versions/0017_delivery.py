"""Delivery: where events go out to, each delivery and its attempts, and what comes in that starts runs.

An endpoint is a web address or a queue. Deliveries are claimed by a lease and a token, as steps are. The partial
indexes are what a claim reads: what is due, and what is under way.
"""

from alembic import op

from mainspring.migrations.isolation import allow_system, isolate

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    _endpoints()
    _deliveries()
    _incoming()
    for table in ("delivery_endpoint", "delivery", "delivery_attempt", "delivery_trigger"):
        isolate(op, table)
        allow_system(op, table, "select, insert, update, delete")
    for table in ("delivery_secret", "delivery_subscription"):
        isolate(op, table)
    for table in ("delivery_event", "delivery_refusal"):
        isolate(op, table)
        allow_system(op, table, "select, delete")
    op.execute("revoke update on delivery_event, delivery_attempt from mainspring_tenant")


def _endpoints() -> None:
    op.execute("""
        create table delivery_endpoint (
            tenant_id uuid not null,
            id uuid not null,
            kind text not null,
            url text not null,
            address text not null default '',
            format text not null,
            topics text[] not null,
            description text not null default '',
            state text not null default 'on',
            state_reason text,
            failures integer not null default 0,
            failing_since timestamptz,
            last_failure text,
            last_failure_at timestamptz,
            last_success_at timestamptz,
            created_by text not null,
            created_at timestamptz not null default now(),
            constraint delivery_endpoint_key primary key (tenant_id, id),
            constraint delivery_endpoint_kind check (kind in ('webhook', 'nats', 'sqs', 'rabbitmq')),
            constraint delivery_endpoint_format
                check (format in ('standard-webhooks', 'cloudevents', 'cloudevents-binary')),
            constraint delivery_endpoint_state check (state in ('on', 'off', 'failed', 'gone'))
        )""")
    op.execute("""
        create table delivery_secret (
            tenant_id uuid not null,
            id uuid not null,
            endpoint_id uuid not null,
            sealed bytea not null,
            created_at timestamptz not null default now(),
            expires_at timestamptz,
            constraint delivery_secret_key primary key (tenant_id, id),
            constraint delivery_secret_endpoint foreign key (tenant_id, endpoint_id)
                references delivery_endpoint (tenant_id, id) on delete cascade
        )""")
    op.execute("create index delivery_secret_of on delivery_secret (tenant_id, endpoint_id)")


def _deliveries() -> None:
    op.execute("""
        create table delivery_event (
            tenant_id uuid not null,
            id uuid not null,
            topic text not null,
            payload jsonb not null,
            occurred_at timestamptz not null,
            constraint delivery_event_key primary key (tenant_id, id)
        )""")
    op.execute("""
        create table delivery (
            tenant_id uuid not null,
            id uuid not null,
            endpoint_id uuid not null,
            event_id uuid not null,
            state text not null,
            attempts integer not null default 0,
            tries integer not null default 0,
            due_at timestamptz not null,
            token uuid,
            lease_until timestamptz,
            created_at timestamptz not null default now(),
            finished_at timestamptz,
            constraint delivery_key primary key (tenant_id, id),
            constraint delivery_once unique (tenant_id, endpoint_id, event_id),
            constraint delivery_endpoint_of foreign key (tenant_id, endpoint_id)
                references delivery_endpoint (tenant_id, id) on delete cascade,
            constraint delivery_event_of foreign key (tenant_id, event_id)
                references delivery_event (tenant_id, id) on delete cascade,
            constraint delivery_state check (state in ('pending', 'held', 'delivered', 'failed')),
            constraint delivery_leased check ((token is null) = (lease_until is null)),
            constraint delivery_ended check ((finished_at is not null) = (state in ('delivered', 'failed')))
        ) with (autovacuum_vacuum_scale_factor = 0.02)""")
    op.execute("create index delivery_due on delivery (due_at) where state = 'pending'")
    op.execute(
        "create index delivery_under_way on delivery (tenant_id, endpoint_id, lease_until) where token is not null"
    )
    op.execute("create index delivery_newest on delivery (tenant_id, endpoint_id, id)")
    op.execute("create index delivery_by_event on delivery (tenant_id, event_id)")
    op.execute("""
        create table delivery_attempt (
            tenant_id uuid not null,
            delivery_id uuid not null,
            number integer not null,
            endpoint_id uuid not null,
            at timestamptz not null default now(),
            succeeded boolean not null,
            status integer,
            error text,
            response text,
            milliseconds integer not null,
            constraint delivery_attempt_key primary key (tenant_id, delivery_id, number),
            constraint delivery_attempt_of foreign key (tenant_id, delivery_id)
                references delivery (tenant_id, id) on delete cascade
        )""")
    op.execute("create index delivery_attempt_recent on delivery_attempt (tenant_id, endpoint_id, at)")


def _incoming() -> None:
    op.execute("""
        create table delivery_subscription (
            tenant_id uuid not null,
            id uuid not null,
            type text not null,
            source text,
            pipeline text not null,
            created_by text not null,
            created_at timestamptz not null default now(),
            constraint delivery_subscription_key primary key (tenant_id, id),
            constraint delivery_subscription_once unique nulls not distinct (tenant_id, type, source, pipeline)
        )""")
    op.execute("""
        create table delivery_trigger (
            tenant_id uuid not null,
            id uuid not null,
            kind text not null,
            url text not null,
            address text not null,
            pipeline text not null,
            description text not null default '',
            sealed bytea,
            is_on boolean not null default true,
            trouble text,
            taken bigint not null default 0,
            refused bigint not null default 0,
            last_message_at timestamptz,
            holder uuid,
            lease_until timestamptz,
            created_by text not null,
            created_at timestamptz not null default now(),
            constraint delivery_trigger_key primary key (tenant_id, id),
            constraint delivery_trigger_kind check (kind in ('nats', 'sqs', 'rabbitmq')),
            constraint delivery_trigger_held check ((holder is null) = (lease_until is null))
        )""")
    op.execute("""
        create table delivery_refusal (
            tenant_id uuid not null,
            id uuid not null,
            trigger_id uuid not null,
            message text not null,
            reason text not null,
            excerpt text not null,
            at timestamptz not null default now(),
            constraint delivery_refusal_key primary key (tenant_id, id),
            constraint delivery_refusal_of foreign key (tenant_id, trigger_id)
                references delivery_trigger (tenant_id, id) on delete cascade
        )""")
    op.execute("create index delivery_refusal_newest on delivery_refusal (tenant_id, trigger_id, id)")
