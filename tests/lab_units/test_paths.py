# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
import pytest

from lab import binaries, paths


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A machine with programs of those names on its PATH."""
    for name in ("consul", "pebble"):
        program = tmp_path / name
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_the_machines_own_consul_is_taken_and_not_built(installed):
    assert paths.binary("consul") == installed / "consul"
    assert binaries.await_build("consul") == installed / "consul"


def test_a_pebble_on_path_may_be_another_program(installed):
    assert paths.binary_path("pebble").parent == paths.CACHE / "bin"


def test_without_one_on_path_the_built_consul_is_the_one(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))

    assert paths.binary_path("consul").parent == paths.CACHE / "bin"
