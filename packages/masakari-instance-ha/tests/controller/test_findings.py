# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from instance_ha.names import Names, compare
from masakari_instance_ha.fencing import targets


def found(*, enrolled: set[str]):
    return compare(Names(nova={"h1", "h2"}, enrolled=enrolled, observed={}, targets={"h1": ""}))


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
    ("text", "problems"),
    [
        ('{"h1": {}}', {"h1": ""}),
        ('{"h1": {"problem": "maas: no"}, "h2": 7}', {"h1": "maas: no"}),
        ("[1]", {}),
        ("{", {}),
        (None, {}),
    ],
    ids=["list", "problem", "no mapping", "no json", "no file"],
)
def test_who_is_on_the_list_of_targets_and_whose_fence_path_failed(tmp_path, text, problems):
    path = tmp_path / "targets.json"
    if text is not None:
        path.write_text(text)

    assert targets.problems(str(path)) == problems


def test_without_a_list_of_targets_nobody_is_missing_from_it():
    assert targets.problems(None) is None
    assert targets.tested_at_s(None) == {}


def test_when_fence_paths_were_tested_is_told_of_those_that_were(tmp_path):
    path = tmp_path / "targets.json"
    path.write_text(
        '{"h1": {"tested_at": "1970-01-01T00:01:40+00:00"}, "h2": {"tested_at": ""},'
        ' "h3": {"tested_at": 7}, "h4": {}}'
    )

    assert targets.tested_at_s(str(path)) == {"h1": 100.0}
