# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from instance_ha.errors import PolicyError
from instance_ha.selection import (
    Disks,
    Pattern,
    Protect,
    Selection,
    ServerFacts,
    by_segment,
    is_true,
)

AMPHORA = "amphora-5f9f3a52-3a3b-4f0e-9d8b-0a4b6a1d9b11"


def a_server(**facts) -> ServerFacts:
    return ServerFacts(**{"name": "web", "vm_state": "active", "on_volume": True, **facts})


@pytest.mark.parametrize(
    ("rule", "facts", "why"),
    [
        pytest.param({}, {}, None, id="all: every server"),
        pytest.param({}, {"vm_state": "error"}, None, id="all: in error too"),
        pytest.param({"errored": False}, {"vm_state": "error"}, "is in error", id="no errors"),
        pytest.param({}, {"name": AMPHORA}, "own service", id="t19: an amphora"),
        pytest.param({}, {"name": "amphora-museum"}, None, id="t19: only called like one"),
        pytest.param(
            {}, {"name": AMPHORA, "metadata": {"HA_Enabled": "True"}}, None, id="t19: asked for"
        ),
        pytest.param({"ignored": ()}, {"name": AMPHORA}, None, id="t19: switched off"),
        pytest.param({"protect": "metadata"}, {}, "HA_Enabled=true", id="metadata: none"),
        pytest.param(
            {"protect": "metadata"}, {"metadata": {"HA_Enabled": "false"}}, "HA_Enabled", id="no"
        ),
        pytest.param(
            {"protect": "metadata"}, {"metadata": {"HA_Enabled": "1"}}, None, id="metadata: yes"
        ),
        pytest.param({"protect": "tag"}, {}, "no tag automatic-recovery", id="tag: none"),
        pytest.param(
            {"protect": "tag"}, {"tags": frozenset({"automatic-recovery"})}, None, id="tag: server"
        ),
        pytest.param(
            {"protect": "tag"}, {"flavor": {"automatic-recovery": "true"}}, None, id="tag: flavor"
        ),
        pytest.param(
            {"protect": "tag"},
            {"image": "i", "image_properties": {"automatic-recovery": "yes"}},
            None,
            id="tag: image",
        ),
        pytest.param(
            {"protect": "tag"}, {"flavor": {"automatic-recovery": "no"}}, "no tag", id="tag: no"
        ),
        pytest.param(
            {"disks": "local"}, {"on_volume": False}, "disk on the lost", id="disk: lost"
        ),
        pytest.param({"disks": "local"}, {}, None, id="disk: volume"),
        pytest.param({"disks": "shared"}, {"on_volume": False}, None, id="disk: vouched for"),
    ],
)
def test_who_is_left_and_why(rule, facts, why) -> None:
    rule = {**rule}
    if "protect" in rule:
        rule["protect"] = Protect(rule["protect"])
    if "disks" in rule:
        rule["disks"] = Disks(rule["disks"])

    said = Selection(**rule).why_left(a_server(**facts))

    assert said is None if why is None else why in (said or "")


@pytest.mark.parametrize(
    ("disks", "on_volume", "asks"),
    [
        pytest.param(Disks.ASK, False, True, id="nova looks for the disk"),
        pytest.param(Disks.ASK, True, False, id="a volume is always there"),
        pytest.param(Disks.SHARED, False, False, id="vouched for"),
    ],
)
def test_nova_is_asked_where_a_disk_may_be_lost(disks, on_volume, asks) -> None:
    assert Selection(disks=disks).asks(a_server(on_volume=on_volume)) is asks


@pytest.mark.parametrize(
    ("protect", "facts", "needed"),
    [
        pytest.param(Protect.TAG, {"image": "i"}, True, id="its image may decide"),
        pytest.param(Protect.TAG, {}, False, id="it has no image"),
        pytest.param(
            Protect.TAG,
            {"image": "i", "tags": frozenset({"automatic-recovery"})},
            False,
            id="tagged itself",
        ),
        pytest.param(Protect.ALL, {"image": "i"}, False, id="nobody asks for tags"),
    ],
)
def test_an_image_is_read_only_where_it_decides(protect, facts, needed) -> None:
    assert Selection(protect=protect).needs_image(a_server(**facts)) is needed


@pytest.mark.parametrize(
    ("pattern", "facts", "matches"),
    [
        pytest.param("name=^trove-", {"name": "trove-db"}, True, id="name"),
        pytest.param("project=abc", {"project": "abc"}, True, id="project"),
        pytest.param("project=abc", {"project": "abcd"}, False, id="another project"),
        pytest.param("tag=spare", {"tags": frozenset({"spare"})}, True, id="tag"),
        pytest.param("metadata=role:spare", {"metadata": {"role": "spare"}}, True, id="metadata"),
        pytest.param("metadata=role:spare", {}, False, id="no metadata"),
    ],
)
def test_patterns(pattern, facts, matches) -> None:
    read = Pattern.read(pattern)

    assert read.matches(a_server(**facts)) is matches
    assert str(read) == pattern


@pytest.mark.parametrize("text", ["amphora", "name=", "colour=red", "name=("])
def test_what_is_no_pattern_is_refused_with_the_way_to_write_it(text: str) -> None:
    with pytest.raises(PolicyError, match=r"write name=|correct it"):
        Pattern.read(text)


def test_segments_may_differ() -> None:
    assert by_segment({"rack-1": "tag"}) == {"rack-1": Protect.TAG}
    with pytest.raises(PolicyError, match="segment rack-1: 'tags' is unknown"):
        by_segment({"rack-1": "tags"})


@pytest.mark.parametrize(
    ("said", "yes"), [("True", True), (" on ", True), ("0", False), (None, False)]
)
def test_yes(said, yes) -> None:
    assert is_true(said) is yes
