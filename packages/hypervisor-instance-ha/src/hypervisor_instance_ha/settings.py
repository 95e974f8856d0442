# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The one file that tells everything of this package what to do; the charm writes it."""

from __future__ import annotations

import dataclasses
import json
import pathlib
from dataclasses import dataclass, field
from typing import Any

from hypervisor_instance_ha.errors import SettingsError

CONFIG = pathlib.Path("/etc/instance-ha/monitors.json")
STATE = pathlib.Path("/var/lib/instance-ha")
"""What outlives a boot: queues, the ledger, the pause."""
RUN = pathlib.Path("/run/instance-ha")
"""What one boot is about: statuses, the permission of nova-compute."""
UNITS = pathlib.Path("/etc/systemd/system")
DROP_IN = "instance-ha-return-guard.conf"
"""What the unit of nova-compute is given; found in a directory of the unit's name and ``.d``."""


@dataclass(frozen=True, kw_only=True)
class Login:
    """A Keystone account, and which endpoints of the catalogue are meant for us."""

    auth_url: str
    username: str
    password: str = field(repr=False)
    project: str
    user_domain: str
    project_domain: str
    region: str = ""
    """Empty: any."""
    interface: str = "internal"
    cafile: str = ""
    """Authorities to trust besides the system's; empty: none."""


@dataclass(frozen=True, kw_only=True)
class AgentWatch:
    """How guests are asked whether they live; times are seconds."""

    interval_s: float = 10.0
    timeout_s: float = 2.0
    failures: int = 3


@dataclass(frozen=True, kw_only=True)
class StorageProbe:
    """How the way to the guests' disks is tried; times are seconds."""

    target: str
    """A directory, or ``rbd:POOL``."""
    interval_s: float = 10.0
    deadline_s: float = 5.0
    ceph_user: str = ""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the charm decided for this hypervisor."""

    nova_host: str
    login: Login
    libvirt_uri: str
    resumes_guests: bool = False
    """Whether nova-compute starts guests by itself after a boot."""
    processes: tuple[str, ...] = ()
    """Systemd units that the process monitor keeps running."""
    process_interval_s: float = 5.0
    process_retries: int = 3
    restart_limit: int = 5
    """Reports of one server within ``restart_window_s``; 0: no limit."""
    restart_window_s: float = 3600.0
    queue_length: int = 1000
    audit_interval_s: float = 300.0
    agent: AgentWatch | None = None
    storage: StorageProbe | None = None
    debug: bool = False

    def dumps(self) -> str:
        """Return the file's text; the same settings give the same text."""
        return json.dumps(dataclasses.asdict(self), indent=1, sort_keys=True) + "\n"


def load(path: pathlib.Path | None = None) -> Settings:
    """Return what the file says, by default that of this machine.

    Raises:
        SettingsError: if it is not there, or not of this version.
    """
    path = path or CONFIG
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        return _settings(raw)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise SettingsError(
            f"{path} cannot be used: {error}; let the charm write it anew by "
            "`juju config masakari-monitors`"
        ) from error


def _settings(raw: dict[str, Any]) -> Settings:
    agent, storage = raw.get("agent"), raw.get("storage")
    fields: dict[str, Any] = raw | {
        "login": Login(**raw["login"]),
        "processes": tuple(raw.get("processes", ())),
        "agent": AgentWatch(**agent) if agent else None,
        "storage": StorageProbe(**storage) if storage else None,
    }
    return Settings(**fields)
