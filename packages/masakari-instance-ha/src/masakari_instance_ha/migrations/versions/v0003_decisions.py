# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Make the tables of what people decided, pauses and approvals, and that of storms."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "instance_ha_pauses",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("scope", sa.String(16), nullable=False),
        sa.Column("target", sa.String(255), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("author", sa.String(255), nullable=False),
        sa.Column("since_s", sa.Double, nullable=False),
        sa.Column("until_s", sa.Double),
        sa.Column("ended_at_s", sa.Double),
        sa.Column("ended_by", sa.String(255), nullable=False),
    )
    op.create_table(
        "instance_ha_approvals",
        sa.Column(
            "incident_id",
            sa.Integer,
            sa.ForeignKey("instance_ha_incidents.id", name="fk_instance_ha_approvals0incident_id"),
            primary_key=True,
        ),
        sa.Column("author", sa.String(255), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at_s", sa.Double, nullable=False),
    )
    op.create_table(
        "instance_ha_storms",
        sa.Column("scope", sa.String(255), primary_key=True),
        sa.Column("at_s", sa.Double, nullable=False),
    )


def downgrade() -> None:
    """Drop them."""
    for name in ("storms", "approvals", "pauses"):
        op.drop_table(f"instance_ha_{name}")
