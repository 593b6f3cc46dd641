"""Agents: threads, runs, checkpoints and their store."""

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Nothing yet."""
