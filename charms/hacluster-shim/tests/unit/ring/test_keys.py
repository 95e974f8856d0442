# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The ring's keys: nobody else has them."""

import pathlib
import re

import yaml

from hacluster_shim.ring import keys

CHARMCRAFT = pathlib.Path(__file__).parents[3] / "charmcraft.yaml"


def test_t15_every_ring_makes_keys_of_its_own():
    made = [keys.generate() for _ in range(3)]

    assert len({each.corosync for each in made}) == len({each.pacemaker for each in made}) == 3
    assert len({each.fingerprint for each in made}) == 3


def test_t15_no_option_comes_with_a_key_that_everybody_knows():
    options = yaml.safe_load(CHARMCRAFT.read_text())["config"]["options"]

    assert not [
        name
        for name, option in options.items()
        if "key" in re.split("[-_]", name) and option.get("default")
    ]


def test_who_prints_keys_sees_which_they_are_and_not_the_keys():
    made = keys.generate()

    assert made.fingerprint in repr(made)
    assert made.corosync not in repr(made)
    assert made.pacemaker not in repr(made)
