# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What every monitor of this host stands on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hypervisor_instance_ha.cloud import Cloud
from hypervisor_instance_ha.files import Report
from hypervisor_instance_ha.spool import Spool
from hypervisor_instance_ha.tally import Tally


@dataclass(frozen=True, kw_only=True)
class Station:
    """The surroundings of one monitor."""

    nova_host: str
    cloud: Cloud
    spool: Spool
    tally: Tally
    report: Report
    now_s: Callable[[], float]
    quiet: Callable[[], str]
    """Says why no failure of this host is one now; empty: it would be."""
