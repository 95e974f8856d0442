# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Ask this machine's Corosync and Pacemaker how the ring is; nothing is changed."""

from __future__ import annotations

import contextlib
import re
import time

from hacluster_shim.ring.daemons import RingError, tool
from instance_ha import pacemaker
from instance_ha.pacemaker import PacemakerAnswerError, RingView

_PAUSE_S = 0.5
_LINK = re.compile(r"LINK: (?P<number>\d+) \S+ \((?P<way>\S+)\) (?P<state>[\w ]+?)(?: mtu:|$)")


def ring() -> RingView:
    """Return the ring as this node sees it.

    Raises:
        RingError: if Pacemaker does not answer.
        PacemakerAnswerError: if its answer cannot be read.
    """
    shown = tool("crm_mon", "--output-as=xml", "--fence-history=3", "--inactive")
    return pacemaker.read(shown, cib=tool("cibadmin", "--query"))


def settled(*, within_s: float) -> RingView | None:
    """Return the ring once it has a quorum and a node that decides, or None if it has not yet."""
    end = time.monotonic() + within_s
    while True:
        with contextlib.suppress(RingError, PacemakerAnswerError):  # it may be starting
            view = ring()
            if view.quorate and view.dc:
                return view
        if time.monotonic() >= end:
            return None
        time.sleep(_PAUSE_S)


def links() -> dict[str, dict[str, str]]:
    """Return node id -> link number -> whether Corosync reaches that node by it.

    Raises:
        RingError: if Corosync does not answer.
    """
    found: dict[str, dict[str, str]] = {}
    current: dict[str, str] = {}
    for line in tool("corosync-cfgtool", "-n").splitlines():
        if line.startswith("nodeid:"):
            current = found.setdefault(line.split()[1], {})
        elif link := _LINK.search(line):
            current[link["number"]] = link["state"].strip()
    return found
