"""The settings under which an issue is sent, beside their digest; unknown for those that were begun before."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("sends", sa.Column("settings", sa.JSON))
    op.execute("UPDATE meta SET value = '2' WHERE key = 'schema_version'")
