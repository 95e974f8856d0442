# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Charms run as Juju runs them, without a controller.

One agent process plays controller and unit agents; charms are real processes with real hook tools,
in the lab's pods (``lab.pod``, real Pebble) and on its hosts (``lab.host``, real systemd). It is
driven as a real Juju is, through the ``juju`` command that jubilant calls::

    from lab import juju

    j = juju.ensure_up()                                  # a jubilant.Juju
    j.deploy("build/stage/masakari-k8s", "masakari")      # a pod: its charm has containers
    j.deploy("lab/partners/mysql", "mysql")               # a pod too, for want of --to
    j.deploy("lab/partners/openstack-hypervisor", "openstack-hypervisor",
             num_units=3, to=["0", "1", "2"])             # hosts h1, h2, h3
    j.deploy("build/stage/masakari-monitors", "masakari-monitors")   # subordinate: no units yet
    j.integrate("masakari:database", "mysql:database")
    j.integrate("masakari-monitors:juju-info", "openstack-hypervisor:juju-info")
    j.wait(jubilant.all_active)
    j.run("masakari/leader", "list-hosts")
    juju.down()

One model holds pods and machines together, so what would be an offer is a plain relation. A unit
runs on host h(N+1) if ``--to N`` says so, and in a pod of its own otherwise. A container's image
is one of ``lab.image.IMAGES``, chosen by its resource's name or by ``--resource NAME=IMAGE``. The
state lies in ``STATE/juju``: ``model.json``, ``debug.log``, and ``trace.jsonl`` with every hook.

What the lab does not know it refuses: an error that begins with "not played".

Reading order: ``model`` (what there is), ``resolver`` and ``relations`` (which hook is next, each
rule with its source), ``context`` and ``tools`` (what a hook may read and write), ``runner`` and
``place`` (how and where it runs), ``agent`` (all of it together), ``commands``.
"""

import pathlib
import shutil
import sys
from typing import Any

import jubilant

from lab import paths, pod
from lab.process import Daemon, pid, spawn, stop, wait_until

from .trace import Trace

STATE = paths.STATE / "juju"
BINARY = pathlib.Path(__file__).with_name("juju")
"""What stands in for the ``juju`` command."""

AGENT = Daemon(
    name="juju-agent",
    argv=[sys.executable, "-m", "lab.juju", STATE],
    cwd=paths.REPOSITORY,
)


def client() -> jubilant.Juju:
    """Return the way to the running agent, as for any Juju."""
    return jubilant.Juju(cli_binary=BINARY)


def trace() -> list[dict[str, Any]]:
    """Return every hook that ended so far, oldest first: unit, hook, remote unit, exit code."""
    return Trace(STATE).hooks()


def ensure_up() -> jubilant.Juju:
    """Start the agent unless it runs; what an earlier one left is taken up again."""
    if pid(AGENT) is None:
        (STATE / "api.socket").unlink(missing_ok=True)
        spawn(AGENT)
    wait_until(
        (STATE / "api.socket").exists,
        within_s=120,
        what="the agent that plays Juju",
        daemon=AGENT,
    )
    return client()


def down() -> None:
    """Stop the agent, remove every pod and forget the model; hosts are not the agent's."""
    stop(AGENT)
    pod.remove_all()
    shutil.rmtree(STATE, ignore_errors=True)
