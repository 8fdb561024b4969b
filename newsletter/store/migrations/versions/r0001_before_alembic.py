"""The schema of the databases from before Alembic; they say version 1 in `meta`. New ones begin at the newest."""

from __future__ import annotations

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Nothing: whoever is here has these tables."""
