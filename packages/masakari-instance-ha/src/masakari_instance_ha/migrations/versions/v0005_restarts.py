# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Make the table of servers that were started again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "instance_ha_restarts",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("server", sa.String(36), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("notification", sa.String(36), nullable=False),
        sa.Column("at_s", sa.Double, nullable=False),
        sa.Column("remedy", sa.String(16), nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
    )
    op.create_index("ix_instance_ha_restarts_server", "instance_ha_restarts", ["server"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("instance_ha_restarts")
