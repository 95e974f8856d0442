# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A database that hangs is a database that does not answer."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from sqlalchemy import exc

from instance_ha.errors import StoreUnreachableError
from masakari_instance_ha import database, store
from masakari_instance_ha.orphans import Orphans

if TYPE_CHECKING:
    from collections.abc import Iterator

HANGS_S = 200
"""As long as the test's own time limit allows: what does not give up fails by it."""


@pytest.fixture
def mute(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server that lets everybody in and says nothing, not even its greeting."""
    monkeypatch.setattr(database, "ANSWER_S", 1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"mysql+pymysql://root@127.0.0.1:{server.getsockname()[1]}/masakari"


@pytest.mark.timeout(HANGS_S)
def test_a_mute_server_does_not_hold_the_controller(mute: str) -> None:
    with pytest.raises(StoreUnreachableError, match="does not answer"):
        store.Store(mute).unclosed()


@pytest.mark.timeout(HANGS_S)
def test_a_mute_server_does_not_hold_who_releases_a_notification(mute: str) -> None:
    with pytest.raises(StoreUnreachableError, match="is not released"):
        Orphans(mute).release("n-1")


@pytest.mark.timeout(HANGS_S)
def test_a_statement_that_hangs_is_given_up(
    mysql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "ANSWER_S", 1)

    with database.connect(mysql_url).connect() as connection, pytest.raises(exc.DBAPIError):
        connection.execute(sa.text(f"SELECT SLEEP({2 * HANGS_S})"))
