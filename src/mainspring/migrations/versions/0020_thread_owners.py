"""Threads of agents belong to whoever made them: what an agent read for one person is not for everybody."""

from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("alter table agent_thread add column owner text")
