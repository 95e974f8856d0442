# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
import pytest

from lab.juju.arguments import SWITCH, VALUE, parse
from lab.juju.errors import NotPlayedError


def test_a_short_option_is_the_long_one():
    read = parse(
        "juju add-unit",
        ["-n", "2", "app"],
        options={"--num-units": VALUE},
        short={"-n": "--num-units"},
    )

    assert read.get("--num-units") == "2"
    assert read.words == ("app",)


def test_the_options_of_the_command_that_ssh_runs_are_its_own():
    read = parse(
        "juju ssh",
        ["app/0", "pebble", "logs", "-n", "5"],
        options={"--container": VALUE},
        short={"-n": "--num-units"},
        verbatim_after=1,
    )

    assert read.words == ("app/0", "pebble", "logs", "-n", "5")


def test_an_unknown_option_is_not_played():
    with pytest.raises(NotPlayedError, match="--fast"):
        parse("juju deploy", ["--fast"], options={"--trust": SWITCH})
