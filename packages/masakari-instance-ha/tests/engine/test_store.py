# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import alembic.autogenerate
import alembic.command
import alembic.migration
import pytest
import sqlalchemy as sa

from instance_ha.errors import LeaseOverError, StoreUnreachableError
from instance_ha.model import Event, FenceProof, Incident, IncidentState
from masakari_instance_ha import migrations, schema, store

if TYPE_CHECKING:
    import pathlib

PROOF = FenceProof(
    host="h1", method="maas", target="sys-h1", answer="off",
    ordered_at_s=10.5, confirmed_at_s=12.25, by="masakari-engine@masakari-0",
)  # fmt: skip


@pytest.fixture
def journal(url: str) -> store.Store:
    return store.Store(url)


def an_incident(journal: store.Store, host: str = "h1") -> Incident:
    return journal.open(host, segment="rack-1", at_s=100.5, reason="storage down")


def test_migrations_make_what_the_schema_says(url: str) -> None:
    with sa.create_engine(url).connect() as connection:
        context = alembic.migration.MigrationContext.configure(
            connection, opts={"version_table": migrations.VERSION_TABLE}
        )
        assert alembic.autogenerate.compare_metadata(context, schema.metadata) == []


def test_migrating_again_changes_nothing(url: str) -> None:
    before = an_incident(store.Store(url))

    store.migrate(url)

    assert store.Store(url).unclosed() == {"h1": before}


def test_a_release_that_one_goes_back_to_works_on_newer_tables(url: str) -> None:
    before = an_incident(store.Store(url))
    with sa.create_engine(url).begin() as connection:
        connection.execute(sa.text("CREATE TABLE instance_ha_future (id INTEGER PRIMARY KEY)"))
        connection.execute(sa.text(f"UPDATE {migrations.VERSION_TABLE} SET version_num = '9999'"))

    store.migrate(url)

    journal = store.Store(url)
    assert journal.version() == "9999"
    assert journal.unclosed() == {"h1": before}
    an_incident(journal, "h2")
    assert set(journal.unclosed()) == {"h1", "h2"}


def test_migrations_only_add_what_an_older_release_need_not_fill(tmp_path: pathlib.Path) -> None:
    url = f"sqlite:///{tmp_path}/steps.db"
    before: dict[str, set[str]] = {}
    for version in sorted(migrations.known()):
        alembic.command.upgrade(migrations.config(url), version)
        tables = sa.inspect(sa.create_engine(url))
        for name, columns in before.items():
            now = {column["name"]: column for column in tables.get_columns(name)}
            assert columns <= now.keys(), f"{version} takes from {name}"
            forced = [
                column["name"]
                for column in now.values()
                if column["name"] not in columns
                and not column["nullable"]
                and column["default"] is None
            ]
            assert not forced, f"{version}: {name} would refuse the rows of an older release"
        before = {
            name: {column["name"] for column in tables.get_columns(name)}
            for name in tables.get_table_names()
        }
    assert len(before) > 5


def test_an_incident_stays_the_same_until_it_is_closed(journal: store.Store) -> None:
    first = an_incident(journal)
    again = journal.open("h1", segment="rack-1", at_s=200, reason="still down")
    closed = journal.move(again, IncidentState.CLOSED, at_s=300)
    second = an_incident(journal)

    assert again == first
    assert (closed.state, closed.closed_at_s) == (IncidentState.CLOSED, 300)
    assert second.id != first.id
    assert [found.id for found in journal.incidents(host="h1")] == [second.id, first.id]


def test_a_host_s_newest_incident_is_told_where_it_is_closed(journal: store.Store) -> None:
    for host in ("h1", "h2", "h3", "h3"):
        journal.move(an_incident(journal, host), IncidentState.CLOSED, at_s=300)
    an_incident(journal, "h2")
    newest = {i.host: i for i in reversed(journal.incidents())}

    assert journal.closed(since_s=100.5) == {"h1": newest["h1"], "h3": newest["h3"]}
    assert journal.closed(since_s=101.0) == {}


def test_a_move_keeps_the_notification_unless_a_new_one_is_given(journal: store.Store) -> None:
    incident = an_incident(journal)
    told = journal.move(incident, IncidentState.RECOVERING, at_s=101, notification="n1")
    held = journal.move(told, IncidentState.HELD, at_s=102, reason="paused")

    assert (held.notification, held.reason) == ("n1", "paused")
    assert journal.unclosed() == {"h1": held}


def test_who_holds_an_old_view_cannot_open_a_closed_incident_again(journal: store.Store) -> None:
    old_view = an_incident(journal)
    journal.move(old_view, IncidentState.CLOSED, at_s=200)

    with pytest.raises(LeaseOverError):
        journal.move(old_view, IncidentState.HELD, at_s=201)
    assert journal.unclosed() == {}


def test_who_holds_an_old_view_cannot_overwrite_what_another_one_did(journal: store.Store) -> None:
    first = an_incident(journal)
    told = journal.move(first, IncidentState.RECOVERING, at_s=101, notification="n1")
    again = journal.move(told, IncidentState.OPEN, at_s=102)

    for old_view in (first, told):
        with pytest.raises(LeaseOverError):
            journal.move(old_view, IncidentState.HELD, at_s=201)
    assert journal.unclosed() == {"h1": again}


def test_many_who_open_at_once_get_one_incident(url: str) -> None:
    opened: list[int] = []
    start = threading.Barrier(8)

    def open_it() -> None:
        journal = store.Store(url)
        start.wait()
        opened.append(an_incident(journal).id)

    threads = [threading.Thread(target=open_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(opened) == 8
    assert len(set(opened)) == 1
    assert len(store.Store(url).incidents()) == 1


def test_a_row_that_the_database_refuses_is_an_error_that_says_why(journal: store.Store) -> None:
    with pytest.raises(StoreUnreachableError, match=r"keeps no incident of h1: .*segment"):
        journal.open("h1", segment=None, at_s=100.5, reason="storage down")

    assert journal.unclosed() == {}


def test_an_incident_that_others_close_at_once_is_not_made_for_ever(
    journal: store.Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "unclosed", dict)

    with pytest.raises(StoreUnreachableError, match="keeps no incident of h1"):
        an_incident(journal)


def test_events_come_back_in_the_order_of_their_times(journal: store.Store) -> None:
    incident = an_incident(journal)
    events = [
        Event(at_s=1.5, actor="controller@a", kind="verdict", text="recovery"),
        Event(at_s=2.5, actor="engine@b", kind="fence", text="ordered", detail={"x": "y"}),
        Event(at_s=2.5, actor="engine@b", kind="proof", text="off"),
    ]
    for event in (events[1], events[2], events[0]):
        journal.record(incident, event)

    assert journal.events(incident) == events


def test_a_proof_comes_back_as_it_was_given(journal: store.Store) -> None:
    incident = an_incident(journal)
    journal.record_proof(incident, PROOF)

    assert journal.proofs(incident) == [PROOF]
    assert journal.proofs(an_incident(journal, "h2")) == []


def test_the_newest_beat_counts(journal: store.Store) -> None:
    assert journal.last_beat_s("n1") is None
    journal.beat("n1", by="engine@a")
    first = journal.last_beat_s("n1")
    journal.beat("n1", by="engine@b")
    second = journal.last_beat_s("n1")

    assert first is not None
    assert second is not None
    assert 0 <= second - first < 60


def test_the_first_sight_of_a_server_counts(journal: store.Store) -> None:
    incident = an_incident(journal)
    journal.ends_as(incident, {"s1": "active", "s2": "stopped"})

    assert journal.ends_as(incident, {"s1": "error", "s3": "error"}) == {
        "s1": "active",
        "s2": "stopped",
        "s3": "error",
    }


def test_a_lease_is_one_holders_until_it_is_given_up(journal: store.Store) -> None:
    ours = journal.lease("controller", holder="a")
    theirs = journal.lease("controller", holder="b")

    assert ours.take(ttl_s=30)
    assert ours.take(ttl_s=30)
    assert not theirs.take(ttl_s=30)
    theirs.give_up()
    assert not theirs.take(ttl_s=30)
    ours.give_up()
    assert theirs.take(ttl_s=30)
    assert not ours.take(ttl_s=30)


def test_a_lease_that_ran_out_can_be_taken(journal: store.Store) -> None:
    assert journal.lease("controller", holder="a").take(ttl_s=-2)
    assert journal.lease("controller", holder="b").take(ttl_s=30)


def test_of_many_who_want_a_new_lease_one_gets_it(url: str) -> None:
    got: list[bool] = []
    start = threading.Barrier(8)

    def take(holder: str) -> None:
        lease = store.Store(url).lease("controller", holder=holder)
        start.wait()
        got.append(lease.take(ttl_s=30))

    threads = [threading.Thread(target=take, args=(str(n),)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(got) == [False] * 7 + [True]


def test_a_connection_that_the_server_dropped_is_made_again(mysql_url: str) -> None:
    store.migrate(mysql_url)
    journal = store.Store(mysql_url)
    an_incident(journal)
    with sa.create_engine(mysql_url).connect() as other:
        mine = other.scalar(sa.text("SELECT CONNECTION_ID()"))
        for row in other.execute(sa.text("SHOW PROCESSLIST")).all():
            if row.Id != mine and row.User == "root":
                other.execute(sa.text(f"KILL {row.Id}"))

    assert set(journal.unclosed()) == {"h1"}


def test_a_database_that_is_away_is_said_so_without_its_password() -> None:
    away = store.Store("mysql+pymysql://masakari:s3cret@127.0.0.1:9/masakari")

    with pytest.raises(StoreUnreachableError, match=r"store at 127\.0\.0\.1") as caught:
        away.unclosed()
    assert "s3cret" not in str(caught.value)


def test_a_database_without_tables_names_the_next_command(tmp_path: pathlib.Path) -> None:
    empty = store.Store(f"sqlite:///{tmp_path}/empty.sqlite")

    with pytest.raises(StoreUnreachableError, match="instance-ha"):
        empty.unclosed()
