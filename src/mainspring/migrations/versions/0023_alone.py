"""Steps that lost several workers run alone; only what they lose there is held against them."""

from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("alter table step add column alone uuid")
    op.execute("comment on column step.alone is 'the token under which it ran with no other step beside it'")
