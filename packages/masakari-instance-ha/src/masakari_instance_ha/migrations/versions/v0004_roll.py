# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Make the table of the hosts that were enrolled by rule."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the table."""
    op.create_table("instance_ha_roll", sa.Column("name", sa.String(255), primary_key=True))


def downgrade() -> None:
    """Drop it."""
    op.drop_table("instance_ha_roll")
