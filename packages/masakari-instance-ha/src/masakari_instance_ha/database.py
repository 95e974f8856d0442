# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Connections to databases that may hang: an answer is not waited for without end."""

from __future__ import annotations

import sqlalchemy as sa

CONNECT_S = 5
"""How long a server may take to let a connection in."""

ANSWER_S = 10
"""How long it may take to answer; longer than any of our own statements needs. Without it a server
that hangs, or a router that lost it, would stop the pass of a controller for hours."""

_RECYCLE_S = 600


def connect(url: sa.URL | str, pool_size: int = 5) -> sa.Engine:
    """Return the connections to *url*, none of which is made yet.

    Args:
        url: Of MySQL by PyMySQL, or of SQLite.
        pool_size: How many of them are kept.
    """
    patience: dict[str, int] = {}
    if sa.make_url(url).get_driver_name() == "pymysql":
        patience = {
            "connect_timeout": CONNECT_S,
            "read_timeout": ANSWER_S,
            "write_timeout": ANSWER_S,
        }
    return sa.create_engine(
        url,
        pool_pre_ping=True,
        pool_recycle=_RECYCLE_S,
        pool_size=pool_size,
        connect_args=patience,
    )
