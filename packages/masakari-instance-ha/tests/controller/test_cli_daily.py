# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Who did what; moves, reserves, power, old rows, upgrades."""

from __future__ import annotations

import time
from typing import ClassVar

import pytest
import sqlalchemy as sa
from masakari.db.sqlalchemy import models

from instance_ha.model import Approval, Event, FenceProof, IncidentState, PauseScope
from instance_ha.restarts import Remedy, Restart
from masakari_instance_ha import migrations, schema
from masakari_instance_ha.deeds import Deed

# Masakari's and taskflow's libraries warn of one another.
pytestmark = pytest.mark.filterwarnings("ignore")

DAY_S = 86_400.0


class TestJournal:
    def test_tells_who_changed_what_newest_first(self, ask, journal, openstack_cloud):
        ask("segment", "create", "rack1", "--author", "ann")
        ask("host", "add", "rack1", "h1", "--reserved")

        newest, oldest = ask("journal", "list")

        assert (newest["author"], newest["command"]) == ("operator@masakari", "host add")
        assert newest["given"] == {"segment": "rack1", "host": "h1", "reserved": True}
        assert (oldest["author"], oldest["outcome"]) == ("ann", "done")
        assert len(ask("journal", "list", "--limit", "1")) == 1

    def test_what_changes_nothing_is_not_in_it(self, run, ask, journal, openstack_cloud):
        ask("segment", "list")
        ask("purge", "--dry-run")
        run("segment", "delete", "nowhere")

        assert ask("journal", "list") == []

    def test_what_is_done_stays_done_where_it_cannot_be_written_down(self, run, openstack_cloud):
        code, out, err = run("segment", "create", "rack1")

        assert (code, openstack_cloud.segments[0]["name"]) == (0, "rack1")
        assert "rack1" in out
        assert "done, but who did it is not written down" in err


class TestMoves:
    VMOVE: ClassVar = {
        "uuid": "m1",
        "instance_uuid": "s1",
        "instance_name": "web",
        "source_host": "h1",
        "dest_host": "h2",
        "start_time": "2026-11-21T05:00:00.000000",
        "end_time": "2026-11-21T05:00:12.500000",
        "status": "succeeded",
    }

    @pytest.fixture
    def moved(self, openstack_cloud):
        openstack_cloud.enrol("h1")
        openstack_cloud.take_notification(
            {"type": "COMPUTE_HOST", "hostname": "h1", "generated_time": "t"}
        )
        openstack_cloud.vmoves.append(dict(self.VMOVE))
        return openstack_cloud

    @pytest.mark.usefixtures("moved")
    def test_are_those_of_the_newest_notification_of_a_host(self, ask):
        (listed,) = ask("move", "list", "--host", "h1")

        assert (listed["server"], listed["to"], listed["took_s"]) == ("s1", "h2", 12.5)
        assert ask("move", "list", "notification-1") == [listed]

    @pytest.mark.usefixtures("moved")
    @pytest.mark.parametrize("name", ["m1", "s1"])
    def test_one_is_found_by_either_name(self, ask, name):
        assert ask("move", "show", "notification-1", name)["to"] == "h2"

    def test_one_under_way_has_taken_no_time_yet(self, ask, moved):
        moved.vmoves[0]["end_time"] = None

        assert ask("move", "list", "notification-1")[0]["took_s"] is None

    def test_unknown_ones_are_wrong_input(self, run, moved):
        moved.enrol("h2")
        assert run("move", "show", "notification-1", "x")[0] == 2
        assert run("move", "list", "--host", "h2")[0] == 2
        moved.refusals["GET", "/vmoves"] = (404, "not found")
        assert run("move", "list", "x")[0] == 2


class TestReserve:
    def test_is_disabled_and_flagged_and_works_again(self, ask, journal, openstack_cloud):
        openstack_cloud.enrol("h1", "h2")
        (service, _) = openstack_cloud.services

        assert ask("host", "reserve", "h1")["reserved"] is True
        assert (service["status"], service["disabled_reason"]) == (
            "disabled",
            "instance-ha: reserved host",
        )
        assert openstack_cloud.hosts[0]["reserved"] is True

        assert ask("host", "restore", "h1")["reserved"] is False
        assert (service["status"], openstack_cloud.hosts[0]["reserved"]) == ("enabled", False)

    def test_is_empty(self, run, journal, openstack_cloud):
        openstack_cloud.enrol("h1")
        openstack_cloud.servers.append({"id": "s1", "name": "web", "host": "h1"})

        code, _, err = run("host", "reserve", "h1")

        assert code == 1
        assert "1 servers are on it" in err
        assert openstack_cloud.services[0]["status"] == "enabled"
        assert openstack_cloud.hosts[0]["reserved"] is False

    @pytest.mark.parametrize("verb", ["reserve", "restore"])
    def test_is_not_a_lost_host(self, run, journal, openstack_cloud, verb):
        openstack_cloud.enrol("h1")
        journal.open("h1", segment="seg1", at_s=1.0, reason="storage down")

        code, _, err = run("host", verb, "h1")

        assert code == 1
        assert "incident show --host h1" in err
        assert openstack_cloud.written() == []


class TestFencing:
    def test_none_by_choice_is_told_for_each_host(self, ask, openstack_cloud):
        openstack_cloud.enrol("h1", "h2")

        rows = ask("fence", "test")

        assert [(row["host"], row["result"]) for row in rows] == [
            ("h1", "failed"),
            ("h2", "failed"),
        ]
        assert "none by choice" in rows[0]["problem"]

    def test_one_host_that_does_not_answer_keeps_the_others_from_nothing(
        self, ask, config, openstack_cloud, tmp_path
    ):
        (tmp_path / "targets.json").write_text("{}")
        (tmp_path / "key").write_text("a:b:c\n")
        config.write_text(
            config.read_text().replace(
                "mode = none",
                f"mode = maas\nmaas_url = http://127.0.0.1:9/MAAS\n"
                f"maas_credentials_file = {tmp_path}/key\ntargets_file = {tmp_path}/targets.json",
            )
        )
        openstack_cloud.enrol("h1", "h2")

        rows = ask("fence", "test")

        assert [row["power"] for row in rows] == ["unknown", "unknown"]
        assert "h1 is not" in rows[0]["problem"] or "h1" in rows[0]["problem"]
        assert [row["host"] for row in ask("fence", "test", "h2")] == ["h2"]

    def test_host_that_nobody_enrolled_is_wrong_input(self, run, openstack_cloud):
        assert run("fence", "test", "h9")[0] == 2


@pytest.fixture
def masakari_tables(journal, sqlite_url):
    """Masakari's own tables beside ours; returns the engine."""
    engine = sa.create_engine(sqlite_url)
    models.BASE.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE logbooks (uuid TEXT, created_at DATETIME)"))
    return engine


def rows_of(engine) -> dict[str, int]:
    """Return table -> how many rows it has."""
    metadata = sa.MetaData()
    metadata.reflect(engine)
    with engine.connect() as connection:
        return {
            table.name: connection.execute(
                sa.select(sa.func.count()).select_from(table)
            ).scalar_one()
            for table in metadata.sorted_tables
        }


class TestPurge:
    @pytest.fixture
    def aged(self, journal, masakari_tables):
        """What is old and over, beside what is old and not, and what is new."""
        old_s, new_s = time.time() - 100 * DAY_S, time.time() - 10 * DAY_S
        for host, at_s in (("h1", old_s), ("h2", new_s)):
            incident = journal.open(host, segment="seg1", at_s=at_s, reason="lost")
            journal.record(incident, Event(at_s=at_s, actor="a", kind="evidence", text="t"))
            journal.record_proof(
                incident,
                FenceProof(host=host, method="maas", target="t", answer="off",
                           ordered_at_s=at_s, confirmed_at_s=at_s, by="b"),
            )  # fmt: skip
            journal.ends_as(incident, {"s1": "active"})
            journal.decisions.approve(
                Approval(incident=incident.id, author="a", reason="", at_s=at_s)
            )
            journal.move(incident, IncidentState.CLOSED, at_s=at_s)
            journal.restarts.add(
                Restart(server="s", name="n", host=host, notification="n", at_s=at_s,
                        remedy=Remedy.RESTART, outcome="o"),
            )  # fmt: skip
            journal.deeds.add(Deed(at_s=at_s, author="a", command="c", given={}, outcome="done"))
            journal.decisions.pause(
                PauseScope.CLOUD, target="", name="", reason="r", author="a",
                at_s=at_s - 10, until_s=at_s,
            )  # fmt: skip
        journal.open("h3", segment="seg1", at_s=old_s, reason="lost, and still so")
        journal.decisions.pause(
            PauseScope.CLOUD, target="", name="", reason="r", author="a", at_s=old_s, until_s=None
        )
        old = sa.text("datetime('now', '-100 days')")
        with masakari_tables.begin() as connection:
            for number, status in enumerate(("finished", "running")):
                connection.execute(
                    models.Notification.__table__.insert().values(
                        notification_uuid=f"n{number}", generated_time=sa.func.now(), type="t",
                        status=status, source_host_uuid="u", created_at=old,
                    )
                )  # fmt: skip
                connection.execute(
                    models.VMove.__table__.insert().values(
                        uuid=f"m{number}", notification_uuid=f"n{number}", instance_uuid="s",
                        instance_name="n",
                    )
                )  # fmt: skip
            connection.execute(
                sa.text("INSERT INTO logbooks VALUES ('b', datetime('now', '-100 days'))")
            )
        return masakari_tables

    def test_removes_what_is_old_and_over_and_nothing_else(self, ask, aged):
        before = rows_of(aged)
        rehearsed = ask("purge", "--dry-run")
        assert rows_of(aged) == before

        removed = ask("purge")

        went = {row["table"]: row["rows"] for row in removed if row["rows"]}
        assert went == {
            "notifications": 1,
            "logbooks": 1,
            "instance_ha_incidents": 1,
            "instance_ha_pauses": 1,
            "instance_ha_restarts": 1,
            "instance_ha_deeds": 1,
        }
        assert {row["table"]: row["rows"] for row in rehearsed if row["rows"]} == went
        after = rows_of(aged)
        assert (after["notifications"], after["vmoves"]) == (1, 1), "the running one stays"
        assert after["instance_ha_incidents"] == 2
        for table in ("events", "proofs", "moves", "approvals"):
            assert after[f"instance_ha_{table}"] == 1, "what hangs on an incident goes with it"
        assert after["instance_ha_pauses"] == 2, "a pause in force stays, however old"

    def test_takes_more_than_one_batch(self, ask, journal, monkeypatch):
        monkeypatch.setattr("masakari_instance_ha.purging.BATCH", 2)
        for number in range(5):
            journal.deeds.add(
                Deed(at_s=float(number), author="a", command="c", given={}, outcome="done")
            )

        removed = {row["table"]: row["rows"] for row in ask("purge", "--older-than", "2d")}

        assert removed["instance_ha_deeds"] == 5

    def test_leaves_the_last_day_alone(self, run, journal):
        code, _, err = run("purge", "--older-than", "1h")

        assert code == 2
        assert "at least 1d" in err


class TestUpgrade:
    def test_may_come_where_nothing_is_under_way(self, ask, journal):
        assert {row["result"] for row in ask("check-upgrade")} == {"ok"}

    def test_waits_for_a_recovery(self, run, journal):
        journal.open("h1", segment="seg1", at_s=1.0, reason="lost")

        code, _, err = run("check-upgrade")

        assert code == 1
        assert "h1: recovery under way" in err

    def test_tells_of_a_pause_that_outlasts_it(self, run, journal):
        journal.decisions.pause(
            PauseScope.CLOUD, target="", name="", reason="work", author="ann", at_s=1.0,
            until_s=None,
        )  # fmt: skip

        assert "ann paused cloud: work" in run("check-upgrade")[2]

    def test_tells_of_tables_of_another_age(self, run, journal, sqlite_url):
        with sa.create_engine(sqlite_url).begin() as connection:
            connection.execute(
                sa.text(f"UPDATE {migrations.VERSION_TABLE} SET version_num='0001'")
            )

        assert "of version 0001" in run("check-upgrade")[2]

    def test_tables_of_a_newer_release_are_no_trouble(self, ask, journal, sqlite_url):
        with sa.create_engine(sqlite_url).begin() as connection:
            connection.execute(
                sa.text(f"UPDATE {migrations.VERSION_TABLE} SET version_num='9999'")
            )

        assert {row["result"] for row in ask("check-upgrade")} == {"ok"}

    def test_no_tables_have_no_version(self, sqlite_url, journal):
        schema.metadata.drop_all(sa.create_engine(sqlite_url))
        with sa.create_engine(sqlite_url).begin() as connection:
            connection.execute(sa.text(f"DROP TABLE {migrations.VERSION_TABLE}"))

        assert journal.version() is None
