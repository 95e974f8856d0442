# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
import subprocess

import pytest

from lab import binaries, errors, packages, paths, process


@pytest.fixture
def apt(tmp_path, monkeypatch):
    """An apt that remembers what it was asked, and whether daemons could have started."""
    policy = tmp_path / "policy-rc.d"
    monkeypatch.setattr(packages, "POLICY", policy)
    calls = []

    def run(argv, **_):
        if argv[0] == "dpkg-query":
            text = "iproute2 installed\nmariadb-server config-files\n"
            return subprocess.CompletedProcess(argv, 0, text, "")
        calls.append((argv, policy.read_text() if policy.exists() else None))
        if argv[-1] == "fails":
            raise errors.CommandError(argv, "failed")
        return subprocess.CompletedProcess(argv, 0, "", "")

    monkeypatch.setattr(packages, "run", run)
    return calls


def test_only_what_is_missing_is_installed(apt, monkeypatch):
    monkeypatch.setattr(packages, "PACKAGES", ("iproute2", "mariadb-server"))
    packages.ensure_packages()
    assert apt[-1][0][-1] == "mariadb-server", "a removed package is not an installed one"
    assert "iproute2" not in apt[-1][0]


def test_nothing_is_asked_of_apt_when_all_is_there(apt, monkeypatch):
    monkeypatch.setattr(packages, "PACKAGES", ("iproute2",))
    packages.ensure_packages()
    assert apt == []


def test_no_daemon_starts_while_apt_runs(apt, monkeypatch):
    monkeypatch.setattr(packages, "PACKAGES", ("fails",))
    with pytest.raises(errors.CommandError):
        packages.ensure_packages()
    assert "exit 101" in apt[-1][1]
    assert not packages.POLICY.exists(), "a policy of ours must not outlive the installation"


def test_a_policy_of_somebody_else_stays(apt, monkeypatch):
    monkeypatch.setattr(packages, "PACKAGES", ("ceph-mon",))
    packages.POLICY.write_text("#!/bin/sh\nexit 101 # the machine's own\n")
    packages.ensure_packages()
    assert "the machine's own" in packages.POLICY.read_text()


def test_the_longest_builds_begin_before_all_else(cache, apt, monkeypatch):
    done = []
    monkeypatch.setattr(packages, "PACKAGES", ("ceph-mon",))
    monkeypatch.setattr(binaries, "has_room", lambda: True)
    monkeypatch.setattr(binaries, "start_build", lambda name: done.append((name, len(apt))))
    monkeypatch.setattr(binaries, "await_build", lambda name: None)
    monkeypatch.setattr(packages, "ensure_openstack", lambda: None)
    monkeypatch.setattr(packages.equipment, "ensure", lambda: None)
    monkeypatch.setattr(packages.guest, "build", lambda: None)
    monkeypatch.setattr(packages.os, "geteuid", lambda: 0)

    packages.install()

    assert [name for name, _ in done] == list(binaries.NAMES)
    first = [argv[-1] for argv, _ in apt[: done[0][1]] if "install" in argv]
    assert first == ["python3-venv"], "what a Go toolchain needs, and nothing else yet"
    assert apt[-1][0][-1] == "ceph-mon"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "CACHE", tmp_path)
    monkeypatch.setattr(process, "RUN", tmp_path / "run")
    monkeypatch.setattr(process, "LOGS", tmp_path / "log")
    yield tmp_path
    process.stop_all()


def fake_go(cache, script):
    go = cache / "go"
    go.write_text(f"#!/bin/sh\n{script}\n")
    go.chmod(0o755)
    return go


def test_a_build_is_kept_by_what_went_into_it(cache, monkeypatch):
    go = fake_go(cache, 'while [ "$1" != -o ]; do shift; done; echo "$3" >"$2"')
    monkeypatch.setattr(binaries, "toolchain", lambda: go)

    binaries.start_build("pebble")
    built = binaries.await_build("pebble")

    assert built.name == f"pebble-{paths.fingerprint(paths.BUILD / 'pebble' / 'go.sum')}"
    assert built.read_text() == "github.com/canonical/pebble/cmd/pebble\n"
    assert paths.binary("pebble") == built
    assert not list(cache.glob("bin/*.new"))


def test_a_failed_build_shows_why_and_leaves_nothing(cache, monkeypatch):
    go = fake_go(cache, "echo module not found >&2; exit 1")
    monkeypatch.setattr(binaries, "toolchain", lambda: go)

    binaries.start_build("pebble")
    with pytest.raises(errors.DaemonDiedError, match="module not found"):
        binaries.await_build("pebble")
    with pytest.raises(errors.MissingError, match="python -m lab install"):
        paths.binary("pebble")


def test_an_interrupted_openstack_environment_is_not_used(cache):
    paths.openstack_venv_path().mkdir(parents=True)
    with pytest.raises(errors.MissingError, match="not complete"):
        paths.openstack_venv()
