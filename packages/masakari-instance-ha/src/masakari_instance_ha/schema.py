# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The store's tables, and the database's own clock.

A change here needs a migration in ``migrations/versions``; a test compares the two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

if TYPE_CHECKING:
    from sqlalchemy.sql.compiler import SQLCompiler

metadata = sa.MetaData()

incidents = sa.Table(
    "instance_ha_incidents",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("host", sa.String(255), nullable=False, index=True),
    sa.Column("segment", sa.String(255), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("opened_at_s", sa.Double, nullable=False),
    sa.Column("closed_at_s", sa.Double),
    sa.Column("notification", sa.String(36)),
    sa.Column("reason", sa.Text, nullable=False),
    # The host while the incident is not closed, else NULL: the database itself sees to it that a
    # host has one such incident at most, whoever writes.
    sa.Column("open_host", sa.String(255)),
    sa.UniqueConstraint("open_host", name="uniq_instance_ha_incidents0open_host"),
)

events = sa.Table(
    "instance_ha_events",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column(
        "incident_id",
        sa.ForeignKey("instance_ha_incidents.id", name="fk_instance_ha_events0incident_id"),
        nullable=False,
        index=True,
    ),
    sa.Column("at_s", sa.Double, nullable=False),
    sa.Column("actor", sa.String(255), nullable=False),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("detail", sa.JSON, nullable=False),
)

proofs = sa.Table(
    "instance_ha_proofs",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column(
        "incident_id",
        sa.ForeignKey("instance_ha_incidents.id", name="fk_instance_ha_proofs0incident_id"),
        nullable=False,
        index=True,
    ),
    sa.Column("host", sa.String(255), nullable=False),
    sa.Column("method", sa.String(32), nullable=False),
    sa.Column("target", sa.String(255), nullable=False),
    sa.Column("answer", sa.String(255), nullable=False),
    sa.Column("ordered_at_s", sa.Double, nullable=False),
    sa.Column("confirmed_at_s", sa.Double, nullable=False),
    sa.Column("ordered_by", sa.String(255), nullable=False),
)

moves = sa.Table(
    "instance_ha_moves",
    metadata,
    sa.Column(
        "incident_id",
        sa.ForeignKey("instance_ha_incidents.id", name="fk_instance_ha_moves0incident_id"),
        primary_key=True,
    ),
    sa.Column("server", sa.String(36), primary_key=True),
    sa.Column("ends_as", sa.String(16), nullable=False),
)

beats = sa.Table(
    "instance_ha_beats",
    metadata,
    sa.Column("notification", sa.String(36), primary_key=True),
    sa.Column("beaten_by", sa.String(255), nullable=False),
    sa.Column("at_s", sa.Double, nullable=False),
)

leases = sa.Table(
    "instance_ha_leases",
    metadata,
    sa.Column("name", sa.String(255), primary_key=True),
    sa.Column("holder", sa.String(255), nullable=False),
    sa.Column("until_s", sa.Double, nullable=False),
)

# One row for each time that an operator set or reset a matrix; the newest of a segment counts.
matrices = sa.Table(
    "instance_ha_matrices",
    metadata,
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("segment", sa.String(36), nullable=False, index=True),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("rows", sa.JSON, nullable=False),
    sa.Column("forced", sa.Boolean, nullable=False),
    sa.Column("at_s", sa.Double, nullable=False),
    sa.Column("author", sa.String(255), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
)

findings = sa.Table(
    "instance_ha_findings",
    metadata,
    sa.Column("kind", sa.String(32), primary_key=True),
    sa.Column("about", sa.String(255), primary_key=True),
    sa.Column("fact", sa.Text, nullable=False),
    sa.Column("consequence", sa.Text, nullable=False),
    sa.Column("advice", sa.Text, nullable=False),
    sa.Column("since_s", sa.Double, nullable=False),
)

boots = sa.Table(
    "instance_ha_boots",
    metadata,
    sa.Column("host", sa.String(255), primary_key=True),
    sa.Column("boot_id", sa.String(64), nullable=False),
    sa.Column("since_s", sa.Double, nullable=False),
)


# A pause that is over stays, as the record of who paused what, and why.
pauses = sa.Table(
    "instance_ha_pauses",
    metadata,
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

approvals = sa.Table(
    "instance_ha_approvals",
    metadata,
    sa.Column(
        "incident_id",
        sa.ForeignKey("instance_ha_incidents.id", name="fk_instance_ha_approvals0incident_id"),
        primary_key=True,
    ),
    sa.Column("author", sa.String(255), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("at_s", sa.Double, nullable=False),
)

storms = sa.Table(
    "instance_ha_storms",
    metadata,
    sa.Column("scope", sa.String(255), primary_key=True),
    sa.Column("at_s", sa.Double, nullable=False),
)


# Hosts that were enrolled by rule and have not left by rule.
roll = sa.Table(
    "instance_ha_roll",
    metadata,
    sa.Column("name", sa.String(255), primary_key=True),
)


restarts = sa.Table(
    "instance_ha_restarts",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("server", sa.String(36), nullable=False, index=True),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("host", sa.String(255), nullable=False),
    sa.Column("notification", sa.String(36), nullable=False),
    sa.Column("at_s", sa.Double, nullable=False),
    sa.Column("remedy", sa.String(16), nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
)


# What people changed with the command; whoever asks who did it finds it here.
deeds = sa.Table(
    "instance_ha_deeds",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at_s", sa.Double, nullable=False),
    sa.Column("author", sa.String(255), nullable=False),
    sa.Column("command", sa.String(64), nullable=False),
    sa.Column("given", sa.JSON, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
)


class DatabaseNow(FunctionElement[float]):
    """The database's clock in whole seconds since the epoch: one clock for all who compete.

    Whole seconds, because MySQL has no expression for fractions of them that is free of the
    session's time zone.
    """

    type = sa.Double()
    inherit_cache = True
    name = "instance_ha_now"


@compiles(DatabaseNow, "mysql")
@compiles(DatabaseNow, "mariadb")
def _now_in_mysql(_element: DatabaseNow, _compiler: SQLCompiler, **_kw: object) -> str:
    return "UNIX_TIMESTAMP()"


@compiles(DatabaseNow, "sqlite")
def _now_in_sqlite(_element: DatabaseNow, _compiler: SQLCompiler, **_kw: object) -> str:
    return "CAST(strftime('%s', 'now') AS INTEGER)"
