# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from instance_ha.names import Names, compare
from masakari_instance_ha.fencing import targets


def found(*, enrolled: set[str]):
    return compare(Names(nova={"h1", "h2"}, enrolled=enrolled, observed={}, targets={"h1"}))


def test_findings_are_kept_with_the_time_since_when_they_are(journal, ask):
    journal.board().post(found(enrolled={"h1"}), at_s=100.0)
    journal.board().post(found(enrolled={"h1"}), at_s=200.0)

    (listed,) = ask("finding", "list")

    assert listed["about"] == "h2"
    assert listed["kind"] == "not-enrolled"
    assert listed["since"] == "1970-01-01T00:01:40Z"
    assert listed["advice"] == "enrol it: instance-ha host add SEGMENT h2"
    journal.board().post([], at_s=300.0)
    assert ask("finding", "list") == []


def test_t06_the_list_of_hosts_says_who_is_not_protected_and_why(journal, ask, openstack_cloud):
    openstack_cloud.enrol("h1", "h2")
    journal.board().post(found(enrolled={"h1", "h2"}), at_s=100.0)

    listed = {host["name"]: host for host in ask("host", "list")}

    assert listed["h1"]["protected"] is True
    assert listed["h2"]["protected"] is False
    assert listed["h2"]["why"] == "the list of power targets does not have it"


def test_without_tables_it_is_not_known_who_is_protected(ask, openstack_cloud):
    openstack_cloud.enrol("h1")

    (listed,) = ask("host", "list")

    assert listed["protected"] is None
    assert listed["why"].startswith("not known: the store at ")


@pytest.mark.parametrize(
    ("text", "names"),
    [('{"h1": {}}', {"h1"}), ("[1]", set()), ("{", set()), (None, set())],
    ids=["list", "no mapping", "no json", "no file"],
)
def test_who_is_on_the_list_of_targets(tmp_path, text, names):
    path = tmp_path / "targets.json"
    if text is not None:
        path.write_text(text)

    assert targets.names(str(path)) == names


def test_without_a_list_of_targets_nobody_is_missing_from_it():
    assert targets.names(None) is None
