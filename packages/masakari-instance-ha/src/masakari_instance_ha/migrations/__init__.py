# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Alembic migrations of the store; run by ``instance-ha db-sync``."""

from __future__ import annotations

import alembic.command
import alembic.config

VERSION_TABLE = "instance_ha_alembic_version"
"""Ours; masakari keeps its own version table in the same database."""


def config(url: str) -> alembic.config.Config:
    """Return Alembic's configuration for the database at *url*, without any file."""
    made = alembic.config.Config()
    made.set_main_option("script_location", "masakari_instance_ha:migrations")
    made.attributes["url"] = url  # not an option: those are interpolated, and could be printed
    return made


def upgrade(url: str) -> None:
    """Bring the tables at *url* to the newest version; nothing happens if they are there."""
    alembic.command.upgrade(config(url), "head")
