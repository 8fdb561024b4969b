"""What was frozen and what became of it in tables of their own: a copy is written once, and its outcome once.

A process of the version before that is still sending cannot settle its batch: it ends, and its journal says what
became of the batch, as after a kill.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "recipients",
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("issue_id", sa.String, sa.ForeignKey("sends.issue_id"), nullable=False),
        sa.Column("recipient_key", sa.String(32), nullable=False),
        sa.Column("subscriber_id", sa.String(16), nullable=False),
        sa.Column("address", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("values", sa.JSON, nullable=False),
        sa.Column("audience", sa.Integer, nullable=False),
        sa.Column("subject", sa.Integer, nullable=False),
        sa.UniqueConstraint("recipient_key", "issue_id"),
    )
    op.create_table(
        "outcomes",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("issue_id", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("provider_id", sa.String, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True)),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
    is_open = sa.text("state IN ('uncertain', 'waiting')")
    op.create_index("outcomes_open", "outcomes", ["issue_id", "state"], sqlite_where=is_open, postgresql_where=is_open)
    op.create_table(
        "handovers",
        sa.Column("batch_id", sa.Integer, sa.ForeignKey("batches.id"), primary_key=True),
        sa.Column("domain", sa.String, primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("handovers_recent", "handovers", ["domain", "at"])
    op.execute(
        'INSERT INTO recipients SELECT seq, issue_id, recipient_key, subscriber_id, address, name, "values", audience, '
        "subject FROM deliveries"
    )
    op.execute(
        "INSERT INTO outcomes SELECT seq, deliveries.issue_id, state, reason, detail, provider_id, 0, NULL, "
        "coalesce(deliveries.settled_at, frozen_at) "
        "FROM deliveries JOIN sends ON sends.issue_id = deliveries.issue_id "
        "WHERE state IN ('accepted', 'failed', 'excluded', 'uncertain')"
    )
    for end, least_or_greatest in (("first", "min"), ("last", "max")):
        op.add_column("batches", sa.Column(end, sa.Integer, nullable=False, server_default="0"))
        op.execute(
            f"UPDATE batches SET {end} = coalesce((SELECT {least_or_greatest}(seq) FROM deliveries "
            "WHERE batch_id = batches.id AND state = 'claimed'), 0)"
        )
        op.add_column("sends", sa.Column(end, sa.Integer, nullable=False, server_default="0"))
        op.execute(
            f"UPDATE sends SET {end} = coalesce((SELECT {least_or_greatest}(seq) FROM recipients "
            "WHERE issue_id = sends.issue_id), 0)"
        )
    op.add_column("batches", sa.Column("seqs", sa.JSON))
    op.add_column("sends", sa.Column("selected", sa.Integer, nullable=False, server_default="0"))
    op.execute("UPDATE sends SET selected = (SELECT count(*) FROM recipients WHERE issue_id = sends.issue_id)")
    op.drop_table("deliveries")
    barred = sa.text("barred IS NOT NULL")
    op.create_index("subscribers_barred", "subscribers", ["id"], sqlite_where=barred, postgresql_where=barred)
    op.rename_table("subscriptions", "subscriptions_before")
    op.create_table(
        "subscriptions",
        sa.Column("list", sa.String, primary_key=True),
        sa.Column("subscriber_id", sa.String(16), sa.ForeignKey("subscribers.id"), primary_key=True),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("joined", sa.DateTime(timezone=True), nullable=False),
        sqlite_with_rowid=False,
    )
    op.execute("INSERT INTO subscriptions SELECT list, subscriber_id, state, joined FROM subscriptions_before")
    op.drop_table("subscriptions_before")
