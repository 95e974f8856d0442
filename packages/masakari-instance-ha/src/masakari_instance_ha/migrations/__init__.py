# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Alembic migrations of the store; run by ``instance-ha db-sync``."""

from __future__ import annotations

import alembic.command
import alembic.config
import alembic.migration
import alembic.script
import sqlalchemy as sa

VERSION_TABLE = "instance_ha_alembic_version"
"""Ours; masakari keeps its own version table in the same database."""


def config(url: str) -> alembic.config.Config:
    """Return Alembic's configuration for the database at *url*, without any file."""
    made = alembic.config.Config()
    made.set_main_option("script_location", "masakari_instance_ha:migrations")
    made.attributes["url"] = url  # not an option: those are interpolated, and could be printed
    return made


def known() -> frozenset[str]:
    """Return the versions of the tables that this release knows."""
    scripts = alembic.script.ScriptDirectory.from_config(config(""))
    return frozenset(script.revision for script in scripts.walk_revisions())


def upgrade(url: str) -> None:
    """Bring the tables at *url* to the newest version; nothing happens if they are there.

    Tables of a newer release stay as they are. Migrations only add, so this release, which
    somebody went back to, finds everything that it knows.
    """
    if _version(url) in {None, *known()}:
        alembic.command.upgrade(config(url), "head")


def _version(url: str) -> str | None:
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
    with engine.connect() as connection:
        found = alembic.migration.MigrationContext.configure(
            connection, opts={"version_table": VERSION_TABLE}
        )
        return found.get_current_revision()
