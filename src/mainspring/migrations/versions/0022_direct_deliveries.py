"""Deliveries to addresses of their own, in a form that is the event's data alone."""

from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("alter table delivery add column url text")
    op.execute("alter table delivery_endpoint drop constraint delivery_endpoint_format")
    op.execute("""
        alter table delivery_endpoint add constraint delivery_endpoint_format
            check (format in ('standard-webhooks', 'cloudevents', 'cloudevents-binary', 'plain'))""")
