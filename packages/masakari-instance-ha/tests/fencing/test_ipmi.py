# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The rung IPMI against a BMC that speaks IPMI 2.0 over UDP."""

from __future__ import annotations

import pathlib
import sys
import threading
import time

import pytest

from instance_ha.errors import FenceError, FenceTimeoutError
from instance_ha.ladder import Rung
from masakari_instance_ha.clock import SystemClock
from masakari_instance_ha.fencing import ipmi as rung
from masakari_instance_ha.fencing.power import Pace, PowerFencer


@pytest.fixture
def entry(ipmi, login) -> dict[str, object]:
    return {"type": "ipmi", "address": "127.0.0.1", "port": ipmi.port, **login}


@pytest.fixture
def make(bmcs, entry):
    bmcs.list(h1=[entry])

    def make(*, timeout_s: float = 20, deadline_s: float = 30) -> PowerFencer:
        return PowerFencer(
            rung.Ipmi(file=bmcs.file, timeout_s=timeout_s).reach,
            rung=Rung.IPMI,
            pace=Pace(deadline_s=deadline_s, interval_s=0.2),
            clock=SystemClock(),
            by="engine@test",
        )

    return make


def test_a_host_is_powered_off_and_proven_off(make, ipmi):
    proof = make().fence("h1")

    assert (proof.method, proof.answer) == ("ipmi", "off")
    assert proof.target == f"127.0.0.1:{ipmi.port}"
    assert ipmi.power == "off"


def test_a_bmc_that_takes_the_order_and_does_nothing_proves_nothing(make, ipmi):
    ipmi.stick()

    with pytest.raises(FenceTimeoutError, match="its power state is still 'on'"):
        make(deadline_s=1).fence("h1")


def test_a_check_orders_nothing_and_power_on_orders_on(make, ipmi):
    assert make().check("h1") == "on"
    assert ipmi.orders == 0

    make().fence("h1")
    make().power_on("h1")
    assert ipmi.power == "on"


def test_a_wrong_password_is_an_error_that_does_not_show_it(make, bmcs, entry):
    bmcs.list(h1=[entry | {"password": "wr0ng"}])

    with pytest.raises(FenceError, match=r"the BMC at .* refuses") as caught:
        make().check("h1")
    assert "wr0ng" not in str(caught.value)


def test_a_bmc_that_is_silent_costs_no_more_than_its_time(make, bmcs, entry):
    bmcs.list(h1=[entry | {"address": "127.0.0.1", "port": 9}])
    began_s = time.monotonic()

    with pytest.raises(FenceError, match=r"did not answer in 1 s|refuses") as caught:
        make(timeout_s=1, deadline_s=1).check("h1")
    assert time.monotonic() - began_s < 25
    assert caught.value.__cause__ is None or "pa55" not in repr(caught.value.__cause__.__cause__)


def test_nothing_that_comes_back_is_called_no_answer(make, monkeypatch, tmp_path):
    module = tmp_path / "pyghmi"
    (module / "ipmi").mkdir(parents=True)
    (module / "__init__.py").touch()
    (module / "ipmi" / "__init__.py").touch()
    (module / "exceptions.py").write_text("class PyghmiException(Exception): pass\n")
    (module / "ipmi" / "command.py").write_text(
        "from pyghmi.exceptions import PyghmiException\n"
        "def Command(**_): raise PyghmiException(None)\n"
    )
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])

    with pytest.raises(FenceError, match=r"the BMC at \S+ did not answer\."):
        make().check("h1")


def test_the_password_is_on_no_command_line(make, ipmi, login):
    """Every command line that shows up while the host is fenced is looked at."""
    seen: set[bytes] = set()
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            for place in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    seen.add(place.read_bytes())
                except OSError:
                    continue

    watcher = threading.Thread(target=watch)
    watcher.start()
    make().fence("h1")
    over.set()
    watcher.join()

    ours = [line for line in seen if b"ipmi_call.py" in line]
    assert ours, "the conversation was seen"
    assert not [line for line in ours if login["password"].encode() in line]


def test_an_image_without_what_ipmi_needs_is_named(make, monkeypatch):
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.setattr(sys, "executable", _bare_python())

    with pytest.raises(FenceError, match=r"module pyghmi is missing.*Masakari image with"):
        make().check("h1")


def test_no_python_at_all_is_named(make, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python3")

    with pytest.raises(FenceError, match="IPMI cannot be spoken here: No such file"):
        make().check("h1")


@pytest.mark.parametrize("said", ["", "half {", "[]"])
def test_a_conversation_that_breaks_off_is_no_answer(make, monkeypatch, tmp_path, said):
    script = tmp_path / "python3"
    script.write_text(f"#!/bin/sh\ncat > /dev/null\nprintf '%s' '{said}'\n")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))

    with pytest.raises(FenceError, match="broke off"):
        make().check("h1")


def _bare_python() -> str:
    """Return a Python that has the standard library only."""
    return str(pathlib.Path(sys._base_executable).resolve())  # noqa: SLF001 - no other way to it
