# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Run by Alembic: connect to the database, and migrate our tables only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context

from masakari_instance_ha import migrations, schema


def _migrate() -> None:
    """Run the migrations in one connection."""
    engine = sa.create_engine(context.config.attributes["url"], poolclass=sa.pool.NullPool)
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=schema.metadata,
            version_table=migrations.VERSION_TABLE,
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()


_migrate()
