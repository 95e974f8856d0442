# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Make the first tables: incidents, their events, proofs and moves; beats and leases."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_INCIDENT = "instance_ha_incidents.id"


def upgrade() -> None:
    """Make every table."""
    _make_incidents()
    _make_events()
    _make_proofs()
    _make_moves_beats_and_leases()


def downgrade() -> None:
    """Drop every table, those that point at others first."""
    for name in ("moves", "proofs", "events", "incidents", "beats", "leases"):
        op.drop_table(f"instance_ha_{name}")


def _make_incidents() -> None:
    op.create_table(
        "instance_ha_incidents",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("segment", sa.String(255), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("opened_at_s", sa.Double, nullable=False),
        sa.Column("closed_at_s", sa.Double),
        sa.Column("notification", sa.String(36)),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("open_host", sa.String(255)),
        sa.UniqueConstraint("open_host", name="uniq_instance_ha_incidents0open_host"),
    )
    op.create_index("ix_instance_ha_incidents_host", "instance_ha_incidents", ["host"])


def _make_events() -> None:
    op.create_table(
        "instance_ha_events",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "incident_id",
            sa.Integer,
            sa.ForeignKey(_INCIDENT, name="fk_instance_ha_events0incident_id"),
            nullable=False,
        ),
        sa.Column("at_s", sa.Double, nullable=False),
        sa.Column("actor", sa.String(255), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("detail", sa.JSON, nullable=False),
    )
    op.create_index("ix_instance_ha_events_incident_id", "instance_ha_events", ["incident_id"])


def _make_proofs() -> None:
    op.create_table(
        "instance_ha_proofs",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "incident_id",
            sa.Integer,
            sa.ForeignKey(_INCIDENT, name="fk_instance_ha_proofs0incident_id"),
            nullable=False,
        ),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("method", sa.String(32), nullable=False),
        sa.Column("target", sa.String(255), nullable=False),
        sa.Column("answer", sa.String(255), nullable=False),
        sa.Column("ordered_at_s", sa.Double, nullable=False),
        sa.Column("confirmed_at_s", sa.Double, nullable=False),
        sa.Column("ordered_by", sa.String(255), nullable=False),
    )
    op.create_index("ix_instance_ha_proofs_incident_id", "instance_ha_proofs", ["incident_id"])


def _make_moves_beats_and_leases() -> None:
    op.create_table(
        "instance_ha_moves",
        sa.Column(
            "incident_id",
            sa.Integer,
            sa.ForeignKey(_INCIDENT, name="fk_instance_ha_moves0incident_id"),
            primary_key=True,
        ),
        sa.Column("server", sa.String(36), primary_key=True),
        sa.Column("ends_as", sa.String(16), nullable=False),
    )
    op.create_table(
        "instance_ha_beats",
        sa.Column("notification", sa.String(36), primary_key=True),
        sa.Column("beaten_by", sa.String(255), nullable=False),
        sa.Column("at_s", sa.Double, nullable=False),
    )
    op.create_table(
        "instance_ha_leases",
        sa.Column("name", sa.String(255), primary_key=True),
        sa.Column("holder", sa.String(255), nullable=False),
        sa.Column("until_s", sa.Double, nullable=False),
    )
