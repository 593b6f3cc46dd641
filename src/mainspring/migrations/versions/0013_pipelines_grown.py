"""What pipelines need to fan out, wait, be undone, held and operated."""

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Nothing yet."""
