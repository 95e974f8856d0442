# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from hacluster_shim.ring import members
from instance_ha_relations.hanode import LayoutMember


def member(number, *addresses):
    return LayoutMember(
        name=f"c{number}", unit=f"s/{number - 1}", node_id=number, addresses=addresses
    )


def three():
    return [member(n, f"10.1.0.{n}", f"10.2.0.{n}", f"10.3.0.{n}") for n in (3, 1, 2)]


def conf(ring, token_ms=3000):
    return members.corosync_conf(ring, name="ring", token_ms=token_ms)


def test_links_are_encrypted_and_as_many_as_all_have():
    text = conf(three())
    assert "crypto_cipher: aes256" in text
    assert "ring2_addr: 10.3.0.2" in text

    fewer = conf([*three()[:2], member(2, "10.1.0.2", "10.2.0.2")])
    assert "ring1_addr" in fewer
    assert "ring2_addr" not in fewer
    assert fewer.count("linknumber") == 2


def test_members_are_in_one_order_whoever_lists_them():
    assert conf(three()) == conf(sorted(three(), key=lambda each: each.name))


def test_two_nodes_follow_the_rules_for_two():
    assert "two_node: 1\n    wait_for_all: 1" in conf(three()[:2])
    assert "two_node" not in conf(three())


def test_the_links_times_follow_the_token():
    assert "knet_ping_interval: 500" in conf(three(), token_ms=2000)
