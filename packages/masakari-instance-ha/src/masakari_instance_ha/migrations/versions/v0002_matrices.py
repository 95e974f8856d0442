# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Make the tables of operators' matrices, of findings and of the hosts' last boots."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "instance_ha_matrices",
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("segment", sa.String(36), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("rows", sa.JSON, nullable=False),
        sa.Column("forced", sa.Boolean, nullable=False),
        sa.Column("at_s", sa.Double, nullable=False),
        sa.Column("author", sa.String(255), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_index("ix_instance_ha_matrices_segment", "instance_ha_matrices", ["segment"])
    op.create_table(
        "instance_ha_findings",
        sa.Column("kind", sa.String(32), primary_key=True),
        sa.Column("about", sa.String(255), primary_key=True),
        sa.Column("fact", sa.Text, nullable=False),
        sa.Column("consequence", sa.Text, nullable=False),
        sa.Column("advice", sa.Text, nullable=False),
        sa.Column("since_s", sa.Double, nullable=False),
    )
    op.create_table(
        "instance_ha_boots",
        sa.Column("host", sa.String(255), primary_key=True),
        sa.Column("boot_id", sa.String(64), nullable=False),
        sa.Column("since_s", sa.Double, nullable=False),
    )


def downgrade() -> None:
    """Drop them."""
    for name in ("boots", "findings", "matrices"):
        op.drop_table(f"instance_ha_{name}")
